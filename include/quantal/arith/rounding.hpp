// SPDX-License-Identifier: Apache-2.0
/// Rounding, clamping and the contraction barrier: the ground that every formula stands on.
/// Constant evaluation, host and device give the same bits.
#ifndef QUANTAL_ARITH_ROUNDING_HPP
#define QUANTAL_ARITH_ROUNDING_HPP

#include <quantal/config.hpp>

#include <cstdint>

namespace quantal {
inline namespace v0 {
namespace arith {

/// `v`, already rounded to float32. A barrier: the compiler cannot fuse the product that made `v`
/// with an addition that follows, whatever -ffp-contract says.
[[nodiscard]] QUANTAL_HD constexpr float rounded(float v) {
    if (!__builtin_is_constant_evaluated()) {
#if defined(__CUDA_ARCH__)
        v = __fmul_rn(v, 1.0f);
#elif defined(__x86_64__) || defined(__i386__)
        __asm__("" : "+x"(v));
#elif defined(__aarch64__)
        __asm__("" : "+w"(v));
#elif defined(__GNUC__)
        __asm__("" : "+m"(v));
#endif
    }
    return v;
}

/// `rounded(a * b)`: one product, one rounding, never contracted.
[[nodiscard]] QUANTAL_HD constexpr float product(float a, float b) {
#if defined(__CUDA_ARCH__)
    if (!__builtin_is_constant_evaluated()) return __fmul_rn(a, b);
#endif
    return rounded(a * b);
}

/// The smaller of `v` and `hi`, but at least `lo`. A NaN gives `lo`.
template <class T>
[[nodiscard]] QUANTAL_HD constexpr T clamp(T v, T lo, T hi) {
    return v > lo ? (v < hi ? v : hi) : lo;
}

/// 1.5 * 2^23: a float of this magnitude has no bits for a fraction.
inline constexpr float rounding_shifter = 12582912.0f;

/// The n of `rounding_shifter + n`, |n| < 2^22, from its bits.
[[nodiscard]] QUANTAL_HD constexpr std::int32_t integer_of_shifted(float shifted) {
    return __builtin_bit_cast(std::int32_t, shifted) -
           __builtin_bit_cast(std::int32_t, rounding_shifter);
}

/// The integer nearest to `x`, ties to even (IEEE 754 roundToIntegralTiesToEven). Needs
/// |x| < 2^22, which every caller grants by clamping first; assumes the default rounding mode.
[[nodiscard]] QUANTAL_HD constexpr std::int32_t round_half_even(float x) {
    // The addition itself rounds to even. The barriers keep the product that made x out of a fused
    // multiply-add, and the two steps apart.
#if defined(__CUDA_ARCH__) // a conversion takes four times as long as an addition
    if (!__builtin_is_constant_evaluated())
        return integer_of_shifted(__fadd_rn(x, rounding_shifter));
#endif
    const float shifted = rounded(rounded(x) + rounding_shifter);
    return static_cast<std::int32_t>(shifted - rounding_shifter);
}

/// `round_half_even(clamp(x, lo, hi))`; `lo` and `hi` are below 2^22.
[[nodiscard]] QUANTAL_HD constexpr std::int32_t round_clamped(float x, float lo, float hi) {
#if defined(__CUDA_ARCH__) // one instruction each; the sign of a zero may differ, which no integer
                           // has
    if (!__builtin_is_constant_evaluated()) return round_half_even(fminf(fmaxf(x, lo), hi));
#endif
    return round_half_even(clamp(x, lo, hi));
}

/// The integer nearest to `x`, ties away from zero. Needs |x| < 2^22.
[[nodiscard]] QUANTAL_HD constexpr std::int32_t round_half_away(float x) {
    x = rounded(x);
    const auto whole = static_cast<std::int32_t>(x);
    const float rest = x - static_cast<float>(whole); // exact
    if (rest >= 0.5f) return whole + 1;
    return rest <= -0.5f ? whole - 1 : whole;
}

/// `floor(x)`, plus 1 if `draw < 2^24 * (x - floor(x))`; `draw` is below 2^24. Needs |x| < 2^22.
[[nodiscard]] QUANTAL_HD constexpr std::int32_t round_by_draw(float x, std::uint32_t draw) {
    x = rounded(x);
    const auto whole = static_cast<std::int32_t>(x);
    const std::int32_t floor = whole - (static_cast<float>(whole) > x ? 1 : 0);
    const float fraction = x - static_cast<float>(floor);
    return floor + (static_cast<float>(draw) < fraction * 0x1p24f ? 1 : 0);
}

/// Number `index` of the generator SplitMix64 whose state begins with `seed`, in one step (Steele,
/// Lea, Flood: Fast splittable pseudorandom number generators, 2014).
[[nodiscard]] QUANTAL_HD constexpr std::uint64_t splitmix64(std::uint64_t seed,
                                                            std::uint64_t index) {
    std::uint64_t z = seed + (index + 1) * 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

} // namespace arith
} // namespace v0
} // namespace quantal

#endif
