// SPDX-License-Identifier: Apache-2.0
/// Functions of a number, for every backend: in integers they become tables of codes.
#ifndef QUANTAL_KERNEL_REFERENCE_FUNCTION_HPP
#define QUANTAL_KERNEL_REFERENCE_FUNCTION_HPP

#include <quantal/graph/op.hpp>

#include <cmath>
#include <span>
#include <vector>

namespace quantal {
inline namespace v0 {
namespace reference {

/// `f(x)` in float64, rounded once; `alpha` takes the place of the function's own. Each product of
/// two float32 is exact in float64, whether or not a compiler fuses it with the addition.
[[nodiscard]] inline float apply(const op::function& f, float alpha, float x) {
    const double v = x;
    switch (f.curve) {
    case op::curve::leaky_relu:
    case op::curve::prelu:
        return v < 0.0 ? static_cast<float>(v * alpha) : x;
    case op::curve::sigmoid:
        return static_cast<float>(1.0 / (1.0 + std::exp(-v)));
    case op::curve::hard_sigmoid:
        return static_cast<float>(std::clamp(v * alpha + f.beta, 0.0, 1.0));
    default:
        return static_cast<float>(v * (std::clamp(v + 3.0, 0.0, 6.0) / 6.0));
    }
}

/// The alphas of a function by channel: those of its parameter, or one for all.
[[nodiscard]] inline std::vector<float> alphas_of(const op::function& f,
                                                  std::span<const float> parameter) {
    if (f.curve != op::curve::prelu) return {f.alpha};
    return {parameter.begin(), parameter.end()};
}

} // namespace reference
} // namespace v0
} // namespace quantal

#endif
