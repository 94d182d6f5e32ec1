// SPDX-License-Identifier: Apache-2.0
/// What a matrix product does to its sums, in numbers: weights and an epilogue meet the parameters
/// of the activations (docs/arithmetic.md, 4 to 9 and 13).
#ifndef QUANTAL_OPS_GEMM_TERMS_HPP
#define QUANTAL_OPS_GEMM_TERMS_HPP

#include <quantal/ops/prepared.hpp>

namespace quantal {
inline namespace v0 {
namespace detail {

/// What is put out.
enum class gemm_output : std::uint8_t { sums, wide_sums, reals, codes };

struct gemm_terms {
    gemm_output kind = gemm_output::reals;
    bool has_activation = false;
    clip bounds{};
    qparams y{};                    ///< of codes
    std::int32_t lo = 0, hi = 0;    ///< codes of y, narrowed by the activation
    std::vector<float> real_bias;   ///< [columns], or none
    std::vector<std::int32_t> bias; ///< [columns]; zeros for grouped weights
    std::vector<float> multipliers; ///< [columns][groups]
};

template <class Out>
[[nodiscard]] gemm_terms terms_of(const epilogue<Out>& e) {
    gemm_terms t;
    t.has_activation = e.has_activation;
    t.bounds = e.bounds;
    t.real_bias.assign(e.bias.begin(), e.bias.end());
    if constexpr (std::is_same_v<Out, sums>) t.kind = gemm_output::sums;
    if constexpr (std::is_same_v<Out, wide_sums>) t.kind = gemm_output::wide_sums;
    if constexpr (requires { e.out.params; }) {
        t.kind = gemm_output::codes;
        t.y = e.out.params;
    }
    return t;
}
template <qspec S>
[[nodiscard]] gemm_terms terms_of(const epilogue<requantize<S>>& e) {
    const qparams y{S, {e.out.scale}, {e.out.zero_point}};
    return terms_of(epilogue<requantize_to>{e.bias, e.has_activation, e.bounds, {y}});
}

/// Codes as the type that an output names: `qtensor<S>` of `requantize<S>`.
template <class Out>
struct output_codes_of {
    using type = any_qtensor;
};
template <qspec S>
struct output_codes_of<requantize<S>> {
    using type = qtensor<S>;
};
template <class Out>
[[nodiscard]] auto as_output(any_qtensor codes) {
    return typename output_codes_of<Out>::type(std::move(codes));
}

/// The codes that the output may have.
inline void set_codes(gemm_terms& t) {
    if (t.y.spec.grain != per_tensor)
        fail<spec_error>("the output of a matrix product cannot have the spec \"", t.y.spec,
                         "\"; it has one scale");
    check(t.y, {1}, "the output of a matrix product");
    t.lo = t.has_activation ? t.y.quantize(t.bounds.lo) : t.y.spec.qmin();
    t.hi = t.has_activation ? t.y.quantize(t.bounds.hi) : t.y.spec.qmax();
}

/// The bias of one channel as a code, which has to fit.
[[nodiscard]] inline std::int32_t bias_code(float b, float x_scale, float w_scale,
                                            std::size_t channel) {
    if (!arith::bias_fits(b, x_scale, w_scale))
        fail<spec_error>("the bias ", b, " of channel ", channel, " does not fit the scales ",
                         x_scale, " and ", w_scale, " of a matrix product");
    return arith::bias_code(b, x_scale, w_scale);
}

/// Throws `spec_error` if a sum can reach 2^31, or 2^53 where x has 16 bits.
inline void check_sums(const gemm_terms& t, const any_prepared& w, const qparams& x) {
    const std::int32_t zero = x.zero_point();
    const std::int64_t reach = std::max(zero - x.spec.qmin(), x.spec.qmax() - zero);
    const int limit = x.spec.bits == 16 ? 53 : 31;
    for (std::int64_t c = 0; c < w.columns(); ++c)
        for (std::int64_t g = 0; g < w.groups(); ++g) {
            const std::int64_t bound = reach * w.sum(c, g).magnitude +
                                       std::abs(std::int64_t{t.bias[static_cast<std::size_t>(c)]});
            if (bound >= std::int64_t{1} << limit)
                fail<spec_error>("a matrix product can reach a sum of ", bound, " in channel ", c,
                                 "; such sums stay below 2^", limit,
                                 ", so give x or the weights fewer bits or less depth");
        }
}

/// Throws unless such sums can be put out.
inline void check_output(const gemm_terms& t, const any_prepared& w, const qparams& x) {
    const bool integers = t.kind == gemm_output::sums || t.kind == gemm_output::wide_sums;
    if (integers && w.is_grouped())
        fail<spec_error>("weights of \"", w.codes().spec(),
                         "\" have no integer sum of a whole row to put out");
    if (integers && t.has_activation)
        fail<spec_error>("integer sums were asked for behind an activation; it takes reals or "
                         "codes");
    if (t.kind == gemm_output::sums && x.spec.bits == 16)
        fail<spec_error>("sums of \"", x.spec, "\" were asked for as int32; take wide_sums");
}

/// Completes the terms for activations of parameters `x`. Throws `spec_error` or `shape_error`.
inline void bind_terms(gemm_terms& t, const any_prepared& w, const qparams& x) {
    if (x.spec.grain != per_tensor)
        fail<spec_error>("activations of \"", x.spec,
                         "\" were given to a matrix product; it takes one scale a tensor");
    check(x, {1}, "the activations of a matrix product");
    check_output(t, w, x);
    if (t.kind == gemm_output::codes) set_codes(t);
    const auto columns = static_cast<std::size_t>(w.columns());
    if (!t.real_bias.empty() && t.real_bias.size() != columns)
        fail<shape_error>("a matrix product of ", columns, " channels was given ",
                          t.real_bias.size(), " biases");
    t.bias.assign(columns, 0);
    for (std::size_t c = 0; c < columns; ++c)
        for (std::int64_t g = 0; g < w.groups(); ++g) {
            const float w_scale =
                w.codes().params().scale(w.slice(static_cast<std::int64_t>(c), g));
            const bool to_codes = t.kind == gemm_output::codes && !w.is_grouped();
            const float m = to_codes ? arith::requantize_multiplier(x.scale(), w_scale, t.y.scale())
                                     : arith::product(x.scale(), w_scale);
            if (!(m <= arith::max_scale))
                fail<spec_error>("channel ", c,
                                 " of a matrix product has scales whose multiplier "
                                 "overflows float32");
            t.multipliers.push_back(m);
            if (!w.is_grouped() && !t.real_bias.empty())
                t.bias[c] = bias_code(t.real_bias[c], x.scale(), w_scale, c);
        }
    check_sums(t, w, x);
}

} // namespace detail
} // namespace v0
} // namespace quantal

#endif
