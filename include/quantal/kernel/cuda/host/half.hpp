// SPDX-License-Identifier: Apache-2.0
/// float16 (IEEE 754 binary16) and float32: in the host runner.
#ifndef QUANTAL_CUDA_HOST_HALF_HPP
#define QUANTAL_CUDA_HOST_HALF_HPP

#include <bit>
#include <cstdint>

namespace quantal {
inline namespace v0 {
namespace cuda {

/// Exact.
[[nodiscard]] inline float half_to_float(std::uint16_t half) {
    const std::uint32_t sign = (half & 0x8000u) << 16, bits = half & 0x7fffu;
    // A float's exponent has 112 more than a half's; the product makes up for it, and for
    // subnormals and infinities too.
    const float magnitude = std::bit_cast<float>(bits << 13) * 0x1p112f;
    const bool is_finite = bits < 0x7c00u;
    const std::uint32_t value =
        is_finite ? std::bit_cast<std::uint32_t>(magnitude) : 0x7f800000u | (bits & 0x3ffu) << 13;
    return std::bit_cast<float>(value | sign);
}

/// The nearest, ties to even (cvt.rn.f16.f32); a NaN stays one.
[[nodiscard]] inline std::uint16_t float_to_half(float value) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    const auto sign = static_cast<std::uint32_t>(bits >> 16 & 0x8000u);
    const auto magnitude = std::bit_cast<float>(bits & 0x7fffffffu);
    if (magnitude != magnitude) return static_cast<std::uint16_t>(sign | 0x7e00u);
    if (magnitude >= 65520.0f) return static_cast<std::uint16_t>(sign | 0x7c00u);
    // Adding 2^13 times the power of two that is no larger, at least the least normal half's,
    // rounds to a half's bits.
    const std::uint32_t exponent = std::bit_cast<std::uint32_t>(magnitude) & 0x7f800000u;
    const float least = 0x1p-14f;
    const float power =
        exponent < std::bit_cast<std::uint32_t>(least) ? least : std::bit_cast<float>(exponent);
    const float shifted = magnitude + power * 0x1p13f; // 10 bits of fraction are left
    const float rounded = shifted - power * 0x1p13f;
    return static_cast<std::uint16_t>(sign |
                                      std::bit_cast<std::uint32_t>(rounded * 0x1p-112f) >> 13);
}

} // namespace cuda
} // namespace v0
} // namespace quantal

#endif
