// SPDX-License-Identifier: Apache-2.0
/// How containers become views: views, quantal's tensors, and contiguous ranges without a shape
/// (one dimension: vectors, arrays, spans). Other libraries' containers specialize `view_traits`;
/// tensor/xtensor.hpp does.
#ifndef QUANTAL_TENSOR_VIEW_TRAITS_HPP
#define QUANTAL_TENSOR_VIEW_TRAITS_HPP

#include <quantal/tensor/tensor.hpp>

#include <ranges>
#include <span>

namespace quantal {
inline namespace v0 {

/// `view_traits<C>::apply(c, f)` calls `f` with a `view<const float>` of `c`, which lives as long
/// as the call, and returns what `f` returns.
template <class Container>
struct view_traits;

template <class Container>
requires std::convertible_to<const Container&, view<const float>>
struct view_traits<Container> {
    template <class F>
    static decltype(auto) apply(const Container& c, F&& f) {
        return f(static_cast<view<const float>>(c));
    }
};

template <class Container>
requires(std::ranges::contiguous_range<const Container>&&
             std::convertible_to<const Container&, std::span<const float>> &&
         !requires(const Container& c) { c.shape(); }) struct view_traits<Container> {
    template <class F>
    static decltype(auto) apply(const Container& c, F&& f) {
        const std::span<const float> values(c);
        return f(view<const float>(values.data(), {static_cast<std::int64_t>(values.size())}));
    }
};

/// Anything that quantal can read as a tensor of floats.
template <class C>
concept float_tensor = requires(const C& c) {
    view_traits<C>::apply(c, [](view<const float>) {});
};

/// One that does not become a view by itself.
template <class C>
concept foreign_tensor = float_tensor<C> && !std::convertible_to<const C&, view<const float>>;

/// A copy of its elements in row-major order: what networks take as images and parameters.
template <float_tensor Data>
[[nodiscard]] tensor<float> as_tensor(const Data& data) {
    return view_traits<Data>::apply(data, [](view<const float> values) {
        tensor<float> result(values.shape());
        values.for_each([&](float v, std::size_t i) { result[i] = v; });
        return result;
    });
}

} // namespace v0
} // namespace quantal

#endif
