// SPDX-License-Identifier: Apache-2.0
/// The one bridge to xtensor: containers and views come in where they lie, other expressions are
/// evaluated once; `as_xtensor` makes quantal's tensors xtensor's (docs/xtensor.md).
#ifndef QUANTAL_TENSOR_XTENSOR_HPP
#define QUANTAL_TENSOR_XTENSOR_HPP

#include <quantal/tensor/view_traits.hpp>

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

template <class E>
concept xtensor_expression =
    xt::is_xexpression<E>::value && std::convertible_to<typename E::value_type, float>;

/// Containers and views of floats: they have data and strides.
template <class E>
concept xtensor_with_data = std::same_as < std::remove_cv_t<typename E::value_type>,
float > &&requires(const E& e) {
    { e.data() } -> std::convertible_to<const float*>;
    e.data_offset();
    e.strides();
};

template <class Shape>
extents extents_of(const Shape& dims) {
    std::vector<std::int64_t> values(dims.begin(), dims.end());
    return extents(values);
}

inline std::vector<std::size_t> xtensor_shape(const extents& dims) {
    return {dims.begin(), dims.end()};
}

} // namespace detail

template <detail::xtensor_expression E>
struct view_traits<E> {
    template <class F>
    static decltype(auto) apply(const E& e, F&& f) {
        const extents dims = detail::extents_of(e.shape());
        if constexpr (detail::xtensor_with_data<E>) {
            typename view<const float>::strides steps{};
            std::copy(e.strides().begin(), e.strides().end(), steps.begin());
            return f(view<const float>(e.data() + e.data_offset(), dims, steps));
        } else {
            tensor<float> values(dims);
            std::copy(e.template begin<xt::layout_type::row_major>(),
                      e.template end<xt::layout_type::row_major>(), values.data());
            return f(view<const float>(values));
        }
    }
};

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
