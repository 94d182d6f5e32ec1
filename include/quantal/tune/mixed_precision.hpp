// SPDX-License-Identifier: Apache-2.0
/// A width for each layer's weights, so that a network of a given size or time loses least.
#ifndef QUANTAL_TUNE_MIXED_PRECISION_HPP
#define QUANTAL_TUNE_MIXED_PRECISION_HPP

#include <quantal/passes/place.hpp>
#include <quantal/runtime/calibrate.hpp>
#include <quantal/tune/alone.hpp>

#include <iomanip>

namespace quantal {
inline namespace v0 {
namespace tune {

/// What a layer costs at each width, in the unit of the caller's budget, and the noise that these
/// weights alone make at the output of the network.
struct layer_costs {
    struct entry {
        int width;
        double cost, noise;
    };
    std::string layer;
    std::vector<entry> widths; ///< from the widest to the narrowest
};

/// One way of giving widths to all layers.
struct mixed_widths {
    std::vector<int> widths; ///< one a layer
    double cost, noise;      ///< the sums of what each layer has alone
};

/// The size of a layer's packed weights.
struct packed_bytes {
    [[nodiscard]] double operator()(const plan& p, value v, int width) const {
        return static_cast<double>(p.net.parameter(p.at(v), "weight").size()) * width / 8.0;
    }
};

/// Measures the weights of every integer layer at these widths (descending), by the noise at the
/// output on a batch of images and by `cost(plan, node, width)`; other specs stay as the plan has
/// them.
template <observer W, class Cost = packed_bytes>
[[nodiscard]] std::vector<layer_costs>
measure_widths(const plan& p, std::span<const int> widths, const tensor<float>& images,
               const W& prototype, int threads = 0, const Cost& cost = {}) {
    const tensor<float> exact = cpu::executor(p.net, threads)(images, {});
    std::vector<layer_costs> result;
    for (value v = 0; v < p.roles.size(); ++v) {
        if (!p.roles[v].weights) continue;
        const node& n = p.at(v);
        const tensor<float>& weight = p.net.parameter(n, "weight");
        layer_costs costs{n.name, {}};
        for (const int width : widths) {
            plan q = p;
            q.roles[v].weights->bits = width;
            table t;
            t.weights.emplace(n.name, calibrate(*q.roles[v].weights, weight, prototype, n.name));
            const integer_network only = alone(std::move(q), t, v, {.output = false});
            const double noise = output_powers(only, images, exact, threads).noise;
            costs.widths.push_back({width, cost(p, v, width), noise});
        }
        result.push_back(std::move(costs));
    }
    return result;
}

/// From all layers at their widest to all at their narrowest: each step narrows the layer that adds
/// the least noise for what it saves. No choice of widths has less noise than any of these at the
/// same cost or less (as far as noises add up): they are the Pareto front's convex part. A width
/// that costs no less than a wider one is not taken.
[[nodiscard]] inline std::vector<mixed_widths>
pareto_front(const std::vector<layer_costs>& layers) {
    std::vector<std::size_t> at(layers.size());
    const auto sum = [&] {
        mixed_widths m{{}, 0.0, 0.0};
        for (std::size_t i = 0; i < layers.size(); ++i) {
            const auto& entry = layers[i].widths[at[i]];
            m.widths.push_back(entry.width);
            m.cost += entry.cost;
            m.noise += entry.noise;
        }
        return m;
    };
    std::vector<mixed_widths> front{sum()};
    for (;;) {
        double least = std::numeric_limits<double>::infinity();
        std::size_t layer = layers.size(), to = 0;
        for (std::size_t i = 0; i < layers.size(); ++i)
            for (std::size_t j = at[i] + 1; j < layers[i].widths.size(); ++j) {
                const auto &now = layers[i].widths[at[i]], &next = layers[i].widths[j];
                if (next.cost >= now.cost) continue;
                const double price = (next.noise - now.noise) / (now.cost - next.cost);
                // Of equal prices the narrower width, so that no step is taken twice.
                if (price < least || (price == least && layer == i)) {
                    least = price;
                    layer = i;
                    to = j;
                }
            }
        if (layer == layers.size()) return front;
        at[layer] = to;
        front.push_back(sum());
    }
}

/// The first choice that costs at most `budget`; throws `spec_error` if there is none.
[[nodiscard]] inline const mixed_widths& within(const std::vector<mixed_widths>& front,
                                                double budget) {
    for (const mixed_widths& m : front)
        if (m.cost <= budget) return m;
    quantal::detail::fail<spec_error>(std::setprecision(12), "the layers of the network cost ",
                                      front.back().cost, " together at their narrowest; ", budget,
                                      " were allowed");
}

/// The same quantization with these widths, layer by layer.
[[nodiscard]] inline quantization with_widths(quantization q, const plan& p,
                                              const mixed_widths& chosen) {
    std::size_t i = 0;
    for (value v = 0; v < p.roles.size(); ++v) {
        if (!p.roles[v].weights) continue;
        qspec spec = *p.roles[v].weights;
        spec.bits = chosen.widths[i++];
        q.layers.push_back({.pattern = p.at(v).name, .weights = spec});
    }
    return q;
}

} // namespace tune
} // namespace v0
} // namespace quantal

#endif
