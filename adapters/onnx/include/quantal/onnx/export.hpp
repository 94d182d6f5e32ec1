// SPDX-License-Identifier: Apache-2.0
/// Networks of float32 as ONNX models.
#ifndef QUANTAL_ONNX_EXPORT_HPP
#define QUANTAL_ONNX_EXPORT_HPP

#include <quantal/graph/weights.hpp>
#include <quantal/onnx/export_operator.hpp>

namespace quantal {
inline namespace v0 {
namespace onnx {

/// The network with its parameters in opset 13 (14 with a hard swish), for batches of any size.
/// Throws `graph_error` if a parameter is missing.
[[nodiscard]] inline ::onnx::ModelProto export_network(const graph& net) {
    model_writer to(detail::lowest_opset(net, 13));
    for (const node& n : net.nodes()) {
        std::vector<std::string> tensors;
        for (const value x : n.inputs)
            tensors.push_back(net.at(x).name);
        const auto written = detail::write_parameters(to, net, n);
        tensors.insert(tensors.end(), written.begin(), written.end());
        detail::write_node(to, n, std::move(tensors), n.name);
    }
    to.input(net.at(0).name, net.input_shape());
    to.output(net.at(net.output()).name, net.at(net.output()).shape);
    return std::move(to).finish();
}

} // namespace onnx
} // namespace v0
} // namespace quantal

#endif
