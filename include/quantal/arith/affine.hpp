// SPDX-License-Identifier: Apache-2.0
/// Real numbers to codes and back: `real = scale * (q - zero_point)` (docs/arithmetic.md, 1 to 3).
#ifndef QUANTAL_ARITH_AFFINE_HPP
#define QUANTAL_ARITH_AFFINE_HPP

#include <quantal/arith/rounding.hpp>

namespace quantal {
inline namespace v0 {
namespace arith {

/// The smallest scale, 2^-63: the product of two scales stays a normal float32.
inline constexpr float min_scale = 0x1p-63f;
/// The largest scale, the largest float32.
inline constexpr float max_scale = 0x1.fffffep127f;

/// `clamp(x / scale, lo - zero_point, hi - zero_point)` with a true division, as ONNX
/// QuantizeLinear: what is rounded to a code less its zero point. Infinities clamp; NaN gives 0.
/// `lo` and `hi` are codes.
[[nodiscard]] QUANTAL_HD constexpr float steps(float x, float scale, std::int32_t zero_point,
                                               std::int32_t lo, std::int32_t hi) {
    const float ratio = x / scale;
    const float defined = ratio == ratio ? ratio : 0.0f;
    const auto first = static_cast<float>(lo - zero_point);
    const auto last = static_cast<float>(hi - zero_point);
    return clamp(defined, first, last);
}

/// `clamp(rne(x / scale) + zero_point, lo, hi)`.
[[nodiscard]] QUANTAL_HD constexpr std::int32_t
quantize(float x, float scale, std::int32_t zero_point, std::int32_t lo, std::int32_t hi) {
    return round_half_even(steps(x, scale, zero_point, lo, hi)) + zero_point;
}

/// `float(q - zero_point) * scale`, rounded once.
[[nodiscard]] QUANTAL_HD constexpr float dequantize(std::int32_t q, float scale,
                                                    std::int32_t zero_point) {
    return product(static_cast<float>(q - zero_point), scale);
}

/// `amax / qmax`, at least `min_scale`: the scale of a symmetric spec.
[[nodiscard]] QUANTAL_HD constexpr float symmetric_scale(float amax, std::int32_t qmax) {
    const float scale = amax / static_cast<float>(qmax);
    return scale > min_scale ? scale : min_scale;
}

/// `(hi - lo) / (qmax - qmin)`, at least `min_scale`: the scale of an affine spec. The range must
/// hold 0 and be finite; it is divided before the subtraction where hi - lo would overflow. One
/// step over such a range (1 bit) takes `max_scale`.
[[nodiscard]] QUANTAL_HD constexpr float affine_scale(float lo, float hi, std::int32_t qmin,
                                                      std::int32_t qmax) {
    const auto steps = static_cast<float>(qmax - qmin);
    const float width = hi - lo;
    const float scale = width <= max_scale ? width / steps : hi / steps - lo / steps;
    return clamp(scale, min_scale, max_scale);
}

/// The smallest power of two that is at least `scale`, but at most 2^127.
[[nodiscard]] QUANTAL_HD constexpr float power_of_two_scale(float scale) {
    float power = min_scale;
    while (power < scale && power < 0x1p127f)
        power *= 2.0f;
    return power;
}

/// `clamp(rne(qmin - lo / scale), qmin, qmax)`: the code of real 0 in an affine spec.
[[nodiscard]] QUANTAL_HD constexpr std::int32_t
affine_zero_point(float lo, float scale, std::int32_t qmin, std::int32_t qmax) {
    const float unrounded = static_cast<float>(qmin) - lo / scale;
    return round_clamped(unrounded, static_cast<float>(qmin), static_cast<float>(qmax));
}

/// `rounded(value * (1 - alpha)) + rounded(next * alpha)`: one update of a moving average. `alpha`
/// is the weight of the new value.
[[nodiscard]] QUANTAL_HD constexpr float moving_average(float value, float next, float alpha) {
    return product(value, 1.0f - alpha) + product(next, alpha);
}

} // namespace arith
} // namespace v0
} // namespace quantal

#endif
