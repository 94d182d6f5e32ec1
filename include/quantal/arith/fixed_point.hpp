// SPDX-License-Identifier: Apache-2.0
/// Requantizing without floats: an integer multiplier, a shift and one rounding
/// (docs/arithmetic.md, 15). Multipliers are made from float32 ones once, when a network is
/// lowered.
#ifndef QUANTAL_ARITH_FIXED_POINT_HPP
#define QUANTAL_ARITH_FIXED_POINT_HPP

#include <quantal/arith/requantize.hpp>

namespace quantal {
inline namespace v0 {
namespace arith {

/// `significand * 2^-shift`.
struct fixed_multiplier {
    std::int32_t significand; ///< 31 bits, the highest of them set unless `shift` is 63
    int shift;                ///< 0 to 63

    friend constexpr bool operator==(const fixed_multiplier&, const fixed_multiplier&) = default;
};

/// `m > 0` as an integer and a shift, exactly for m in [2^-33, 2^31): a float32 has 24 bits. Below,
/// every int32 has a product that rounds to 0 either way; above, one that no code reaches.
[[nodiscard]] QUANTAL_HD constexpr fixed_multiplier fixed_point(float m) {
    int shift = 30;
    for (; m < 1.0f && shift < 63; ++shift)
        m *= 2.0f;
    for (; m >= 2.0f && shift > 0; --shift)
        m *= 0.5f;
    if (m >= 2.0f) return {0x7fffffff, 0};
    return {static_cast<std::int32_t>(m * 0x1p30f), shift};
}

/// `rne(v * 2^-shift)`, shift 0 to 63: one rounding of an exact value.
[[nodiscard]] QUANTAL_HD constexpr std::int64_t shift_half_even(std::int64_t v, int shift) {
    if (shift == 0) return v;
    const std::int64_t floor = v >> shift;
    const std::uint64_t rest = static_cast<std::uint64_t>(v) & ((std::uint64_t{1} << shift) - 1);
    const std::uint64_t half = std::uint64_t{1} << (shift - 1);
    const bool up = rest > half || (rest == half && (floor & 1) == 1);
    return floor + (up ? 1 : 0);
}

/// `clamp(rne(acc * m) + z_y, lo, hi)`, the product exact.
[[nodiscard]] QUANTAL_HD constexpr std::int32_t requantize(std::int32_t acc, fixed_multiplier m,
                                                           std::int32_t y_zero, std::int32_t lo,
                                                           std::int32_t hi) {
    const std::int64_t scaled = shift_half_even(std::int64_t{acc} * m.significand, m.shift);
    return static_cast<std::int32_t>(clamp<std::int64_t>(scaled, lo - y_zero, hi - y_zero)) +
           y_zero;
}

/// The sums of 16-bit codes have no product in 64 bits.
std::int32_t requantize(std::int64_t, fixed_multiplier, std::int32_t, std::int32_t,
                        std::int32_t) = delete;

/// The multipliers of a residual add, with one shift.
struct fixed_addition {
    std::int32_t a, b;
    int shift;
};

/// `s_a / s_y` and `s_b / s_y`; the larger is exact, the smaller is rounded to its last bit.
[[nodiscard]] QUANTAL_HD constexpr fixed_addition fixed_add(float a_scale, float b_scale,
                                                            float y_scale) {
    const fixed_multiplier a = fixed_point(a_scale / y_scale);
    const fixed_multiplier b = fixed_point(b_scale / y_scale);
    const int shift = a.shift < b.shift ? a.shift : b.shift;
    return {static_cast<std::int32_t>(shift_half_even(a.significand, a.shift - shift)),
            static_cast<std::int32_t>(shift_half_even(b.significand, b.shift - shift)), shift};
}

/// `clamp(rne((a * m.a + b * m.b) * 2^-m.shift) + z_y, lo, hi)`; a and b are codes less their zero
/// points.
[[nodiscard]] QUANTAL_HD constexpr std::int32_t residual_add(std::int32_t a, std::int32_t b,
                                                             fixed_addition m, std::int32_t y_zero,
                                                             std::int32_t lo, std::int32_t hi) {
    const std::int64_t sum = std::int64_t{a} * m.a + std::int64_t{b} * m.b;
    const std::int64_t scaled = shift_half_even(sum, m.shift);
    return static_cast<std::int32_t>(clamp<std::int64_t>(scaled, lo - y_zero, hi - y_zero)) +
           y_zero;
}

} // namespace arith
} // namespace v0
} // namespace quantal

#endif
