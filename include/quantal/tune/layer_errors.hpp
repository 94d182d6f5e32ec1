// SPDX-License-Identifier: Apache-2.0
/// Where the errors of a quantized network come from, layer by layer.
#ifndef QUANTAL_TUNE_LAYER_ERRORS_HPP
#define QUANTAL_TUNE_LAYER_ERRORS_HPP

#include <quantal/tune/alone.hpp>

namespace quantal {
inline namespace v0 {
namespace tune {

/// The errors at one quantizer point. Ratios of powers are in decibels, infinity without noise.
struct layer_error {
    value node;
    /// All noise from the input of the network on: `sum x^2 / sum (x - y)^2` and `x y / (|x| |y|)`,
    /// x of the float network, y what the integers stand for.
    double signal_to_noise, cosine;
    /// The quantizer of this point alone, on the values of the float network: the ratio, and the
    /// share of its noise that comes from values beyond its outermost codes by more than half a
    /// step; the rest comes from rounding.
    double own_signal_to_noise, clipping_share;
    /// At the output of the network, if only the weights and the output of this node are quantized.
    double output_signal_to_noise;
};

namespace detail {

/// Sums over the values of one quantizer point.
struct point_sums {
    powers cumulative, own;
    double product = 0.0, integers = 0.0, clipped = 0.0;

    void add(float x, float y, const qparams& p) {
        const float coded = p.dequantize(p.quantize(x));
        cumulative.add(x, y);
        own.add(x, coded);
        product += double{x} * y;
        integers += double{y} * y;
        const bool beyond = std::abs(x - coded) > p.scale() / 2;
        if (beyond) clipped += (double{x} - coded) * (double{x} - coded);
    }
    [[nodiscard]] layer_error finish(value v) const {
        const double size = std::sqrt(cumulative.signal * integers);
        return {v,
                cumulative.decibels(),
                size > 0.0 ? product / size : 1.0,
                own.decibels(),
                own.noise > 0.0 ? clipped / own.noise : 0.0,
                0.0};
    }
};

} // namespace detail

/// The errors of all quantizer points on a batch of images, those that cost the output most first.
/// `real` is the float network; `p` may have other weights (`round_weights`).
[[nodiscard]] inline std::vector<layer_error> layer_errors(const graph& real, const plan& p,
                                                           const table& t,
                                                           const tensor<float>& images,
                                                           int threads = 0) {
    std::map<value, std::vector<float>> values;
    cpu::executor floats(real, threads);
    const tensor<float> exact = floats(images, [&](value v, const view<const float>& x) {
        if (p.roles[v].output) values[v].assign(x.data(), x.data() + x.shape().count());
    });
    std::vector<layer_error> errors;
    cpu::executor integers(quantize(p, t), threads);
    integers(images, [&](value v, const view<const float>& y) {
        if (!p.roles[v].output) return;
        detail::point_sums sums;
        const std::vector<float>& x = values.at(v); // both lie in the same order
        for (std::size_t i = 0; i < x.size(); ++i)
            sums.add(x[i], y.data()[i], activation_params(p, t, v));
        errors.push_back(sums.finish(v));
    });
    for (layer_error& e : errors)
        e.output_signal_to_noise =
            output_powers(alone(p, t, e.node), images, exact, threads).decibels();
    std::stable_sort(errors.begin(), errors.end(), [](const layer_error& a, const layer_error& b) {
        return a.output_signal_to_noise < b.output_signal_to_noise;
    });
    return errors;
}

} // namespace tune
} // namespace v0
} // namespace quantal

#endif
