// SPDX-License-Identifier: Apache-2.0
/// What brings integer sums back to codes, as a policy: multipliers in float32 or in fixed point.
#ifndef QUANTAL_ARITH_REQUANTIZER_HPP
#define QUANTAL_ARITH_REQUANTIZER_HPP

#include <quantal/arith/fixed_point.hpp>

#include <concepts>

namespace quantal {
inline namespace v0 {
namespace arith {

/// The scales of a residual add, in float32.
struct float_addition {
    float a, b, y;
};

/// As above, with codes less their zero points.
[[nodiscard]] QUANTAL_HD constexpr std::int32_t residual_add(std::int32_t a, std::int32_t b,
                                                             float_addition scales,
                                                             std::int32_t y_zero, std::int32_t lo,
                                                             std::int32_t hi) {
    return residual_add({a, scales.a, 0}, {b, scales.b, 0}, scales.y, y_zero, lo, hi);
}

} // namespace arith

/// `multiplier(m)` prepares a float32 multiplier for `arith::requantize`, `addition(s_a, s_b, s_y)`
/// the scales of a residual add for `arith::residual_add`.
template <class R>
concept requantizer = requires(float scale, std::int32_t code) {
    {
        arith::requantize(code, R::multiplier(scale), code, code, code)
        } -> std::same_as<std::int32_t>;
    {
        arith::residual_add(code, code, R::addition(scale, scale, scale), code, code, code)
        } -> std::same_as<std::int32_t>;
};

/// Whether sums of that type become codes by it.
template <class R, class Sum>
concept requantizes = requires(Sum sum, decltype(R::multiplier(0.0f)) m) {
    arith::requantize(sum, m, 0, 0, 0);
};

namespace requantizers {

/// The formulas of docs/arithmetic.md, 6 to 8.
struct in_float {
    [[nodiscard]] QUANTAL_HD static constexpr float multiplier(float m) { return m; }
    [[nodiscard]] QUANTAL_HD static constexpr arith::float_addition addition(float a, float b,
                                                                             float y) {
        return {a, b, y};
    }
};

/// The formulas of docs/arithmetic.md, 15: integers only.
struct in_fixed_point {
    [[nodiscard]] QUANTAL_HD static constexpr arith::fixed_multiplier multiplier(float m) {
        return arith::fixed_point(m);
    }
    [[nodiscard]] QUANTAL_HD static constexpr arith::fixed_addition addition(float a, float b,
                                                                             float y) {
        return arith::fixed_add(a, b, y);
    }
};

static_assert(requantizer<in_float> && requantizer<in_fixed_point>);

} // namespace requantizers
} // namespace v0
} // namespace quantal

#endif
