// SPDX-License-Identifier: Apache-2.0
/// Reading quantized ONNX models: QuantizeLinear and DequantizeLinear around floating operators, to
/// networks in integers with the same codes.
#ifndef QUANTAL_ONNX_IMPORT_QUANTIZED_HPP
#define QUANTAL_ONNX_IMPORT_QUANTIZED_HPP

#include <quantal/onnx/import.hpp>
#include <quantal/passes/fuse_activation.hpp>
#include <quantal/runtime/integer_network.hpp>

namespace quantal {
inline namespace v0 {
namespace onnx {

/// A network in integers, and what of the model it leaves out.
struct imported_quantized {
    integer_network network;
    std::vector<std::string> notes;
};

namespace detail {

/// Scales and zero points of blocks as those of groups of each output channel, in this order; none
/// where the places of a kernel differ.
[[nodiscard]] inline bool take_groups(qparams& p, const layer_origin& layer) {
    const dequantization& from = *layer.weight.origin();
    const extents& shape = layer.weight.shape();
    const auto out = static_cast<std::size_t>(shape[layer.by_input ? 1 : 0]);
    const std::int64_t in = shape[layer.by_input ? 0 : 1];
    const auto groups = static_cast<std::size_t>((in + from.block - 1) / from.block);
    const std::size_t places = from.scales.size() / (out * groups);
    p.spec.grain = per_group;
    p.spec.group_size = static_cast<int>(std::min(from.block, in));
    for (std::size_t o = 0; o < out; ++o)
        for (std::size_t g = 0; g < groups; ++g) {
            const std::size_t first = layer.by_input ? g * out + o : (o * groups + g) * places;
            for (std::size_t i = first; i < first + places; ++i)
                if (from.scales[i] != from.scales[first] ||
                    from.zero_points[i] != from.zero_points[first])
                    return false;
            p.scales.push_back(from.scales[first]);
            p.zero_points.push_back(from.zero_points[first]);
        }
    return true;
}

/// The parameters of weights by the axes of the network's own, [out, in, ...]; none where those
/// have no such scales.
[[nodiscard]] inline std::optional<qparams> weight_params_of(const layer_origin& layer) {
    const dequantization& from = *layer.weight.origin();
    const element_info& type = info_of(from.codes.type());
    if (!type.is_code() || from.codes.size() == 0) return std::nullopt;
    const int out = layer.by_input ? 1 : 0;
    const bool one = from.scales.size() == 1;
    qparams p{narrowest_spec(type.is_signed, from.codes.as_reals(), from.zero_points), {}, {}};
    if (!one && from.block != 0) {
        if (from.axis != 1 - out || !take_groups(p, layer)) return std::nullopt;
        return p;
    }
    if (!one && from.axis != out) return std::nullopt;
    if (!one) p.spec.grain = per_channel;
    p.scales = from.scales;
    p.zero_points = from.zero_points;
    return p;
}

/// The network in integers of what a model was read to.
class assembler {
public:
    explicit assembler(import_state& s) : layers_(s.layers) {
        auto parameters = std::exchange(s.net.parameters, {}); // not copied with the network
        const graph& before = s.net;
        plan_.net = passes::fuse_activation(before, [&](value v) {
            return !s.points.contains(before.at(before.at(v).inputs[0]).name);
        });
        plan_.net.parameters = std::move(parameters);
        std::set<std::string> kept;
        for (const node& n : plan_.net.nodes())
            kept.insert(n.name);
        std::vector<std::string> became;
        for (const node& n : before.nodes()) {
            became.push_back(kept.contains(n.name) ? n.name : became[n.inputs[0]]);
            if (const auto point = s.points.find(n.name); point != s.points.end())
                points_.insert_or_assign(became.back(), point->second);
        }
    }

    [[nodiscard]] integer_network run() && {
        for (value v = 0; v < plan_.net.size(); ++v) {
            plan_.roles.push_back(role_of(v));
            role& r = plan_.roles.back();
            r.source = source_of(plan_.at(v), plan_.roles, v);
            if (r.output)
                table_.activations.emplace(plan_.at(v).name, points_.at(plan_.at(v).name));
        }
        std::map<value, layer_codes> codes;
        for (value v = 0; v < plan_.net.size(); ++v)
            if (plan_.roles[v].weights) codes.emplace(v, codes_of(v));
        return {std::move(plan_), std::move(table_), std::move(codes)};
    }

private:
    [[nodiscard]] role role_of(value v) {
        const node& n = plan_.at(v);
        role r;
        const auto point = points_.find(n.name);
        if (point != points_.end()) r.output = point->second.spec;
        if (n.inputs.empty()) return r;
        const bool reads_codes = std::all_of(n.inputs.begin(), n.inputs.end(),
                                             [&](value x) { return plan_.roles[x].has_codes(); });
        if (n.has_weight()) {
            r.weights = take_weights(n);
            if (has_dynamic_input(n)) r.dynamic = a8;
            if (r.dynamic && !r.weights)
                fail<graph_error>("layer \"", n.name,
                                  "\" has a dynamic input and weights of no width or grain that "
                                  "layers have");
            r.in_float = !reads_codes || !r.weights || r.dynamic;
        } else if (n.computes()) {
            r.in_float = !reads_codes || !r.output || n.as<op::batch_norm>();
        } else {
            r.in_float = !reads_codes || !moves_codes(n);
            if (!r.in_float) r.output.reset();
        }
        return r;
    }
    /// Whether the output of an operator that moves its input's codes is codes of the same kind; a
    /// clip that nothing quantizes cuts reals, which need not be on codes.
    [[nodiscard]] bool moves_codes(const node& n) const {
        const value source = *plan_.roles[n.inputs[0]].source;
        const auto point = points_.find(n.name);
        if (point != points_.end()) return point->second == points_.at(plan_.at(source).name);
        const auto* clip = n.as<op::clip>();
        return !clip || *clip == op::clip{};
    }

    [[nodiscard]] bool has_dynamic_input(const node& n) const {
        const auto layer = layers_.find(n.name);
        return layer != layers_.end() && layer->second.has_dynamic_input;
    }
    [[nodiscard]] std::optional<qspec> take_weights(const node& n) {
        const auto layer = layers_.find(n.name);
        if (layer == layers_.end()) return std::nullopt;
        auto params = weight_params_of(layer->second);
        if (!params) return std::nullopt;
        check(*params, plan_.net.parameter(n, "weight").shape(), "the weight of \"" + n.name + '"');
        const qspec spec = params->spec;
        table_.weights.emplace(n.name, std::move(*params));
        return spec;
    }

    [[nodiscard]] layer_codes codes_of(value v) const {
        const node& n = plan_.at(v);
        const auto& origin = layers_.at(n.name);
        const qparams& w = table_.weights.at(n.name);
        if (plan_.roles[v].has_real_bias())
            return {quantize(plan_.net.parameter(n, "weight"), w), {}};
        layer_codes made = quantize_layer(plan_, table_, v);
        const auto* bias = origin.bias ? origin.bias->origin() : nullptr;
        if (bias &&
            has_bias_scales(*bias, activation_params(plan_, table_, n.inputs[0]).scale(), w))
            for (std::size_t c = 0; c < made.bias.size(); ++c)
                made.bias[c] = static_cast<std::int32_t>(bias->codes.as_integers()[c]);
        return made;
    }
    /// Whether the codes of a bias are those of sums, with the scales `s_x * s_w`.
    [[nodiscard]] static bool has_bias_scales(const dequantization& bias, float x,
                                              const qparams& w) {
        if (bias.codes.type() != element::i32 || bias.scales.size() != w.scales.size())
            return false;
        for (std::size_t i = 0; i < w.scales.size(); ++i)
            if (bias.scales[i] != arith::product(x, w.scales[i]) || bias.zero_points[i] != 0)
                return false;
        return true;
    }

    const std::map<std::string, layer_origin>& layers_;
    std::map<std::string, qparams> points_; ///< by node after fusing
    plan plan_;
    table table_;
};

} // namespace detail

/// Whether a model holds quantized values.
[[nodiscard]] inline bool is_quantized(const ::onnx::ModelProto& model) {
    return std::any_of(model.graph().node().begin(), model.graph().node().end(), [](const auto& n) {
        return n.op_type() == "QuantizeLinear" || n.op_type() == "DequantizeLinear" ||
               n.op_type() == "DynamicQuantizeLinear" || is_integer_operator(n);
    });
}

/// The network in integers of a quantized model. Layers run in integers where their input and their
/// weights are codes; others are left in float, or have integer weights only. Weights have the
/// fewest bits that hold their codes. Throws as `import_network` does, and `graph_error` for
/// networks that cannot run.
[[nodiscard]] inline imported_quantized import_quantized(const ::onnx::ModelProto& model,
                                                         const model_folder& folder = std::nullopt,
                                                         const import_options& options = {}) {
    import_state state = detail::importer(model, folder, options).run();
    std::vector<std::string> notes = std::move(state.notes);
    return {detail::assembler(state).run(), std::move(notes)};
}

/// Reads a file; its external data lie in its folder.
[[nodiscard]] inline imported_quantized read_quantized(const std::filesystem::path& file,
                                                       const import_options& options = {}) {
    return with_model(file, [&](const auto& model) {
        return import_quantized(model, file.parent_path(), options);
    });
}

} // namespace onnx
} // namespace v0
} // namespace quantal

#endif
