// SPDX-License-Identifier: Apache-2.0
/// The 16-bit floats of checkpoints: IEEE binary16 and bfloat16.
#ifndef QUANTAL_IO_HALF_HPP
#define QUANTAL_IO_HALF_HPP

#include <bit>
#include <cstdint>

namespace quantal {
inline namespace v0 {
namespace io {

/// The float32 of a binary16 (1 sign, 5 exponent, 10 fraction bits); exact, NaNs stay NaN.
[[nodiscard]] constexpr float from_float16(std::uint16_t half) {
    const std::uint32_t sign = (half & 0x8000u) << 16;
    const std::uint32_t exponent = (half >> 10) & 0x1fu;
    const std::uint32_t fraction = half & 0x3ffu;
    if (exponent == 0) {
        const float magnitude = static_cast<float>(fraction) * 0x1p-24f; // zero and subnormals
        return sign ? -magnitude : magnitude;
    }
    const std::uint32_t wide = exponent == 31 ? 255 : exponent + 112;
    return std::bit_cast<float>(sign | wide << 23 | fraction << 13);
}

/// The binary16 nearest to `x`, ties to even; beyond 65519 infinity, NaN stays NaN.
[[nodiscard]] constexpr std::uint16_t to_float16(float x) {
    const auto bits = std::bit_cast<std::uint32_t>(x);
    const std::uint32_t sign = bits >> 16 & 0x8000u;
    const std::uint32_t magnitude = bits & 0x7fffffffu;
    if (magnitude > 0x7f800000u) return static_cast<std::uint16_t>(sign | 0x7e00u);
    if (magnitude >= 0x47800000u) return static_cast<std::uint16_t>(sign | 0x7c00u);
    if (magnitude < 0x38800000u) { // below 2^-14: steps of 2^-24, rounded by an exact addition
        const float shifted = std::bit_cast<float>(magnitude) + 0.5f;
        return static_cast<std::uint16_t>(sign |
                                          (std::bit_cast<std::uint32_t>(shifted) - 0x3f000000u));
    }
    const std::uint32_t even = magnitude >> 13 & 1u;
    return static_cast<std::uint16_t>(sign | (magnitude - 0x38000000u + 0xfffu + even) >> 13);
}

/// The float32 of a bfloat16, the upper half of its bits; exact.
[[nodiscard]] constexpr float from_bfloat16(std::uint16_t half) {
    return std::bit_cast<float>(std::uint32_t{half} << 16);
}

} // namespace io
} // namespace v0
} // namespace quantal

#endif
