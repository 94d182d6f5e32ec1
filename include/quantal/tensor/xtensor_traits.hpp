// SPDX-License-Identifier: Apache-2.0
/// xtensor's containers and views come in where they lie, its other expressions are evaluated once.
/// Nothing of xtensor is included: whoever has an expression has included it
/// (docs/rationale.md). The way back is tensor/xtensor.hpp.
#ifndef QUANTAL_TENSOR_XTENSOR_TRAITS_HPP
#define QUANTAL_TENSOR_XTENSOR_TRAITS_HPP

#include <quantal/tensor/view_traits.hpp>

#include <algorithm>

namespace xt {

template <class Derived>
class xexpression;

} // namespace xt

namespace quantal {
inline namespace v0 {
namespace detail {

template <class E>
concept xtensor_expression =
    std::is_base_of_v<xt::xexpression<E>, E> && std::convertible_to<typename E::value_type, float>;

/// Containers and views of floats: they have data and strides.
template <class E>
concept xtensor_with_data = std::same_as < std::remove_cv_t<typename E::value_type>,
float > &&requires(const E& e) {
    { e.data() } -> std::convertible_to<const float*>;
    e.data_offset();
    e.strides();
};

/// xtensor's name of the order in which the last index runs fastest.
template <class E>
inline constexpr auto row_major = std::remove_cv_t<decltype(E::static_layout)>::row_major;

} // namespace detail

template <detail::xtensor_expression E>
struct view_traits<E> {
    template <class F>
    static decltype(auto) apply(const E& e, F&& f) {
        const std::vector<std::int64_t> sizes(e.shape().begin(), e.shape().end());
        const extents dims(sizes);
        if constexpr (detail::xtensor_with_data<E>) {
            typename view<const float>::strides steps{};
            std::copy(e.strides().begin(), e.strides().end(), steps.begin());
            return f(view<const float>(e.data() + e.data_offset(), dims, steps));
        } else {
            tensor<float> values(dims);
            std::copy(e.template begin<detail::row_major<E>>(),
                      e.template end<detail::row_major<E>>(), values.data());
            return f(view<const float>(values));
        }
    }
};

} // namespace v0
} // namespace quantal

#endif
