// SPDX-License-Identifier: Apache-2.0
/// Networks of float32 as ONNX models.
#ifndef QUANTAL_ONNX_EXPORT_HPP
#define QUANTAL_ONNX_EXPORT_HPP

#include <quantal/graph/weights.hpp>
#include <quantal/onnx/export_operator.hpp>

namespace quantal {
inline namespace v0 {
namespace onnx {

/// The network with its parameters in opset 13, for batches of any size. Throws `graph_error` if a
/// parameter is missing.
[[nodiscard]] inline ::onnx::ModelProto export_network(const graph& net) {
    constexpr std::int64_t opset = 13;
    model_writer to(opset);
    for (const node& n : net.nodes()) {
        std::vector<std::string> tensors;
        for (const value x : n.inputs)
            tensors.push_back(net.at(x).name);
        const extents& x = n.inputs.empty() ? n.shape : net.at(n.inputs[0]).shape;
        for (const auto& [suffix, shape] : parameter_shapes(n.op, x))
            tensors.push_back(to.reals(n.name + '.' + suffix, net.parameter(n, suffix.c_str())));
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
