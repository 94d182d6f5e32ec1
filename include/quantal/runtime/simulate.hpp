// SPDX-License-Identifier: Apache-2.0
/// The float32 network with fake quantizers, which other tools call the quantized model.
#ifndef QUANTAL_RUNTIME_SIMULATE_HPP
#define QUANTAL_RUNTIME_SIMULATE_HPP

#include <quantal/runtime/integer_network.hpp>

namespace quantal {
inline namespace v0 {

/// The simulation of a calibrated plan, as a network that every backend lowers: all layers in
/// float32; weights of integer layers and every quantizer point pass through their codes; biases
/// are float32. Throws `graph_error` if the table does not fit, and for layers with a dynamic
/// input.
[[nodiscard]] inline integer_network simulated(plan p, table t) {
    for (value v = 0; v < p.net.size(); ++v) {
        role& r = p.roles[v];
        const node& n = p.at(v);
        if (r.dynamic)
            detail::fail<graph_error>("layer \"", n.name,
                                      "\" has a dynamic input, which the simulation does not have");
        if (r.weights) {
            auto codes = quantize(p.net.parameter(n, "weight"), weight_params(p, t, v));
            p.net.parameters.at(n.name + ".weight") = dequantize(codes);
        }
        r = {.in_float = !n.inputs.empty(), .output = r.output};
        r.source = source_of(n, p.roles, v);
    }
    t.weights.clear();
    return {std::move(p), std::move(t), {}};
}

} // namespace v0
} // namespace quantal

#endif
