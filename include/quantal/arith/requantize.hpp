// SPDX-License-Identifier: Apache-2.0
/// From integer sums back to codes (docs/arithmetic.md, 4 to 9). Arguments `lo` and `hi` are the
/// codes of the output's clamp: the range of its spec, narrowed by a fused activation.
#ifndef QUANTAL_ARITH_REQUANTIZE_HPP
#define QUANTAL_ARITH_REQUANTIZE_HPP

#include <quantal/arith/affine.hpp>

namespace quantal {
inline namespace v0 {
namespace arith {

/// The largest magnitude of a bias code; it leaves half of the int32 range to the products.
inline constexpr std::int32_t max_bias = 1 << 30;

/// `rne(b / (s_x * s_w))` in float32 before rounding to an integer; may be far outside int32.
[[nodiscard]] QUANTAL_HD constexpr float bias_ratio(float bias, float x_scale, float w_scale) {
    return bias / product(x_scale, w_scale);
}

/// Whether the bias code of these scales lies in [-max_bias, max_bias].
[[nodiscard]] QUANTAL_HD constexpr bool bias_fits(float bias, float x_scale, float w_scale) {
    const float ratio = bias_ratio(bias, x_scale, w_scale);
    return ratio >= -static_cast<float>(max_bias) && ratio <= static_cast<float>(max_bias);
}

/// `rne(b / (s_x * s_w))` as int32. Requires `bias_fits`.
[[nodiscard]] QUANTAL_HD constexpr std::int32_t bias_code(float bias, float x_scale,
                                                          float w_scale) {
    const float ratio = bias_ratio(bias, x_scale, w_scale);
    const bool whole = ratio >= 0x1p22f || ratio <= -0x1p22f;
    if (!whole) return round_half_even(ratio);
    const auto floor = static_cast<std::int32_t>(ratio); // at most one bit of fraction is left
    const float rest = ratio - static_cast<float>(floor);
    if (rest == 0.5f) return floor + (floor & 1);
    if (rest == -0.5f) return floor - (floor & 1);
    return floor;
}

/// `m = (s_x * s_w) / s_y` in float32 in this order.
[[nodiscard]] QUANTAL_HD constexpr float requantize_multiplier(float x_scale, float w_scale,
                                                               float y_scale) {
    return product(x_scale, w_scale) / y_scale;
}

/// `clamp(rne(float(acc) * m) + z_y, lo, hi)`: two roundings to float32, then one to an integer.
/// `acc` is an int32, or the int64 of 16-bit codes.
template <class Sum>
[[nodiscard]] QUANTAL_HD constexpr std::int32_t
requantize(Sum acc, float multiplier, std::int32_t y_zero, std::int32_t lo, std::int32_t hi) {
    const float scaled = product(static_cast<float>(acc), multiplier);
    const auto first = static_cast<float>(lo - y_zero);
    const auto last = static_cast<float>(hi - y_zero);
    return round_clamped(scaled, first, last) + y_zero;
}

/// One operand of a residual add: `rounded(float(q - zero_point) * scale)`.
struct addend {
    std::int32_t q;
    float scale;
    std::int32_t zero_point;
};

/// `clamp(rne((rounded(float(qa - za) * sa) + rounded(float(qb - zb) * sb)) / s_y) + z_y, lo, hi)`.
[[nodiscard]] QUANTAL_HD constexpr std::int32_t residual_add(addend a, addend b, float y_scale,
                                                             std::int32_t y_zero, std::int32_t lo,
                                                             std::int32_t hi) {
    const float sum =
        dequantize(a.q, a.scale, a.zero_point) + dequantize(b.q, b.scale, b.zero_point);
    return quantize(sum, y_scale, y_zero, lo, hi);
}

/// `s_x / (s_y * n)`: the multiplier of an average over `n` codes; apply it with `requantize` to
/// the int32 sum of `q - z_x`.
[[nodiscard]] QUANTAL_HD constexpr float average_multiplier(float x_scale, float y_scale,
                                                            std::int32_t n) {
    return x_scale / product(y_scale, static_cast<float>(n));
}

/// `float(acc) * (s_x * s_w)`: the real value of a sum, for the last layer.
[[nodiscard]] QUANTAL_HD constexpr float accumulator_value(std::int32_t acc, float x_scale,
                                                           float w_scale) {
    return product(static_cast<float>(acc), product(x_scale, w_scale));
}

/// `sum + rounded(float(acc) * scale)`: the integer sum of one group joins those before it, `scale`
/// is `s_x * s_w`.
template <class Sum>
[[nodiscard]] QUANTAL_HD constexpr float add_group(float sum, Sum acc, float scale) {
    return sum + product(static_cast<float>(acc), scale);
}

} // namespace arith
} // namespace v0
} // namespace quantal

#endif
