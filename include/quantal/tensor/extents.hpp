// SPDX-License-Identifier: Apache-2.0
/// The extents of a tensor, in a fixed small array.
#ifndef QUANTAL_TENSOR_EXTENTS_HPP
#define QUANTAL_TENSOR_EXTENTS_HPP

#include <quantal/error.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <ostream>
#include <span>

namespace quantal {
inline namespace v0 {

/// Up to eight extents, outermost first. Rank 0 is a scalar of one element.
class extents {
public:
    static constexpr int max_rank = 8;

    constexpr extents() = default;
    constexpr extents(std::initializer_list<std::int64_t> dims)
        : extents(std::span(dims.begin(), dims.size())) {}
    constexpr explicit extents(std::span<const std::int64_t> dims) {
        for (const std::int64_t extent : dims)
            append(extent);
    }

    [[nodiscard]] constexpr int rank() const { return rank_; }
    [[nodiscard]] constexpr std::int64_t operator[](int axis) const {
        return extents_[static_cast<std::size_t>(axis)];
    }
    [[nodiscard]] constexpr const std::int64_t* begin() const { return extents_.data(); }
    [[nodiscard]] constexpr const std::int64_t* end() const { return begin() + rank_; }

    /// The number of elements.
    [[nodiscard]] constexpr std::size_t count() const {
        std::size_t product = 1;
        for (const std::int64_t extent : *this)
            product *= static_cast<std::size_t>(extent);
        return product;
    }

    /// This extents with one more extent in front or behind, or without the first.
    [[nodiscard]] constexpr extents with_front(std::int64_t extent) const {
        extents result{extent};
        for (const std::int64_t e : *this)
            result.append(e);
        return result;
    }
    [[nodiscard]] constexpr extents without_front() const {
        if (rank_ == 0) detail::fail<shape_error>("a scalar has no first dimension");
        return extents(std::span(begin(), static_cast<std::size_t>(rank_)).subspan(1));
    }

    friend constexpr bool operator==(const extents&, const extents&) = default;

    friend std::ostream& operator<<(std::ostream& out, const extents& s) {
        const char* separator = "";
        for (const std::int64_t extent : s) {
            out << separator << extent;
            separator = "x";
        }
        return s.rank_ == 0 ? out << "scalar" : out;
    }

private:
    constexpr void append(std::int64_t extent) {
        if (rank_ == max_rank)
            detail::fail<shape_error>("a shape has more than ", max_rank, " dimensions");
        if (extent < 0) detail::fail<shape_error>("a shape has a negative extent, ", extent);
        const auto limit = std::numeric_limits<std::int64_t>::max();
        std::int64_t elements = 1;
        for (const std::int64_t e : *this)
            elements *= e == 0 ? 1 : e;
        if (extent > 0 && elements > limit / extent)
            detail::fail<shape_error>("a shape with an extent of ", extent,
                                      " has more than 2^63 elements");
        extents_[static_cast<std::size_t>(rank_++)] = extent;
    }

    std::array<std::int64_t, max_rank> extents_{};
    int rank_ = 0;
};

} // namespace v0
} // namespace quantal

#endif
