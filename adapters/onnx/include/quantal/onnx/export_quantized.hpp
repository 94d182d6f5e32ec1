// SPDX-License-Identifier: Apache-2.0
/// Networks in integers as ONNX models with QuantizeLinear and DequantizeLinear ("QDQ"): whoever
/// fuses these into integer operators computes what docs/arithmetic.md says.
#ifndef QUANTAL_ONNX_EXPORT_QUANTIZED_HPP
#define QUANTAL_ONNX_EXPORT_QUANTIZED_HPP

#include <quantal/onnx/export_operator.hpp>
#include <quantal/runtime/integer_network.hpp>

namespace quantal {
inline namespace v0 {
namespace onnx {

/// Which operators a model may use: from opset 21 on there are codes of 4 and 16 bits and scales of
/// groups; before it, fewer bits are codes of 8 bits, which a Clip keeps in their range. A network
/// with a hard swish has opset 14 in place of 13.
enum class qdq_opset : std::int64_t { v13 = 13, v21 = 21 };

/// Biases as int32 codes of the scale `s_x * s_w`, or as the reals that these stand for.
enum class bias_form { codes, reals };

struct export_options {
    qdq_opset opset = qdq_opset::v13;
    bias_form biases = bias_form::codes; ///< TensorRT takes reals only
};

namespace detail {

/// Writes one network, node by node.
class quantized_exporter {
public:
    quantized_exporter(const integer_network& n, const export_options& o)
        : network_(n), plan_(n.plan()), is_new_(o.opset == qdq_opset::v21), biases_(o.biases),
          to_(lowest_opset(plan_.net, static_cast<std::int64_t>(o.opset))),
          tensors_(plan_.net.size()) {}

    [[nodiscard]] ::onnx::ModelProto run() && {
        const value last = plan_.net.output();
        for (value v = 0; v <= last; ++v)
            write(v);
        to_.input(plan_.at(0).name, plan_.net.input_shape());
        to_.output(tensors_[last], plan_.at(last).shape);
        return std::move(to_).finish();
    }

private:
    void write(value v) {
        const node& n = plan_.at(v);
        const role& r = plan_.roles[v];
        tensors_[v] = n.name;
        if (!n.inputs.empty()) {
            std::vector<std::string> tensors;
            for (const value x : n.inputs)
                tensors.push_back(tensors_[x]);
            const auto parameters =
                r.weights ? integer_parameters(v) : write_parameters(to_, plan_.net, n);
            tensors.insert(tensors.end(), parameters.begin(), parameters.end());
            write_node(to_, n, std::move(tensors), n.name);
        }
        if (r.has_codes()) tensors_[v] = through_codes(v);
    }

    /// Weights as codes that are dequantized, and the bias, which is codes where it is integers.
    [[nodiscard]] std::vector<std::string> integer_parameters(value v) {
        const node& n = plan_.at(v);
        const role& r = plan_.roles[v];
        if (r.dynamic)
            refuse(n, "gets the codes of its input image by image; ONNX has one scale a batch");
        const integer_layer& layer = network_.layer(v);
        std::vector<std::string> names{weights(n, layer.weights)};
        if (!r.has_real_bias())
            names.push_back(bias(v, layer));
        else if (const auto* b = plan_.net.find_parameter(n, "bias"))
            names.push_back(to_.reals(n.name + ".bias", *b));
        return names;
    }

    [[nodiscard]] std::string weights(const node& n, const any_qtensor& w) {
        const qparams& p = w.params();
        const element type = type_for(n, p.spec, true);
        std::string name = n.name + ".weight";
        const bool grouped = p.spec.grain == per_group;
        if (grouped && !is_new_)
            refuse(n, "has scales of groups of weights, which ONNX has from opset 21 on");
        const extents scales = scale_shape(p.spec, w.shape());
        const auto repeat = [&](const auto& list) {
            std::remove_cvref_t<decltype(list)> result;
            const std::size_t places = scales.count() / list.size();
            for (const auto& number : list)
                result.insert(result.end(), places, number);
            return result;
        };
        const std::vector<float> s = repeat(p.scales);
        const std::vector<std::int32_t> z = repeat(p.zero_points);
        const tensor<std::int32_t> codes = w.codes();
        auto node = to_.node("DequantizeLinear",
                             {to_.codes(name + ".codes", type, w.shape(), codes.values()),
                              to_.reals(name + ".scale", {scales, s}),
                              to_.codes(name + ".zero_point", type, scales, z)},
                             name);
        if (p.spec.grain != per_tensor)
            node.set("axis", std::int64_t{grouped && w.shape().rank() > 1});
        if (grouped) node.set("block_size", std::int64_t{p.spec.group_size});
        return name;
    }
    /// One scale, one a channel, or one a group at each place of the kernel.
    [[nodiscard]] static extents scale_shape(qspec spec, const extents& weights) {
        if (spec.grain == per_tensor) return {};
        if (spec.grain == per_channel) return {weights[0]};
        const auto groups = static_cast<std::int64_t>(slicing_of(spec, weights).groups);
        int_list shape(weights.begin(), weights.end());
        shape[weights.rank() > 1 ? 1 : 0] = groups;
        return extents(shape);
    }

    /// int32 codes of the scale `s_x * s_w`, dequantized here or by the model.
    [[nodiscard]] std::string bias(value v, const integer_layer& layer) {
        std::string name = plan_.at(v).name + ".bias";
        const float x = params(plan_.at(v).inputs[0]).scale();
        std::vector<float> scales;
        for (const float w : layer.weights.params().scales)
            scales.push_back(arith::product(x, w));
        const bool one = scales.size() == 1;
        const extents shape{std::ssize(layer.bias)};
        if (biases_ == bias_form::reals) {
            tensor<float> reals(shape);
            for (std::size_t c = 0; c < reals.size(); ++c)
                reals[c] = arith::dequantize(layer.bias[c], scales[one ? 0 : c], 0);
            return to_.reals(name, reals);
        }
        auto node = to_.node("DequantizeLinear",
                             {to_.codes(name + ".codes", element::i32, shape, layer.bias),
                              to_.reals(name + ".scale", {one ? extents{} : shape, scales})},
                             name);
        if (!one) node.set("axis", std::int64_t{0});
        return name;
    }

    /// Quantizes the tensor of value `v` and dequantizes it again; returns what that makes.
    [[nodiscard]] std::string through_codes(value v) {
        const node& n = plan_.at(v);
        const qparams& p = params(v);
        const element type = type_for(n, p.spec, false);
        const std::string source = plan_.at(*plan_.roles[v].source).name + ".output";
        const auto code = [&](const char* suffix, std::int32_t q) {
            return to_.codes(source + suffix, type, {}, std::span(&q, 1));
        };
        const std::string scale = to_.real(source + ".scale", p.scale());
        const std::string zero = code(".zero_point", p.zero_point());
        std::string codes = n.name + "/codes";
        to_.node("QuantizeLinear", {n.name, scale, zero}, codes);
        const auto [lowest, highest] = range_of(type);
        if (p.spec.qmin() != lowest || p.spec.qmax() != highest) {
            to_.node("Clip",
                     {codes, code(".lowest", p.spec.qmin()), code(".highest", p.spec.qmax())},
                     n.name + "/clipped");
            codes = n.name + "/clipped";
        }
        to_.node("DequantizeLinear", {codes, scale, zero}, n.name + "/real");
        return n.name + "/real";
    }

    struct code_range {
        std::int32_t lowest, highest;
    };
    [[nodiscard]] static code_range range_of(element type) {
        const auto& info = info_of(type);
        if (!info.is_signed) return {0, (1 << info.bits) - 1};
        return {-(1 << (info.bits - 1)), (1 << (info.bits - 1)) - 1};
    }
    /// The narrowest type that holds the codes. There is a Clip of 8 bits and more only.
    [[nodiscard]] element type_for(const node& n, qspec spec, bool is_weight) const {
        const bool narrow = is_new_ && spec.bits <= 4 &&
                            (is_weight || (spec.bits == 4 && spec.kind != scheme::symmetric));
        if (narrow) return spec.is_signed() ? element::i4 : element::u4;
        if (spec.bits <= 8) return spec.is_signed() ? element::i8 : element::u8;
        if (!is_new_) refuse(n, "has codes of 16 bits, which ONNX has from opset 21 on");
        return spec.is_signed() ? element::i16 : element::u16;
    }

    [[nodiscard]] const qparams& params(value v) const {
        return activation_params(plan_, network_.table(), v);
    }
    [[noreturn]] static void refuse(const node& n, const char* why) {
        quantal::detail::fail<graph_error>("layer \"", n.name, "\" ", why);
    }

    const integer_network& network_;
    const plan& plan_;
    bool is_new_;
    bias_form biases_;
    model_writer to_;
    std::vector<std::string> tensors_; ///< by value, what its readers read
};

} // namespace detail

/// The network for batches of any size. Throws `graph_error`, naming the layer, for what these
/// operators cannot say: dynamic inputs, and before opset 21 groups and 16 bits.
[[nodiscard]] inline ::onnx::ModelProto export_network(const integer_network& n,
                                                       const export_options& o = {}) {
    return detail::quantized_exporter(n, o).run();
}

} // namespace onnx
} // namespace v0
} // namespace quantal

#endif
