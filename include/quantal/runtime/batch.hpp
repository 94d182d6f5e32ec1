// SPDX-License-Identifier: Apache-2.0
/// Batches of images: what a network takes, and parts of them.
#ifndef QUANTAL_RUNTIME_BATCH_HPP
#define QUANTAL_RUNTIME_BATCH_HPP

#include <quantal/error.hpp>
#include <quantal/tensor/extents.hpp>

#include <span>

namespace quantal {
inline namespace v0 {
namespace detail {

/// Throws `shape_error` unless `images` is [N, ...] with images of the shape `input`.
inline void check_images(const extents& images, const extents& input) {
    if (images.rank() == 0 || images.without_front() != input)
        fail<shape_error>("the network takes images of ", input, ", a batch of shape ", images,
                          " was given");
}

/// How many images of `image` values there are. Throws `shape_error` unless they are whole, at most
/// `batch`, and there is room for the `gives` values that each of them gives.
[[nodiscard]] inline std::int64_t count_images(std::span<const float> images, std::size_t image,
                                               std::span<const float> output, std::size_t gives,
                                               std::int64_t batch) {
    const std::size_t count = images.size() / image;
    if (count > static_cast<std::size_t>(batch) || images.size() != count * image ||
        output.size() != count * gives)
        fail<shape_error>("a context for up to ", batch, " images of ", image, " values takes ",
                          images.size(), " values to ", output.size(), "; an image gives ", gives);
    return static_cast<std::int64_t>(count);
}

/// Images `first` to below `last`, of the shape `each`.
template <class T>
[[nodiscard]] std::span<T> part(std::span<T> values, const extents& each, std::int64_t first,
                                std::int64_t last) {
    const std::size_t size = each.count();
    return values.subspan(static_cast<std::size_t>(first) * size,
                          static_cast<std::size_t>(last - first) * size);
}

} // namespace detail
} // namespace v0
} // namespace quantal

#endif
