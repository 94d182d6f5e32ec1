// SPDX-License-Identifier: Apache-2.0
/// Whether a plan can run: what placement grants, checked for plans from elsewhere.
#ifndef QUANTAL_GRAPH_CHECK_PLAN_HPP
#define QUANTAL_GRAPH_CHECK_PLAN_HPP

#include <quantal/graph/plan.hpp>

#include <cstdint>
#include <limits>

namespace quantal {
inline namespace v0 {

/// Throws `spec_error` unless the weights of a network can have the spec.
inline void check_weight_spec(qspec s) {
    check(s);
    if (s.grain == granularity::per_channel && s.axis != 0)
        detail::fail<spec_error>("weights of the spec \"", s,
                                 "\"; in a network their channels are axis 0");
}

/// Throws `spec_error` unless the values of a network can have the spec.
inline void check_activation_spec(qspec s) {
    check(s);
    if (s.grain != granularity::per_tensor)
        detail::fail<spec_error>("activations of the spec \"", s,
                                 "\"; in a network they have one scale a tensor");
}

namespace detail {

/// Checks the nodes of a plan one after the other; every message names the layer.
class plan_checker {
public:
    explicit plan_checker(const plan& p) : plan_(p) {
        if (p.roles.size() != p.net.size() || p.net.size() == 0)
            fail<graph_error>("a plan has ", p.roles.size(), " roles for ", p.net.size(),
                              " layers; each of them has one, and there is at least one");
    }

    void check_node(value v) {
        node_ = &plan_.at(v);
        role_ = &plan_.roles[v];
        check_values();
        if (role_->weights) check_weight_spec(*role_->weights);
        if (role_->output) check_activation_spec(*role_->output);
        if (role_->dynamic) check_activation_spec(*role_->dynamic);
        const bool is_input = node_->inputs.empty();
        const bool needs_codes = node_->has_weight() && !role_->in_float;
        const bool has_codes = role_->weights.has_value();
        if ((has_codes && !node_->has_weight()) || (needs_codes && !has_codes) ||
            (role_->dynamic && !(has_codes && role_->in_float)) || (is_input && role_->in_float))
            refuse("has a role that does not fit; layers in integers have codes of weights if they "
                   "have weights, those with a dynamic input have both and are in float, and an "
                   "input is not in float");
        const bool moves_codes = !is_input && !role_->in_float && !node_->computes();
        if (!is_input && !role_->in_float) check_integers(moves_codes);
        if (role_->source != source_of(*node_, plan_.roles, v))
            refuse("does not say which quantizer made its codes");
    }

private:
    template <class... Parts>
    [[noreturn]] void refuse(const Parts&... parts) const {
        fail<graph_error>("layer \"", node_->name, "\" ", parts...);
    }

    /// A program holds all values of an image at a time.
    void check_values() {
        constexpr std::size_t most = std::size_t{1} << 30;
        const std::size_t count = node_->shape.count();
        const int rank = node_->shape.rank();
        if (count == 0 || (rank != 1 && rank != 3))
            refuse("has the shape ", node_->shape,
                   "; it is features or channels, height and width, and none of them is 0");
        if (count > most - values_)
            refuse("has the shape ", node_->shape, "; the values of all layers are at most ", most,
                   " an image");
        values_ += count;
        const auto& a = node_->activation;
        if (a && !node_->computes()) refuse("moves values and has an activation");
        if (a && !a->is_valid())
            refuse("has the activation [", a->lo, ", ", a->hi, "]; it holds 0 and more");
    }

    void check_integers(bool moves_codes) const {
        if (node_->as<op::batch_norm>()) refuse("is a batch norm, which runs in float only");
        for (const value x : node_->inputs)
            if (!plan_.roles[x].has_codes())
                refuse("computes in integers, but its input \"", plan_.at(x).name,
                       "\" has no codes");
        if (moves_codes && role_->output) refuse("moves codes and has a quantizer of its own");
        if (!moves_codes && !node_->has_weight() && !role_->output)
            refuse("computes in integers and has no quantizer");
        if (const auto* pool = node_->as<op::average_pool>()) check_average(*pool);
    }

    void check_average(const op::average_pool& o) const {
        const value source = *plan_.roles[node_->inputs[0]].source;
        const qspec x = *plan_.roles[source].output;
        const auto steps = std::int64_t{x.qmax()} - x.qmin();
        constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max();
        if (o.kernel.h > most / steps / o.kernel.w)
            refuse("averages ", o.kernel.h, " x ", o.kernel.w, " codes of \"", x,
                   "\"; their sums stay below 2^31");
    }

    const plan& plan_;
    const node* node_ = nullptr;
    const role* role_ = nullptr;
    std::size_t values_ = 0;
};

} // namespace detail

/// Throws `graph_error` or `spec_error`, naming the layer, unless every role fits its operator and
/// its neighbours, as `place` makes them.
inline void check(const plan& p) {
    detail::plan_checker checker(p);
    for (value v = 0; v < p.net.size(); ++v)
        checker.check_node(v);
}

} // namespace v0
} // namespace quantal

#endif
