// SPDX-License-Identifier: Apache-2.0
/// Cross-layer equalization: channels that one layer makes large and the next one makes small
/// again.
#ifndef QUANTAL_PASSES_EQUALIZE_HPP
#define QUANTAL_PASSES_EQUALIZE_HPP

#include <quantal/passes/rewrite.hpp>

#include <cmath>
#include <set>

namespace quantal {
inline namespace v0 {
namespace passes {

/// What `equalize` does with a bounded activation (ReLU6) between two layers, which does not scale.
enum class bounded_activations {
    keep,    ///< those two layers stay as they are
    replace, ///< it becomes ReLU, as Nagel et al. do: another network, though a similar one
};

namespace detail {

/// Two weighted layers with nothing between them but what scales channel by channel.
struct layer_pair {
    value first, second;
    std::vector<value> activations; ///< bounded ones, from `first` on
};

[[nodiscard]] inline bool scales(const node& n) {
    return n.as<op::clip>() || n.as<op::max_pool>() || n.as<op::average_pool>() ||
           n.as<op::flatten>();
}

/// The pairs of a network, in its order. Values between the two have no other reader.
[[nodiscard]] inline std::vector<layer_pair> layer_pairs(const graph& net) {
    const std::vector<int> uses = net.use_counts();
    std::vector<layer_pair> pairs;
    for (value second = 0; second < net.size(); ++second) {
        if (!net.at(second).has_weight()) continue;
        layer_pair pair{0, second, {}};
        for (value v = net.at(second).inputs[0]; uses[v] == 1; v = net.at(v).inputs[0]) {
            const node& n = net.at(v);
            if (!n.has_weight() && !scales(n)) break;
            const auto* clip = n.as<op::clip>();
            const std::optional<op::clip> activation = clip ? *clip : n.activation;
            if (activation && activation->lo != 0.0f) break;
            if (activation && std::isfinite(activation->hi)) pair.activations.push_back(v);
            if (!n.has_weight()) continue;
            pair.first = v;
            pairs.push_back(pair);
            break;
        }
    }
    return pairs;
}

/// The weights by which a layer reads the channels of its input.
class input_columns {
public:
    /// The layer reads `channels` channels, each of `pixels` values if it is linear.
    input_columns(const node& n, const tensor<float>& weight, std::size_t channels)
        : rows_(static_cast<std::size_t>(weight.shape()[0])), inner_(weight.size() / rows_) {
        const auto* conv = n.as<op::conv2d>();
        groups_ = conv ? static_cast<std::size_t>(conv->groups) : 1;
        channels_ = channels / groups_;
    }
    /// Calls `f(element)` for every weight that reads the channel.
    template <class F>
    void for_each(std::size_t channel, F&& f) const {
        const std::size_t group = channel / channels_, of_group = rows_ / groups_;
        const std::size_t each = inner_ / channels_;
        for (std::size_t row = group * of_group; row < (group + 1) * of_group; ++row)
            for (std::size_t i = 0; i < each; ++i)
                f(row * inner_ + channel % channels_ * each + i);
    }

private:
    std::size_t rows_, inner_, groups_, channels_;
};

/// Equalizes the channels between two layers; returns whether a factor was not 1.
inline bool equalize(graph& net, const layer_pair& pair) {
    const node &a = net.at(pair.first), &b = net.at(pair.second);
    tensor<float>& first = net.parameters.at(a.name + ".weight");
    tensor<float>& second = net.parameters.at(b.name + ".weight");
    const auto bias = net.parameters.find(a.name + ".bias");
    const auto channels = static_cast<std::size_t>(first.shape()[0]);
    const input_columns columns(b, second, channels);
    bool changed = false;
    for (std::size_t c = 0; c < channels; ++c) {
        float made = 0.0f, read = 0.0f;
        for (const float w : first.slice(static_cast<std::int64_t>(c)))
            made = std::max(made, std::abs(w));
        columns.for_each(c, [&](std::size_t i) { read = std::max(read, std::abs(second[i])); });
        if (!(made > 0.0f && read > 0.0f)) continue;
        const double ratio = std::log2(double{made}) - std::log2(double{read});
        const auto exponent = static_cast<int>(std::nearbyint(ratio / 2.0));
        if (exponent == 0) continue;
        changed = true;
        for (float& w : first.slice(static_cast<std::int64_t>(c)))
            w = std::ldexp(w, -exponent);
        if (bias != net.parameters.end()) bias->second[c] = std::ldexp(bias->second[c], -exponent);
        columns.for_each(c, [&](std::size_t i) { second[i] = std::ldexp(second[i], exponent); });
    }
    return changed;
}

[[nodiscard]] inline graph without_bounds(graph net, const std::set<value>& activations) {
    rewriter out;
    for (value v = 0; v < net.size(); ++v) {
        node n = net.at(v);
        if (activations.contains(v)) {
            if (auto* clip = std::get_if<op::clip>(&n.op)) *clip = {};
            if (n.activation) n.activation = op::clip{};
        }
        out.keep(std::move(n));
    }
    return std::move(out).finish(std::move(net.parameters));
}

} // namespace detail

/// Cross-layer equalization (Nagel et al., Data-free quantization through weight equalization and
/// bias correction, 2019): channel c between two layers is divided by `s = sqrt(r1 / r2)`, r1 the
/// largest weight that makes it and r2 the largest that reads it, which then are alike; pair after
/// pair until all are. ReLU, pools and flattening let the factor through. `s` is rounded to a power
/// of two, so that the network computes the same numbers as before, bit for bit (while nothing
/// leaves the range of floats). Needs folded batch norms.
[[nodiscard]] inline graph equalize(graph net,
                                    bounded_activations bounded = bounded_activations::keep) {
    std::vector<detail::layer_pair> pairs = detail::layer_pairs(net);
    if (bounded == bounded_activations::keep) {
        std::erase_if(pairs, [](const auto& pair) { return !pair.activations.empty(); });
    } else {
        std::set<value> activations;
        for (const auto& pair : pairs)
            activations.insert(pair.activations.begin(), pair.activations.end());
        net = detail::without_bounds(std::move(net), activations);
    }
    constexpr int most_rounds = 100;
    bool changed = true;
    for (int round = 0; changed && round < most_rounds; ++round) {
        changed = false;
        for (const detail::layer_pair& pair : pairs)
            changed |= detail::equalize(net, pair);
    }
    return net;
}

} // namespace passes
} // namespace v0
} // namespace quantal

#endif
