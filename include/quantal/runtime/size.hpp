// SPDX-License-Identifier: Apache-2.0
/// How large the parameters of a network are.
#ifndef QUANTAL_RUNTIME_SIZE_HPP
#define QUANTAL_RUNTIME_SIZE_HPP

#include <quantal/graph/weights.hpp>
#include <quantal/runtime/integer_network.hpp>

namespace quantal {
inline namespace v0 {

/// Bytes of all parameters of a network.
struct weight_size {
    std::size_t packed = 0;  ///< packed codes, scales, zero points, int32 biases, float parameters
    std::size_t float32 = 0; ///< the same network with nothing but float32
};

/// What the parameters of `n` take: weights as a dense stream of bits, 4 bytes a scale and a bias,
/// 4 bytes a zero point where they can differ from 0; beside 4 bytes a parameter in float32.
[[nodiscard]] inline weight_size weight_bytes(const integer_network& n) {
    weight_size size;
    for (const auto& [v, layer] : n.layers()) {
        const qparams& p = layer.weights.params();
        const std::size_t numbers = p.scales.size() + layer.bias.size() +
                                    (p.spec.is_symmetric() ? 0 : p.zero_points.size());
        size.packed += layer.weights.packed().size() + 4 * numbers;
    }
    for (const auto& [name, values] : n.plan().net.parameters)
        size.packed += 4 * values.size();
    for (const auto& [name, shape] : parameter_shapes(n.plan().net))
        size.float32 += 4 * shape.count();
    return size;
}

} // namespace v0
} // namespace quantal

#endif
