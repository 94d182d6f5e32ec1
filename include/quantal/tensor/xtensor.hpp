// SPDX-License-Identifier: Apache-2.0
/// The way back to xtensor: `as_xtensor` makes quantal's tensors xtensor's (docs/xtensor.md). The
/// one header that includes xtensor.
#ifndef QUANTAL_TENSOR_XTENSOR_HPP
#define QUANTAL_TENSOR_XTENSOR_HPP

#include <quantal/tensor/xtensor_traits.hpp>

#if __has_include(<xtensor/containers/xarray.hpp>)
#include <xtensor/containers/xadapt.hpp>
#include <xtensor/containers/xarray.hpp>
#else
#include <xtensor/xadapt.hpp>
#include <xtensor/xarray.hpp>
#endif

namespace quantal {
inline namespace v0 {
namespace detail {

inline std::vector<std::size_t> xtensor_shape(const extents& dims) {
    return {dims.begin(), dims.end()};
}

} // namespace detail

/// The elements of `t` as a container of xtensor that refers to them.
template <class T>
[[nodiscard]] auto as_xtensor(tensor<T>& t) {
    return xt::adapt(t.data(), t.size(), xt::no_ownership(), detail::xtensor_shape(t.shape()));
}
template <class T>
[[nodiscard]] auto as_xtensor(const tensor<T>& t) {
    return xt::adapt(t.data(), t.size(), xt::no_ownership(), detail::xtensor_shape(t.shape()));
}
/// Of a temporary, a container that owns them: `auto y = as_xtensor(dequantize(codes))`.
template <class T>
[[nodiscard]] auto as_xtensor(tensor<T>&& t) {
    const auto shape = detail::xtensor_shape(t.shape());
    return xt::adapt(std::move(t).values(), shape);
}

} // namespace v0
} // namespace quantal

#endif
