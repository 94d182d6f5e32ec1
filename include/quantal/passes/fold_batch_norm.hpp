// SPDX-License-Identifier: Apache-2.0
/// Batch norms into the convolution or linear layer before them.
#ifndef QUANTAL_PASSES_FOLD_BATCH_NORM_HPP
#define QUANTAL_PASSES_FOLD_BATCH_NORM_HPP

#include <quantal/passes/rewrite.hpp>

#include <cmath>

namespace quantal {
inline namespace v0 {
namespace passes {
namespace detail {

/// `weight * k` and `(bias - mean) * k + beta` with `k = gamma / sqrt(var + eps)` a channel, in
/// float64, rounded once. k may be negative or 0.
inline void scale_layer(graph& net, const node& layer, const node& norm, double eps) {
    const std::int64_t channels = net.parameter(layer, "weight").shape()[0];
    auto& weight = net.parameters.at(layer.name + ".weight");
    auto [bias, _] = net.parameters.try_emplace(layer.name + ".bias", extents{channels});
    const auto& gamma = net.parameter(norm, "weight");
    const auto& beta = net.parameter(norm, "bias");
    const auto& mean = net.parameter(norm, "running_mean");
    const auto& variance = net.parameter(norm, "running_var");
    for (std::int64_t channel = 0; channel < channels; ++channel) {
        const auto c = static_cast<std::size_t>(channel);
        if (!(variance[c] >= 0.0f))
            quantal::detail::fail<graph_error>("layer \"", norm.name, "\" has the variance ",
                                               variance[c], " in channel ", c,
                                               "; a variance is not negative");
        const double k = gamma[c] / std::sqrt(variance[c] + eps);
        for (float& w : weight.slice(channel))
            w = static_cast<float>(w * k);
        bias->second[c] = static_cast<float>((double{bias->second[c]} - mean[c]) * k + beta[c]);
    }
}

} // namespace detail

/// Folds every batch norm whose input is a convolution or linear layer that nothing else reads,
/// also where several follow each other. Other batch norms stay. Throws `graph_error`, naming the
/// layer, if a parameter of one that folds is missing.
[[nodiscard]] inline graph fold_batch_norm(graph net) {
    const std::vector<int> uses = net.use_counts();
    rewriter out;
    for (const node& n : net.nodes()) {
        const auto* norm = n.as<op::batch_norm>();
        const bool folds = norm && uses[n.inputs[0]] == 1 && out.now(n.inputs[0]).has_weight() &&
                           !out.now(n.inputs[0]).activation;
        if (!folds) {
            out.keep(n);
            continue;
        }
        detail::scale_layer(net, out.now(n.inputs[0]), n, norm->eps);
        for (const char* suffix : {"weight", "bias", "running_mean", "running_var"})
            net.parameters.erase(n.name + '.' + suffix);
        out.absorb(n.inputs[0], [](node& target) {
            if (auto* conv = std::get_if<op::conv2d>(&target.op)) conv->bias = true;
            if (auto* linear = std::get_if<op::linear>(&target.op)) linear->bias = true;
        });
    }
    return std::move(out).finish(std::move(net.parameters));
}

} // namespace passes
} // namespace v0
} // namespace quantal

#endif
