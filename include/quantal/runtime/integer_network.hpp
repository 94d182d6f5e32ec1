// SPDX-License-Identifier: Apache-2.0
/// A calibrated network in integers: all that running needs, whatever the backend.
#ifndef QUANTAL_RUNTIME_INTEGER_NETWORK_HPP
#define QUANTAL_RUNTIME_INTEGER_NETWORK_HPP

#include <quantal/graph/check_plan.hpp>
#include <quantal/runtime/lower_layer.hpp>

#include <map>
#include <string>
#include <utility>

namespace quantal {
inline namespace v0 {

/// The names and shapes of the parameters that stay in float32: those of layers left in float, and
/// biases that are added to reals.
[[nodiscard]] inline std::map<std::string, extents> float_parameter_shapes(const plan& p) {
    std::map<std::string, extents> result;
    for (value v = 1; v < p.net.size(); ++v) {
        const role& r = p.roles[v];
        const node& n = p.at(v);
        for (const auto& [suffix, shape] : parameter_shapes(n.op, p.at(n.inputs[0]).shape))
            if (!r.weights || (r.has_real_bias() && suffix == "bias"))
                result.emplace(n.name + '.' + suffix, shape);
    }
    return result;
}

/// A plan with its table, the codes of its integer layers and the float parameters of its other
/// layers: what a backend lowers and what a file holds. One that exists can run: its parts fit
/// together, every sum fits into its integer and every multiplier is finite.
class integer_network {
public:
    /// Throws a `quantal::error`, naming the layer, if something is missing or does not
    /// fit. Float parameters that are not needed are dropped.
    integer_network(quantal::plan p, quantal::table t, std::map<value, layer_codes> codes)
        : plan_(std::move(p)), table_(std::move(t)) {
        check(plan_);
        keep_float_parameters();
        for (value v = 0; v < plan_.roles.size(); ++v) {
            if (plan_.roles[v].output) (void)activation_params(plan_, table_, v);
            if (!plan_.roles[v].in_float) check_multiplier(plan_, table_, v);
            if (!plan_.roles[v].weights) continue;
            const auto found = codes.find(v);
            if (found == codes.end())
                detail::fail<graph_error>("layer \"", plan_.at(v).name, "\" has no codes");
            layers_.emplace(v, lower_layer(plan_, table_, v, std::move(found->second)));
        }
    }

    [[nodiscard]] const quantal::plan& plan() const { return plan_; }
    [[nodiscard]] const quantal::table& table() const { return table_; }
    /// Node `v`, whose role has weights.
    [[nodiscard]] const integer_layer& layer(value v) const { return layers_.at(v); }
    [[nodiscard]] const std::map<value, integer_layer>& layers() const { return layers_; }

private:
    void keep_float_parameters() {
        std::map<std::string, tensor<float>> kept;
        for (const auto& [name, shape] : float_parameter_shapes(plan_)) {
            auto found = plan_.net.parameters.extract(name);
            if (found.empty())
                detail::fail<graph_error>("the network has no \"", name,
                                          "\"; load weights into it first");
            if (found.mapped().shape() != shape)
                detail::fail<graph_error>("\"", name, "\" has shape ", found.mapped().shape(),
                                          ", the network needs ", shape);
            kept.insert(std::move(found));
        }
        plan_.net.parameters = std::move(kept);
    }

    quantal::plan plan_;
    quantal::table table_;
    std::map<value, integer_layer> layers_;
};

/// Quantizes the weights and biases of a calibrated plan. Throws `graph_error` if the table does
/// not fit the plan, or a layer's sums do not fit their integers.
[[nodiscard]] inline integer_network quantize(plan p, table t) {
    std::map<value, layer_codes> codes;
    for (value v = 0; v < p.roles.size(); ++v)
        if (p.roles[v].weights) codes.emplace(v, quantize_layer(p, t, v));
    return {std::move(p), std::move(t), std::move(codes)};
}

/// A network without a quantizer, all of it in float32.
[[nodiscard]] inline integer_network all_in_float(const graph& net) {
    std::vector<role> roles(net.size(), role{.in_float = true});
    roles[0].in_float = false;
    return {{net, std::move(roles)}, {}, {}};
}

} // namespace v0
} // namespace quantal

#endif
