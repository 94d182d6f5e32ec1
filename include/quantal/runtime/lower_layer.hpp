// SPDX-License-Identifier: Apache-2.0
/// The integer form of one layer, which every backend starts from (docs/arithmetic.md, 4 to 9).
#ifndef QUANTAL_RUNTIME_LOWER_LAYER_HPP
#define QUANTAL_RUNTIME_LOWER_LAYER_HPP

#include <quantal/arith/requantize.hpp>
#include <quantal/graph/plan.hpp>
#include <quantal/ops/quantize.hpp>

#include <cstdlib>
#include <utility>
#include <vector>

namespace quantal {
inline namespace v0 {

/// Where the codes of an output are cut off, and its scale and zero point.
struct output_codes {
    float scale;
    std::int32_t zero_point, lo, hi;
};

/// The codes that node `v` may put out: the range of its spec, narrowed by its activation.
[[nodiscard]] inline output_codes lower_output(const plan& p, const table& t, value v) {
    const qparams& y = activation_params(p, t, v);
    output_codes out{y.scale(), y.zero_point(), y.spec.qmin(), y.spec.qmax()};
    if (const auto& activation = p.at(v).activation) {
        out.lo = y.quantize(activation->lo);
        out.hi = y.quantize(activation->hi);
    }
    return out;
}

/// What quantizing leaves of a convolution or linear layer.
struct layer_codes {
    any_qtensor weights;
    std::vector<std::int32_t> bias; ///< one an output channel; none where it is added to reals
};

/// A layer in integers: `acc[c] = bias[c] + sum((q_x - z_x) * (q_w - z_w))`, or such a sum for each
/// group of a channel, without bias.
struct integer_layer : layer_codes {
    /// One a sum (channel, or group of a channel): `(s_x * s_w) / s_y` where it becomes a code,
    /// `s_x * s_w` where it becomes a real, `s_w` where it does and `s_x` is known while running
    /// only.
    std::vector<float> multipliers;
    std::int32_t x_zero;
    bool has_wide_sums = false; ///< int64 instead of int32: codes of 16 bits

    /// Weight i in row-major order, less its zero point.
    [[nodiscard]] std::int32_t centred_weight(std::size_t i) const {
        const std::size_t slice = slicing_of(weights.spec(), weights.shape())(i);
        return weights.code(i) - weights.params().zero_point(slice);
    }
    /// Which sum each weight is part of: that of its channel, or of its group of the channel.
    [[nodiscard]] slicing sums() const {
        const bool grouped = weights.spec().grain == granularity::per_group;
        return slicing_of(grouped ? weights.spec() : qspec{.grain = granularity::per_channel},
                          weights.shape());
    }
    /// Codes of the input less their zero point.
    [[nodiscard]] std::vector<std::int32_t> centred(std::vector<std::int32_t> codes) const {
        for (std::int32_t& q : codes)
            q -= x_zero;
        return codes;
    }
};

namespace detail {

/// What is known of the codes of a layer's input before it runs.
struct input_codes {
    float scale = 1.0f;          ///< 1 if it is real or gets its scale while it runs
    std::int32_t zero_point = 0; ///< the same
    std::int64_t reach = 0;      ///< `max|q_x - z_x|`
    bool are_wide = false;       ///< of 16 bits
};

[[nodiscard]] inline input_codes lower_input(const plan& p, const table& t, value v) {
    const role& r = p.roles[v];
    if (!r.in_float) {
        const qparams& x = activation_params(p, t, p.at(v).inputs[0]);
        const std::int32_t zero = x.zero_point();
        return {x.scale(), zero, std::max(zero - x.spec.qmin(), x.spec.qmax() - zero),
                x.spec.bits == 16};
    }
    if (!r.dynamic) return {};
    const std::int32_t lowest_zero = r.dynamic->is_symmetric() ? 0 : r.dynamic->qmax();
    return {.reach = std::max(lowest_zero - r.dynamic->qmin(), r.dynamic->qmax()),
            .are_wide = r.dynamic->bits == 16};
}

/// Throws `graph_error` if `max|q_x - z_x| * sum|q_w - z_w| + |bias|` can reach 2^31 in a sum, or
/// 2^53 in a wide one: a double holds those too.
inline void check_accumulator(const integer_layer& layer, std::int64_t reach,
                              const std::string& name) {
    const slicing sum_of = layer.sums();
    std::vector<std::int64_t> sums(sum_of.slices);
    for (std::size_t i = 0; i < layer.weights.size(); ++i)
        sums[sum_of(i)] += std::abs(layer.centred_weight(i));
    for (std::size_t i = 0; i < sums.size(); ++i) {
        const std::int64_t bias = layer.bias.empty() ? 0 : layer.bias[i];
        const std::int64_t bound = reach * sums[i] + std::abs(bias);
        const auto channels = static_cast<std::size_t>(layer.weights.shape()[0]);
        const int limit = layer.has_wide_sums ? 53 : 31;
        if (bound >= std::int64_t{1} << limit)
            fail<graph_error>("layer \"", name, "\" can reach a sum of ", bound, " in channel ",
                              i * channels / sums.size(), "; such sums stay below 2^", limit,
                              ", so give it fewer bits or leave it in float");
    }
}

/// `m`, unless it overflowed: a sum of 0 has no product with infinity.
inline float finite_multiplier(float m, const std::string& name) {
    if (!(m <= arith::max_scale))
        fail<graph_error>("layer \"", name, "\" has scales whose multiplier overflows float32");
    return m;
}

} // namespace detail

/// Throws `graph_error` if a multiplier of node `v`, which has no weights and runs in integers,
/// overflows: of an average pool's sums the largest, that of the fewest values, or a product's.
inline void check_multiplier(const plan& p, const table& t, value v) {
    const node& n = p.at(v);
    const auto scale = [&](value x) { return activation_params(p, t, x).scale(); };
    if (const auto* pool = n.as<op::average_pool>()) {
        const std::int64_t fewest = pool->counts_padding ? pool->kernel.h * pool->kernel.w : 1;
        (void)detail::finite_multiplier(
            arith::average_multiplier(scale(n.inputs[0]), scale(v),
                                      static_cast<std::int32_t>(fewest)),
            n.name);
    }
    if (n.as<op::multiply>())
        (void)detail::finite_multiplier(
            arith::requantize_multiplier(scale(n.inputs[0]), scale(n.inputs[1]), scale(v)), n.name);
}

/// Quantizes weights and bias of node `v`. Throws `graph_error` if a bias does not fit.
[[nodiscard]] inline layer_codes quantize_layer(const plan& p, const table& t, value v) {
    const node& n = p.at(v);
    const qparams& w = weight_params(p, t, v);
    const tensor<float>& weight = p.net.parameter(n, "weight");
    layer_codes layer{quantize(weight, w), {}};
    if (p.roles[v].has_real_bias()) return layer;
    const auto* bias = p.net.find_parameter(n, "bias");
    const qparams& x = activation_params(p, t, n.inputs[0]);
    for (std::size_t c = 0; c < static_cast<std::size_t>(weight.shape()[0]); ++c) {
        const float w_scale = w.scale(w.scales.size() == 1 ? 0 : c);
        const float b = bias ? (*bias)[c] : 0.0f;
        if (!arith::bias_fits(b, x.scale(), w_scale))
            detail::fail<graph_error>("layer \"", n.name, "\" has the bias ", b, " in channel ", c,
                                      ", which does not fit the scales ", x.scale(), " and ",
                                      w_scale, " of the table");
        layer.bias.push_back(arith::bias_code(b, x.scale(), w_scale));
    }
    return layer;
}

/// Completes the codes of node `v`. Throws `graph_error` unless they are what plan and table say,
/// every sum fits and every multiplier is finite.
[[nodiscard]] inline integer_layer lower_layer(const plan& p, const table& t, value v,
                                               layer_codes codes) {
    const std::string& name = p.at(v).name;
    const role& r = p.roles[v];
    const detail::input_codes x = detail::lower_input(p, t, v);
    const qparams& w = weight_params(p, t, v);
    const extents shape = weight_shape(p, v);
    const auto channels = static_cast<std::size_t>(shape[0]);
    const std::size_t biases = r.has_real_bias() ? 0 : channels;
    if (codes.weights.shape() != shape || codes.weights.params() != w ||
        codes.bias.size() != biases)
        detail::fail<graph_error>("layer \"", name, "\" has codes of shape ", codes.weights.shape(),
                                  " and ", codes.bias.size(), " biases; it needs ", shape, " and ",
                                  biases, ", with the parameters of the table");
    integer_layer layer{std::move(codes), {}, x.zero_point, x.are_wide || w.spec.bits == 16};
    for (std::size_t i = 0; i < std::max(channels, w.scales.size()); ++i) {
        const float w_scale = w.scale(w.scales.size() == 1 ? 0 : i);
        const bool to_codes = r.output && !r.has_real_bias();
        const float m = to_codes ? arith::requantize_multiplier(x.scale, w_scale,
                                                                activation_params(p, t, v).scale())
                                 : arith::product(x.scale, w_scale);
        layer.multipliers.push_back(detail::finite_multiplier(m, name));
    }
    detail::check_accumulator(layer, x.reach, name);
    return layer;
}

} // namespace v0
} // namespace quantal

#endif
