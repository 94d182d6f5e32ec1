// SPDX-License-Identifier: Apache-2.0
/// Quantizers whose scales are trained: what a row's parameters say of its scale and zero point,
/// and how their gradients come from the sums of `fake_quantize_gradient`. The gradient of rounding
/// is 1 (straight through).
#ifndef QUANTAL_TRAIN_LEARNED_HPP
#define QUANTAL_TRAIN_LEARNED_HPP

#include <quantal/train/fake_quantize.hpp>

#include <cmath>

namespace quantal {
inline namespace v0 {
namespace train {

/// Of one row.
struct row_params {
    float scale;
    std::int32_t zero_point;
};
/// With respect to the first parameter of a row and to the second, if it has one.
struct row_gradient {
    double first = 0.0, second = 0.0;
};

/// `parameter`; throws `data_error` if it is not finite.
[[nodiscard]] inline float finite(float parameter) {
    if (!std::isfinite(parameter))
        detail::fail<data_error>("a quantizer in training has the parameter ", parameter,
                                 "; scales, offsets and bounds are finite");
    return parameter;
}
/// The scale that a trained parameter stands for: its magnitude, at least 2^-63. So a step past 0
/// leaves a scale, and one that can still move.
[[nodiscard]] inline float magnitude(float parameter) {
    return std::max(std::abs(finite(parameter)), arith::min_scale);
}
/// Of `magnitude`.
[[nodiscard]] inline double sign(float parameter) {
    return parameter < 0.0f ? -1.0 : 1.0;
}

/// `1 / sqrt(count * qmax)`: keeps the steps of a scale in proportion to those of weights. `count`
/// elements share the scale.
[[nodiscard]] inline double gradient_scale(qspec s, std::size_t count) {
    return 1.0 / std::sqrt(static_cast<double>(count) * s.qmax());
}

/// A scale and a zero point that are given: nothing is learned.
struct straight_through {
    static row_params params(qspec, float scale, float zero_point) {
        constexpr float any_code = 65536.0f;
        return {scale,
                arith::round_half_even(arith::clamp(finite(zero_point), -any_code, any_code))};
    }
};

/// Learned step size (Esser et al. 2020): zero point 0. `dy/dscale` is `r - t` inside and `r`
/// outside, times `gradient_scale`.
struct lsq {
    static row_params params(qspec, float scale, float) { return {magnitude(scale), 0}; }
    static row_gradient gradient(qspec s, const gradient_sums& g, std::size_t count, float scale,
                                 float) {
        return {(g.rounding + g.steps) * gradient_scale(s, count) * sign(scale)};
    }
};

/// Learned step size and offset (Bhalgat et al. 2020): `y = scale * q + offset`. So that codes can
/// be run, the zero point is `clamp(rne(-offset / scale), qmin, qmax)`, through which gradients go
/// straight. `dy/dscale` is `r - t` inside and `r + zero_point` outside, `dy/doffset` 0 and 1, both
/// times `gradient_scale`.
struct lsq_plus {
    static row_params params(qspec s, float scale, float offset) {
        const float size = magnitude(scale);
        const auto lo = static_cast<float>(s.qmin()), hi = static_cast<float>(s.qmax());
        return {size, arith::round_half_even(arith::clamp(-finite(offset) / size, lo, hi))};
    }
    static row_gradient gradient(qspec s, const gradient_sums& g, std::size_t count, float scale,
                                 float offset) {
        const double zero = params(s, scale, offset).zero_point, factor = gradient_scale(s, count);
        return {(g.rounding + g.steps + zero * g.clipped) * factor * sign(scale),
                g.clipped * factor};
    }
};

/// A learned bound (Choi et al. 2018, PACT): affine codes hold [0, alpha], symmetric ones
/// [-alpha, alpha]. `dy/dalpha` is 0 inside, 1 from alpha on, and `first / last` below.
struct pact {
    static row_params params(qspec s, float alpha, float) {
        const float bound = magnitude(alpha);
        if (s.is_symmetric()) return {arith::symmetric_scale(bound, s.qmax()), 0};
        return {arith::affine_scale(0.0f, bound, s.qmin(), s.qmax()), s.qmin()};
    }
    static row_gradient gradient(qspec s, const gradient_sums& g, std::size_t, float alpha, float) {
        const int last = s.qmax() - params(s, alpha, 0.0f).zero_point;
        return {g.steps / last * sign(alpha)};
    }
};

/// The scales and zero points that a quantizer `Rule` stands for: what belongs in a table. One
/// element of `first`, and of `second` if it is not empty, is of one row. Throws `shape_error` if
/// their sizes differ, `data_error` unless they are finite.
template <class Rule>
[[nodiscard]] qparams learned_params(qspec s, std::span<const float> first,
                                     std::span<const float> second = {}) {
    if (!second.empty() && second.size() != first.size())
        detail::fail<shape_error>("a quantizer in training has ", first.size(),
                                  " first parameters and ", second.size(),
                                  " second ones; each row has one of each");
    qparams p{s, {}, {}};
    for (std::size_t row = 0; row < first.size(); ++row) {
        const row_params r = Rule::params(s, first[row], second.empty() ? 0.0f : second[row]);
        p.scales.push_back(r.scale);
        p.zero_points.push_back(r.zero_point);
    }
    return p;
}

} // namespace train
} // namespace v0
} // namespace quantal

#endif
