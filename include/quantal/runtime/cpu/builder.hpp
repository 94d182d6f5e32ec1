// SPDX-License-Identifier: Apache-2.0
/// A network of steps while it is made: which slot holds which value.
#ifndef QUANTAL_RUNTIME_CPU_BUILDER_HPP
#define QUANTAL_RUNTIME_CPU_BUILDER_HPP

#include <quantal/kernel/cpu/prepare_conv.hpp>
#include <quantal/kernel/reference/function.hpp>
#include <quantal/runtime/cpu/step.hpp>
#include <quantal/runtime/integer_network.hpp>

#include <map>
#include <set>

namespace quantal {
inline namespace v0 {
namespace cpu {

/// A value's scale and its codes as bytes, `q - qmin`.
struct value_codes {
    float scale;
    byte_codes bytes;
};

/// Weighted nodes that were packed for one network already, their own output as their result: the
/// network that stores every value and the one that does not share them.
using prepared_layers = std::map<value, std::shared_ptr<const conv_layer>>;

/// Slots and steps so far, and what steps of integers and of reals have in common. Every value has
/// a slot for its codes or for its real values, and one for both where a layer in float reads
/// codes.
class builder {
public:
    /// Convolutions of `left_for_add` become part of the add that reads them. What is packed is
    /// taken from `prepared`, or added to it; for about `batch` images at a time.
    builder(const integer_network& n, const kernel_set& kernels, std::set<value> left_for_add,
            prepared_layers& prepared, std::int64_t batch)
        : source_(n), kernels_(kernels), left_for_add_(std::move(left_for_add)),
          prepared_(prepared), batch_(batch) {
        add_slot(plan().net.input_shape(), sizeof(float));             // images_slot
        add_slot(plan().at(plan().net.output()).shape, sizeof(float)); // output_slot
    }

    [[nodiscard]] const integer_network& source() const { return source_; }
    [[nodiscard]] const quantal::plan& plan() const { return source_.plan(); }
    [[nodiscard]] const array_kernels& arrays() const { return kernels_.arrays; }
    [[nodiscard]] const network& net() const { return net_; }
    [[nodiscard]] image_shape shape(value v) const { return plan().at(v).shape; }
    [[nodiscard]] bool is_left_for_add(value v) const { return left_for_add_.contains(v); }

    /// The codes of value `v`: all that its spec has.
    [[nodiscard]] value_codes codes(value v) const {
        const qparams& p = params(v);
        const std::int32_t qmin = p.spec.qmin();
        return {p.scale(), {p.zero_point() - qmin, 0, p.spec.qmax() - qmin}};
    }
    /// Those that its node puts out, with its activation.
    [[nodiscard]] value_codes output_codes(value v) const {
        const std::int32_t qmin = params(v).spec.qmin();
        const auto y = lower_output(plan(), source_.table(), v);
        return {y.scale, {y.zero_point - qmin, y.lo - qmin, y.hi - qmin}};
    }

    [[nodiscard]] slot_index code_slot(value v) const { return code_slots_.at(v); }
    /// The real values of `v`; where it has only codes, a step dequantizes them.
    [[nodiscard]] slot_index real_slot(value v) {
        if (!real_slots_.contains(v)) dequantize(v);
        return real_slots_.at(v);
    }
    /// A new slot: a byte a code, or an int32 where they are wider. Real values that the codes were
    /// made from are nobody else's input.
    slot_index add_codes(value v) {
        const bool wide = params(v).spec.bits > 8;
        real_slots_.erase(v);
        code_slots_[v] = add_slot(shape(v), wide ? sizeof(std::int32_t) : sizeof(std::uint8_t));
        return code_slots_[v];
    }
    slot_index add_reals(value v) { return real_slots_[v] = add_slot(shape(v), sizeof(float)); }

    /// Appends a step, the last one of node `v` so far.
    void add(value v, step s) {
        if (!net_.steps.empty() && net_.steps.back().completes == v)
            net_.steps.back().completes = {};
        s.completes = v;
        append(v, std::move(s));
    }
    /// The activation of `v` on its real values.
    void activate(value v) {
        const auto& a = plan().at(v).activation;
        if (!a) return;
        const slot_index x = real_slot(v);
        const auto clamp = [a = *a, f = arrays().clamp_reals](const float* from, std::size_t count,
                                                              float* to) {
            f(from, count, a.lo, a.hi, to);
        };
        add(v, elements_step<float, float>("activation", net_, x, clamp, x));
    }
    /// From the real values of `v` to its codes.
    void quantize(value v) {
        const slot_index x = real_slot(v);
        const slot_index y = add_codes(v);
        const auto f = [c = codes(v), f = arrays().quantize](const float* from, std::size_t count,
                                                             std::uint8_t* to) {
            f(from, count, c.scale, c.bytes, to);
        };
        add(v, elements_step<std::uint8_t, float>("quantize", net_, y, f, x));
    }

    /// The alphas of a function by channel.
    [[nodiscard]] std::vector<float> alphas(value v, const op::function& o) const {
        const auto* parameter = plan().net.find_parameter(plan().at(v), "weight");
        return reference::alphas_of(o, parameter ? parameter->values() : std::span<const float>());
    }
    /// The weighted node `v`, its sums finished by `rule`.
    [[nodiscard]] std::shared_ptr<const conv_layer> prepare(value v,
                                                            const finish_rule& rule) const {
        if (rule.kind == output_kind::added_codes) return pack(v, rule);
        auto& layer = prepared_[v];
        if (!layer) layer = pack(v, rule);
        return layer;
    }
    /// A linear layer is a convolution of one pixel.
    [[nodiscard]] static op::conv2d as_convolution(const op::any& o) {
        if (const auto* linear = std::get_if<op::linear>(&o))
            return {.out_channels = linear->out_features};
        return std::get<op::conv2d>(o);
    }

    /// The last value, as reals and channels first; then the network is complete.
    [[nodiscard]] network finish() && {
        const value v = plan().net.output();
        const slot_index x = real_slot(v);
        append(v, planes_step<float>("output", net_, x, output_slot));
        return std::move(net_);
    }

private:
    [[nodiscard]] std::shared_ptr<const conv_layer> pack(value v, const finish_rule& rule) const {
        const node& n = plan().at(v);
        const integer_layer& layer = source_.layer(v);
        const image_shape x = shape(n.inputs[0]);
        const value_codes from = codes(n.inputs[0]);
        std::vector<std::int16_t> weights(layer.weights.size());
        for (std::size_t i = 0; i < weights.size(); ++i)
            weights[i] = static_cast<std::int16_t>(layer.centred_weight(i));
        return prepare_conv({.shape = {as_convolution(n.op), x.channels, {x.height, x.width}},
                             .u_max = from.bytes.hi,
                             .zero_point = from.bytes.zero_point,
                             .weights = weights,
                             .bias = layer.bias,
                             .multipliers = layer.multipliers,
                             .rule = rule,
                             .batch = batch_},
                            kernels_);
    }
    [[nodiscard]] const qparams& params(value v) const {
        return activation_params(plan(), source_.table(), v);
    }
    slot_index add_slot(const image_shape& s, std::size_t element_bytes) {
        net_.slots.push_back({s, element_bytes});
        return net_.slots.size() - 1;
    }
    void append(value v, step s) {
        s.layer = plan().at(v).name;
        net_.steps.push_back(std::move(s));
    }
    void dequantize(value v) {
        const slot_index x = code_slot(v);
        const slot_index y = add_reals(v);
        const value_codes c = codes(v);
        if (net_.slots[x].element_bytes > 1) {
            const auto wide = [=](const std::int32_t* q, std::size_t count, float* to) {
                for (std::size_t i = 0; i < count; ++i)
                    to[i] = arith::dequantize(q[i], c.scale, c.bytes.zero_point);
            };
            return append(v, elements_step<float, std::int32_t>("dequantize", net_, y, wide, x));
        }
        const auto bytes = [=, f = arrays().dequantize](const std::uint8_t* q, std::size_t count,
                                                        float* to) {
            f(q, count, c.scale, c.bytes.zero_point, to);
        };
        append(v, elements_step<float, std::uint8_t>("dequantize", net_, y, bytes, x));
    }

    const integer_network& source_;
    const kernel_set& kernels_;
    std::set<value> left_for_add_;
    prepared_layers& prepared_;
    std::int64_t batch_;
    network net_;
    std::map<value, slot_index> code_slots_, real_slots_;
};

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
