// SPDX-License-Identifier: Apache-2.0
/// An owning row-major tensor: what the graph, the readers and the executors hand to each other.
#ifndef QUANTAL_TENSOR_TENSOR_HPP
#define QUANTAL_TENSOR_TENSOR_HPP

#include <quantal/tensor/view.hpp>

#include <span>
#include <utility>
#include <vector>

namespace quantal {
inline namespace v0 {

/// A shape and its elements in row-major order.
template <class T>
class tensor {
public:
    using value_type = T;

    tensor() : tensor(extents{0}) {}
    explicit tensor(const extents& dims) : shape_(dims), values_(dims.count()) {}
    tensor(const extents& dims, std::vector<T> values) : shape_(dims), values_(std::move(values)) {
        if (values_.size() != shape_.count())
            detail::fail<shape_error>("a tensor of shape ", shape_, " needs ", shape_.count(),
                                      " values, ", values_.size(), " were given");
    }

    [[nodiscard]] const extents& shape() const { return shape_; }
    [[nodiscard]] std::size_t size() const { return values_.size(); }
    [[nodiscard]] T* data() { return values_.data(); }
    [[nodiscard]] const T* data() const { return values_.data(); }
    [[nodiscard]] std::span<T> values() & { return values_; }
    [[nodiscard]] std::span<const T> values() const& { return values_; }
    /// Of a temporary, the elements themselves: a span would dangle.
    [[nodiscard]] std::vector<T> values() && { return std::move(values_); }
    [[nodiscard]] T& operator[](std::size_t i) { return values_[i]; }
    [[nodiscard]] const T& operator[](std::size_t i) const { return values_[i]; }

    /// Element i of the first dimension (one image of a batch, one channel of a weight), flat.
    [[nodiscard]] std::span<const T> slice(std::int64_t i) const& {
        const std::size_t count = shape_.without_front().count();
        return values().subspan(static_cast<std::size_t>(i) * count, count);
    }
    [[nodiscard]] std::span<T> slice(std::int64_t i) & {
        const std::size_t count = shape_.without_front().count();
        return values().subspan(static_cast<std::size_t>(i) * count, count);
    }

    operator view<const T>() const { return {values_.data(), shape_}; }
    operator view<T>() { return {values_.data(), shape_}; }

    friend bool operator==(const tensor&, const tensor&) = default;

private:
    extents shape_;
    std::vector<T> values_;
};

} // namespace v0
} // namespace quantal

#endif
