// SPDX-License-Identifier: Apache-2.0
/// Filling a network with parameters: every name and every shape is checked.
#ifndef QUANTAL_GRAPH_WEIGHTS_HPP
#define QUANTAL_GRAPH_WEIGHTS_HPP

#include <quantal/graph/graph.hpp>

namespace quantal {
inline namespace v0 {

/// The names and shapes of all parameters that the network needs.
[[nodiscard]] inline std::map<std::string, extents> parameter_shapes(const graph& net) {
    std::map<std::string, extents> result;
    for (const node& n : net.nodes()) {
        const extents x = n.inputs.empty() ? n.shape : net.at(n.inputs[0]).shape;
        for (const auto& [suffix, shape] : parameter_shapes(n.op, x))
            result.emplace(n.name + '.' + suffix, shape);
    }
    return result;
}

/// Puts the tensors of a checkpoint into the network. Throws `graph_error` and leaves the network
/// as it was if one is missing, has another shape, or belongs to no layer (but a batch norm's
/// num_batches_tracked, which inference does not need).
inline void load_weights(graph& net, const std::map<std::string, tensor<float>>& checkpoint) {
    const auto needed = parameter_shapes(net);
    for (const auto& [name, shape] : needed) {
        const auto found = checkpoint.find(name);
        if (found == checkpoint.end())
            detail::fail<graph_error>("the weights have no \"", name, "\" of shape ", shape,
                                      ", which the network needs");
        if (found->second.shape() != shape)
            detail::fail<graph_error>("\"", name, "\" has shape ", found->second.shape(),
                                      " in the weights, the network needs ", shape);
    }
    std::map<std::string, tensor<float>> parameters;
    for (const auto& [name, values] : checkpoint) {
        if (needed.contains(name))
            parameters.emplace(name, values);
        else if (!name.ends_with(".num_batches_tracked"))
            detail::fail<graph_error>("the weights hold \"", name, "\" of shape ", values.shape(),
                                      ", which belongs to no layer of the network");
    }
    net.parameters = std::move(parameters);
}

} // namespace v0
} // namespace quantal

#endif
