// SPDX-License-Identifier: Apache-2.0
/// Labelled images, however they are stored.
#ifndef QUANTAL_DATA_DATASET_HPP
#define QUANTAL_DATA_DATASET_HPP

#include <quantal/tensor/tensor.hpp>

#include <span>
#include <string>
#include <vector>

namespace quantal {
inline namespace v0 {
namespace data {

/// A labelled set of images of one shape. `read` may be called from several threads at once.
class dataset {
public:
    dataset() = default;
    dataset(const dataset&) = delete;
    dataset& operator=(const dataset&) = delete;
    virtual ~dataset() = default;

    [[nodiscard]] virtual std::size_t size() const = 0;
    /// Channels, height, width of every image that `read` gives.
    [[nodiscard]] virtual extents image_shape() const = 0;
    [[nodiscard]] virtual int classes() const = 0;
    [[nodiscard]] virtual int label(std::size_t index) const = 0;
    /// Writes image `index`, pre-processed, in CHW order. Throws `data_error` naming the file.
    virtual void read(std::size_t index, std::span<float> chw) const = 0;
};

/// Images [N, C, H, W] with their labels, and the index of the first in its sequence.
struct batch {
    tensor<float> images;
    std::vector<int> labels;
    std::size_t first = 0;
};

} // namespace data
} // namespace v0
} // namespace quantal

#endif
