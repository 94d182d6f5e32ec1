// SPDX-License-Identifier: Apache-2.0
/// Placing quantizers so that a network can run in integers from its input to its last layer.
#ifndef QUANTAL_PASSES_PLACE_HPP
#define QUANTAL_PASSES_PLACE_HPP

#include <quantal/graph/check_plan.hpp>
#include <quantal/passes/fuse_activation.hpp>

#include <string_view>

namespace quantal {
inline namespace v0 {

/// Layers that differ from the rest, by a pattern of their names (`*` any letters, `?` one letter).
struct layer_rule {
    std::string pattern;
    std::optional<qspec> weights{};
    std::optional<qspec> activations{}; ///< of the layer's output
    // At most one of these; a later rule with weights brings a layer in float back to integers.
    bool in_float = false;
    bool weights_only = false;      ///< integer weights, its input stays real
    std::optional<qspec> dynamic{}; ///< its input gets codes while it runs, image by image
};

/// How to quantize a network. Later rules win over earlier ones.
struct quantization {
    qspec weights = w8;
    qspec activations = a8;
    std::vector<layer_rule> layers{};
};

/// Reads `float`, `weights only`, `dynamic` and a spec of activations (as in `dynamic a8`), `wN
/// ...` (weights), `aN ...` (activations) or a whole spec (weights).
[[nodiscard]] inline layer_rule parse_rule(std::string pattern, std::string_view spec) {
    layer_rule rule{.pattern = std::move(pattern)};
    constexpr std::string_view dynamic = "dynamic ";
    if (spec == "float")
        rule.in_float = true;
    else if (spec == "weights only")
        rule.weights_only = true;
    else if (spec.starts_with(dynamic))
        rule.dynamic = parse_spec(spec.substr(dynamic.size()));
    else if (spec.starts_with('a'))
        rule.activations = parse_spec(spec);
    else
        rule.weights = parse_spec(spec);
    return rule;
}

namespace passes {
namespace detail {

/// Whether `name` matches a pattern of letters, `*` and `?`.
[[nodiscard]] constexpr bool matches(std::string_view pattern, std::string_view name) {
    if (pattern.empty()) return name.empty();
    if (pattern.front() == '*')
        return matches(pattern.substr(1), name) ||
               (!name.empty() && matches(pattern, name.substr(1)));
    return !name.empty() && (pattern.front() == '?' || pattern.front() == name.front()) &&
           matches(pattern.substr(1), name.substr(1));
}

inline void check_quantization(const quantization& q) {
    check_weight_spec(q.weights);
    check_activation_spec(q.activations);
    for (const layer_rule& rule : q.layers) {
        if (rule.weights) check_weight_spec(*rule.weights);
        if (rule.activations) check_activation_spec(*rule.activations);
        if (rule.dynamic) check_activation_spec(*rule.dynamic);
        if (rule.in_float + rule.weights_only + rule.dynamic.has_value() > 1)
            quantal::detail::fail<spec_error>("the rule for layers \"", rule.pattern,
                                              "\" says two of float, weights only and dynamic");
    }
}

/// What the rules say of one node.
struct decision {
    qspec weights, activations;
    bool in_float = false;
    bool integer_weights = true;
    std::optional<qspec> dynamic{};
};

[[nodiscard]] inline decision decide(const quantization& q, const node& n,
                                     std::vector<bool>& used) {
    decision d{q.weights, q.activations};
    for (std::size_t i = 0; i < q.layers.size(); ++i) {
        const layer_rule& rule = q.layers[i];
        if (!matches(rule.pattern, n.name)) continue;
        if (rule.weights && n.has_weight()) d.weights = *rule.weights;
        if (rule.activations) d.activations = *rule.activations;
        if (rule.in_float || rule.weights_only || rule.dynamic) {
            d.in_float = true;
            d.integer_weights = !rule.in_float;
            d.dynamic = rule.dynamic;
        } else if (rule.weights && !d.integer_weights) {
            d.in_float = false;
            d.integer_weights = true;
        }
        const bool of_weights = rule.weights || rule.weights_only || rule.dynamic;
        used[i] = used[i] || !of_weights || n.has_weight();
    }
    return d;
}

/// Which values somebody wants as codes: the inputs of integer operators. A weighted layer is one
/// unless a rule leaves its input real; another operator only if its own output is wanted as codes.
/// The output of the network is wanted as codes unless a weighted layer makes it, which gives real
/// sums.
[[nodiscard]] inline std::vector<bool> wanted_as_codes(const graph& net,
                                                       const std::vector<decision>& decisions) {
    std::vector<bool> wanted(net.size(), false);
    wanted[net.output()] = !net.at(net.output()).has_weight();
    for (value v = net.size(); v-- > 0;) {
        const node& n = net.at(v);
        const bool takes_codes = !decisions[v].in_float && (n.has_weight() || wanted[v]);
        for (const value x : n.inputs)
            if (takes_codes) wanted[x] = true;
    }
    return wanted;
}

} // namespace detail

/// Gives every node its role. A quantizer stands behind the input and behind each operator that
/// computes (convolution, linear, add, average pool), after its activation; operators that move or
/// choose codes (max pool, flatten, shortcut, clip) keep those of their input; the last weighted
/// layer puts out real sums. Throws `spec_error` for specs that a network cannot have, and
/// `graph_error` for a rule that no layer matches or a batch norm that was not folded.
[[nodiscard]] inline plan place(graph net, const quantization& q = {}) {
    using quantal::detail::fail;
    detail::check_quantization(q);
    std::vector<bool> used(q.layers.size(), false);
    std::vector<detail::decision> decisions;
    for (const node& n : net.nodes()) {
        decisions.push_back(detail::decide(q, n, used));
        if (n.as<op::batch_norm>() && !decisions.back().in_float)
            fail<graph_error>("layer \"", n.name,
                              "\" is a batch norm that was not folded into a "
                              "layer; run passes::optimize first, or leave it in float");
    }
    for (std::size_t i = 0; i < used.size(); ++i)
        if (!used[i])
            fail<graph_error>("the rule for layers \"", q.layers[i].pattern,
                              "\" concerns no layer of the network");
    const std::vector<bool> wanted = detail::wanted_as_codes(net, decisions);
    std::vector<role> roles(net.size());
    for (value v = 0; v < net.size(); ++v) {
        const node& n = net.at(v);
        role& r = roles[v];
        const bool in_integers = !decisions[v].in_float && (n.has_weight() || wanted[v]);
        const bool is_input = n.inputs.empty();
        const bool moves_codes = in_integers && !is_input && !n.computes();
        r.in_float = !is_input && !in_integers;
        if (n.has_weight() && decisions[v].integer_weights) {
            r.weights = decisions[v].weights;
            r.dynamic = decisions[v].dynamic;
        }
        if (wanted[v] && !moves_codes) r.output = decisions[v].activations;
        r.source = source_of(n, roles, v);
    }
    return {std::move(net), std::move(roles)};
}

} // namespace passes

using passes::place;

} // namespace v0
} // namespace quantal

#endif
