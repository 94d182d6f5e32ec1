// SPDX-License-Identifier: Apache-2.0
/// A network with quantizers: which values are codes, which layers have integer weights.
#ifndef QUANTAL_GRAPH_PLAN_HPP
#define QUANTAL_GRAPH_PLAN_HPP

#include <quantal/graph/graph.hpp>
#include <quantal/spec/text.hpp>
#include <quantal/tensor/qparams.hpp>

#include <optional>

namespace quantal {
inline namespace v0 {

/// What placement decided for one node.
struct role {
    /// Takes and gives reals: inputs that are codes are dequantized first.
    bool in_float = false;
    /// The codes of its weights, if they are integers; always, if it takes codes.
    std::optional<qspec> weights{};
    /// In float with integer weights: the codes to which it brings its own input while it runs,
    /// image by image. None: it multiplies reals by its weights.
    std::optional<qspec> dynamic{};
    /// The codes of its output, if it has a quantizer of its own (a "quantizer point").
    std::optional<qspec> output{};
    /// The node whose quantizer made the codes of its output: itself, or for operators that move
    /// codes the source of their input; none if the output is real.
    std::optional<value> source{};

    [[nodiscard]] bool has_codes() const { return source.has_value(); }
    /// Whether its weights are integers and its bias, in float32, is added to reals: where a
    /// channel has several scales or the input's scale is not known beforehand.
    [[nodiscard]] bool has_real_bias() const {
        return weights && (in_float || weights->grain == granularity::per_group);
    }
};

/// Whose quantizer made the codes of node `v`, by its role's other members: its own, or that of its
/// input if it moves codes; none if its output is real. The roles before `v` are complete.
[[nodiscard]] inline std::optional<value> source_of(const node& n, const std::vector<role>& roles,
                                                    value v) {
    if (roles[v].output) return v;
    if (roles[v].in_float || n.computes() || n.inputs.empty()) return std::nullopt;
    return roles[n.inputs[0]].source;
}

/// A network and a role for each node.
struct plan {
    graph net;
    std::vector<role> roles;

    [[nodiscard]] const node& at(value v) const { return net.at(v); }
    /// The quantizer points, in the order of computing.
    [[nodiscard]] std::vector<value> points() const {
        std::vector<value> result;
        for (value v = 0; v < roles.size(); ++v)
            if (roles[v].output) result.push_back(v);
        return result;
    }
};

/// The outcome of calibration, by node name: all that turns a plan into integers.
struct table {
    std::map<std::string, qparams> activations; ///< of each quantizer point
    std::map<std::string, qparams> weights;     ///< of each integer layer
    std::vector<std::string> notes;             ///< what was degenerate, raised or skipped

    friend bool operator==(const table&, const table&) = default;
};

namespace detail {

inline const qparams& find_params(const std::map<std::string, qparams>& all, const node& n,
                                  qspec spec, const extents& shape, const char* what) {
    const auto found = all.find(n.name);
    if (found == all.end())
        fail<graph_error>("the calibration table has no ", what, " of layer \"", n.name, '"');
    if (found->second.spec != spec)
        fail<graph_error>("the calibration table has ", what, " \"", found->second.spec,
                          "\" of layer \"", n.name, "\", the plan needs \"", spec, '"');
    check(found->second, shape, "the calibration table: " + n.name);
    return found->second;
}

} // namespace detail

/// The parameters of the codes that node `v` puts out; throws `graph_error` if the table does not
/// fit the plan.
[[nodiscard]] inline const qparams& activation_params(const plan& p, const table& t, value v) {
    const value source = p.roles.at(v).source.value();
    const node& n = p.at(source);
    return detail::find_params(t.activations, n, *p.roles[source].output, n.shape, "activations");
}

/// The shape of the weights of node `v`, which has some.
[[nodiscard]] inline extents weight_shape(const plan& p, value v) {
    const node& n = p.at(v);
    return parameter_shapes(n.op, p.at(n.inputs[0]).shape).front().second;
}

/// Operations of the plain algorithm at node `v`, on one image: with weights its products and sums,
/// otherwise an operation an element of its output.
[[nodiscard]] inline std::int64_t operations_of(const plan& p, value v) {
    const extents& shape = p.at(v).shape;
    const auto elements = static_cast<std::int64_t>(shape.count());
    if (!p.at(v).has_weight()) return elements;
    return 2 * static_cast<std::int64_t>(weight_shape(p, v).count()) * (elements / shape[0]);
}

/// The parameters of the weights of node `v`; throws `graph_error` if the table does not fit.
[[nodiscard]] inline const qparams& weight_params(const plan& p, const table& t, value v) {
    return detail::find_params(t.weights, p.at(v), p.roles.at(v).weights.value(),
                               weight_shape(p, v), "weights");
}

} // namespace v0
} // namespace quantal

#endif
