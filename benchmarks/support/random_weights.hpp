// SPDX-License-Identifier: Apache-2.0
/// Networks without a checkpoint, for what does not depend on the weights: speed.
#ifndef QUANTAL_BENCHMARKS_SUPPORT_RANDOM_WEIGHTS_HPP
#define QUANTAL_BENCHMARKS_SUPPORT_RANDOM_WEIGHTS_HPP

#include <quantal/graph/weights.hpp>

#include <cmath>
#include <random>

namespace benchmarks {

[[nodiscard]] inline quantal::tensor<float> normal(std::mt19937_64& g,
                                                   const quantal::extents& shape, float deviation) {
    std::normal_distribution<float> distribution(0.0f, deviation);
    quantal::tensor<float> t(shape);
    for (float& x : t.values())
        x = distribution(g);
    return t;
}

/// Weights of the deviation sqrt(2 / inputs of a sum) (He et al., 2015), which keeps activations
/// near 1; batch norms that change nothing; no bias.
inline void randomize(quantal::graph& net, std::mt19937_64& g) {
    for (const auto& [name, shape] : parameter_shapes(net)) {
        const bool is_weight = shape.rank() > 1;
        const bool is_one = name.ends_with(".weight") || name.ends_with("running_var");
        quantal::tensor<float> values(shape);
        if (is_weight)
            values = normal(g, shape,
                            std::sqrt(2.0f / static_cast<float>(shape.without_front().count())));
        else if (is_one)
            std::fill(values.values().begin(), values.values().end(), 1.0f);
        net.parameters.insert_or_assign(name, std::move(values));
    }
}

} // namespace benchmarks

#endif
