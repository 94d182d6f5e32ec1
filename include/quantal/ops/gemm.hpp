// SPDX-License-Identifier: Apache-2.0
/// The matrix product in integers: `y = x * w^T` with `x [M, K]` and weights `[N, K]`.
///
///     auto y = gemm(x, prepare(w), chain(bias{b}, relu{}, requantize<a8>{scale}));
///
/// Not part of quantal.hpp; include it by name.
#ifndef QUANTAL_OPS_GEMM_HPP
#define QUANTAL_OPS_GEMM_HPP

#include <quantal/ops/bound_gemm.hpp>
#include <quantal/ops/byte_codes.hpp>
#include <quantal/ops/plain_gemm.hpp>

namespace quantal {
inline namespace v0 {
namespace detail {

/// The elements of y: bytes by the kernels, or anything by plain loops.
template <class Y>
[[nodiscard]] std::vector<Y> multiply(const any_qtensor& x, const any_prepared& w,
                                      const gemm_terms& t) {
    std::vector<Y> y(static_cast<std::size_t>(x.shape()[0] * w.columns()));
    bound_gemm product(w, x.params(), t);
    std::vector<std::uint8_t> unpacked;
    if (!are_bytes(x.spec())) unpacked = to_bytes(x);
    product.run(unpacked.empty() ? x.packed().data() : unpacked.data(), x.shape()[0], y.data());
    return y;
}

/// Whether the kernels compute this product up to its last step.
[[nodiscard]] inline bool has_kernel(const any_qtensor& x, const any_prepared& w,
                                     const gemm_terms& t) {
    return x.spec().bits <= 8 && w.packed() && t.kind != gemm_output::wide_sums &&
           !(t.kind == gemm_output::codes && t.y.spec.bits == 16);
}

[[nodiscard]] inline any_qtensor multiply_to_codes(const any_qtensor& x, const any_prepared& w,
                                                   gemm_terms t, const extents& shape) {
    if (has_kernel(x, w, t)) return from_bytes(t.y, shape, multiply<std::uint8_t>(x, w, t));
    bind_terms(t, w, x.params());
    return {t.y, shape, plain_gemm<std::int32_t>(x, w, t)};
}

template <class Y>
[[nodiscard]] tensor<Y> multiply_to_tensor(const any_qtensor& x, const any_prepared& w,
                                           gemm_terms t, const extents& shape) {
    if (has_kernel(x, w, t)) return {shape, multiply<Y>(x, w, t)};
    bind_terms(t, w, x.params());
    return {shape, plain_gemm<Y>(x, w, t)};
}

} // namespace detail

/// `y [M, N]` of codes `x [M, K]`: a `tensor<float>`, a `tensor<std::int32_t>` of `sums`, a
/// `tensor<std::int64_t>` of `wide_sums`, or codes (`qtensor<S>`, `any_qtensor`), as the chain
/// says. Throws `shape_error` if the shapes do not fit, `spec_error` if a sum may leave int32
/// (int64 sums of 16-bit activations: 2^53) or a bias does not fit.
template <class Out = reals>
[[nodiscard]] auto gemm(const any_qtensor& x, const any_prepared& w, const epilogue<Out>& e = {}) {
    if (x.shape().rank() != 2 || x.shape()[1] != w.depth())
        detail::fail<shape_error>("activations of shape ", x.shape(), " meet weights of shape ",
                                  w.codes().shape(), "; [M, K] and [N, K] are needed");
    const extents shape{x.shape()[0], w.columns()};
    detail::gemm_terms t = detail::terms_of(e);
    if constexpr (std::is_same_v<Out, reals>)
        return detail::multiply_to_tensor<float>(x, w, std::move(t), shape);
    else if constexpr (std::is_same_v<Out, sums>)
        return detail::multiply_to_tensor<std::int32_t>(x, w, std::move(t), shape);
    else if constexpr (std::is_same_v<Out, wide_sums>)
        return detail::multiply_to_tensor<std::int64_t>(x, w, std::move(t), shape);
    else
        return detail::as_output<Out>(detail::multiply_to_codes(x, w, std::move(t), shape));
}

/// The same where K is part of the program: does not compile if sums of these specs can leave
/// int32, whatever the weights.
template <std::int64_t K, qspec X, qspec W, class Out = reals>
[[nodiscard]] auto gemm(const qtensor<X>& x, const prepared<W>& w, const epilogue<Out>& e = {}) {
    static_assert(X.bits == 16 || K <= max_depth(X, W),
                  "quantal: sums of so many products of these specs can leave int32");
    if (w.depth() != K)
        detail::fail<shape_error>("weights of shape ", w.codes().shape(),
                                  " were given to a matrix product of depth ", K);
    return gemm(static_cast<const any_qtensor&>(x), w, e);
}

} // namespace v0
} // namespace quantal

#endif
