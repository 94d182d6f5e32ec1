// SPDX-License-Identifier: Apache-2.0
/// A matrix product by plain loops, with int64 sums: for activations of 16 bits, and for what no
/// kernel is packed for (no depth).
#ifndef QUANTAL_OPS_PLAIN_GEMM_HPP
#define QUANTAL_OPS_PLAIN_GEMM_HPP

#include <quantal/ops/gemm_terms.hpp>

namespace quantal {
inline namespace v0 {
namespace detail {

/// Codes of x less their zero point.
[[nodiscard]] inline std::vector<std::int32_t> centred_codes(const any_qtensor& x) {
    std::vector<std::int32_t> result(x.size());
    for (std::size_t i = 0; i < result.size(); ++i)
        result[i] = x.code(i) - x.params().zero_point();
    return result;
}

/// The real sum of the groups of one output, behind its activation.
[[nodiscard]] inline float real_sum(const gemm_terms& t, std::span<const std::int64_t> groups,
                                    std::size_t column) {
    float y = t.real_bias.empty() ? 0.0f : t.real_bias[column];
    for (std::size_t g = 0; g < groups.size(); ++g)
        y = arith::add_group(y, groups[g], t.multipliers[column * groups.size() + g]);
    return t.has_activation ? arith::clamp(y, t.bounds.lo, t.bounds.hi) : y;
}

/// One element of y from its sums.
template <class Y>
[[nodiscard]] Y finish_plain(const gemm_terms& t, bool grouped,
                             std::span<const std::int64_t> groups, std::size_t column) {
    const std::int64_t acc = t.bias[column] + (groups.empty() ? 0 : groups[0]);
    if constexpr (std::is_same_v<Y, float>) {
        if (grouped) return real_sum(t, groups, column);
        const float y = arith::product(static_cast<float>(acc), t.multipliers[column]);
        return t.has_activation ? arith::clamp(y, t.bounds.lo, t.bounds.hi) : y;
    } else {
        if (t.kind != gemm_output::codes) return static_cast<Y>(acc);
        if (grouped) return t.y.quantize(real_sum(t, groups, column));
        return arith::requantize(acc, t.multipliers[column], t.y.zero_point(), t.lo, t.hi);
    }
}

/// `y [M, N]` of `x [M, K]` and weights `[N, K]`.
template <class Y>
[[nodiscard]] std::vector<Y> plain_gemm(const any_qtensor& x, const any_prepared& w,
                                        const gemm_terms& t) {
    const std::vector<std::int32_t> codes = centred_codes(x);
    const auto rows = static_cast<std::size_t>(x.shape()[0]);
    const auto columns = static_cast<std::size_t>(w.columns());
    const auto depth = static_cast<std::size_t>(w.depth());
    std::vector<Y> y(rows * columns);
    std::vector<std::int32_t> weights(depth);
    std::vector<std::int64_t> groups(static_cast<std::size_t>(w.groups()));
    for (std::size_t c = 0; c < columns; ++c) {
        for (std::size_t k = 0; k < depth; ++k)
            weights[k] = w.centred(static_cast<std::int64_t>(c), static_cast<std::int64_t>(k));
        for (std::size_t row = 0; row < rows; ++row) {
            std::fill(groups.begin(), groups.end(), 0);
            for (std::size_t k = 0; k < depth; ++k)
                groups[k / static_cast<std::size_t>(w.group())] +=
                    std::int64_t{codes[row * depth + k]} * weights[k];
            y[row * columns + c] = finish_plain<Y>(t, w.is_grouped(), groups, c);
        }
    }
    return y;
}

} // namespace detail
} // namespace v0
} // namespace quantal

#endif
