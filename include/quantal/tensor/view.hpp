// SPDX-License-Identifier: Apache-2.0
/// A pointer with dims and strides: how tensors that others own come in.
#ifndef QUANTAL_TENSOR_VIEW_HPP
#define QUANTAL_TENSOR_VIEW_HPP

#include <quantal/tensor/extents.hpp>

#include <array>
#include <span>
#include <type_traits>

namespace quantal {
inline namespace v0 {

/// Elements that somebody else owns; trivially copyable. Strides count elements, not bytes.
template <class T>
class view {
public:
    using strides = std::array<std::int64_t, extents::max_rank>;

    constexpr view() = default;
    /// A dense row-major tensor at `data`.
    constexpr view(T* data, const extents& dims)
        : data_(data), shape_(dims), strides_(row_major(dims)) {}
    constexpr view(T* data, const extents& dims, const strides& steps)
        : data_(data), shape_(dims), strides_(steps) {}

    constexpr operator view<const T>() const requires(!std::is_const_v<T>) {
        return {data_, shape_, strides_};
    }

    [[nodiscard]] constexpr T* data() const { return data_; }
    [[nodiscard]] constexpr const extents& shape() const { return shape_; }
    [[nodiscard]] constexpr std::int64_t stride(int axis) const {
        return strides_[static_cast<std::size_t>(axis)];
    }

    /// Whether the elements lie row-major without gaps; then `values` is all of them.
    [[nodiscard]] constexpr bool is_dense() const {
        const strides dense = row_major(shape_);
        for (int axis = 0; axis < shape_.rank(); ++axis)
            if (shape_[axis] > 1 && stride(axis) != dense[static_cast<std::size_t>(axis)])
                return false;
        return true;
    }
    [[nodiscard]] constexpr std::span<T> values() const { return {data_, shape_.count()}; }

    /// Calls `f(offset, i)` for every element in row-major order: its place in memory relative to
    /// `data`, and its row-major index.
    template <class F>
    constexpr void for_each_offset(F&& f) const {
        strides index{};
        std::int64_t offset = 0;
        const std::size_t count = shape_.count();
        for (std::size_t i = 0; i < count; ++i) {
            f(offset, i);
            advance(index, offset);
        }
    }
    /// Calls `f(element, i)` for every element in row-major order.
    template <class F>
    constexpr void for_each(F&& f) const {
        for_each_offset([&](std::int64_t offset, std::size_t i) { f(data_[offset], i); });
    }

private:
    static constexpr strides row_major(const extents& dims) {
        strides steps{};
        std::int64_t step = 1;
        for (int axis = dims.rank(); axis-- > 0; step *= dims[axis])
            steps[static_cast<std::size_t>(axis)] = step;
        return steps;
    }

    constexpr void advance(strides& index, std::int64_t& offset) const {
        for (int axis = shape_.rank(); axis-- > 0;) {
            auto& i = index[static_cast<std::size_t>(axis)];
            offset += stride(axis);
            if (++i < shape_[axis]) return;
            offset -= i * stride(axis);
            i = 0;
        }
    }

    T* data_ = nullptr;
    extents shape_{0};
    strides strides_{1};
};

} // namespace v0
} // namespace quantal

#endif
