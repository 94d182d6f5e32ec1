// SPDX-License-Identifier: Apache-2.0
/// Some images of a data set; choosing images for calibration from those that there are.
#ifndef QUANTAL_DATA_SUBSET_HPP
#define QUANTAL_DATA_SUBSET_HPP

#include <quantal/data/dataset.hpp>
#include <quantal/error.hpp>

#include <algorithm>
#include <memory>
#include <numeric>
#include <random>
#include <utility>

namespace quantal {
inline namespace v0 {
namespace data {

/// The images `indices` of `whole`, in this order. Several subsets may share one data set.
class subset : public dataset {
public:
    /// Throws `data_error` for an index that `whole` does not have.
    subset(std::shared_ptr<const dataset> whole, std::vector<std::size_t> indices)
        : whole_(std::move(whole)), indices_(std::move(indices)) {
        for (const std::size_t index : indices_)
            if (index >= whole_->size())
                detail::fail<data_error>("a subset has image ", index, ", the set holds ",
                                         whole_->size());
    }

    [[nodiscard]] std::size_t size() const override { return indices_.size(); }
    [[nodiscard]] extents image_shape() const override { return whole_->image_shape(); }
    [[nodiscard]] int classes() const override { return whole_->classes(); }
    [[nodiscard]] int label(std::size_t index) const override {
        return whole_->label(indices_[index]);
    }
    void read(std::size_t index, std::span<float> chw) const override {
        whole_->read(indices_[index], chw);
    }

private:
    std::shared_ptr<const dataset> whole_;
    std::vector<std::size_t> indices_;
};

/// A part of a data set, and the rest of it.
struct split {
    std::unique_ptr<dataset> chosen, rest;
};

/// Chooses `count` images at random, the same ones for the same seed; the rest keeps its order.
/// Throws `data_error` if there are fewer.
[[nodiscard]] inline split split_at_random(std::unique_ptr<const dataset> set, std::size_t count,
                                           std::uint64_t seed) {
    if (count > set->size())
        detail::fail<data_error>("asked for ", count, " images at random, the set holds ",
                                 set->size());
    std::vector<std::size_t> order(set->size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::shuffle(order.begin(), order.end(), std::mt19937_64(seed));
    const auto end = order.begin() + static_cast<std::ptrdiff_t>(count);
    std::sort(end, order.end());
    const std::shared_ptr<const dataset> whole = std::move(set);
    return {std::make_unique<subset>(whole, std::vector(order.begin(), end)),
            std::make_unique<subset>(whole, std::vector(end, order.end()))};
}

} // namespace data
} // namespace v0
} // namespace quantal

#endif
