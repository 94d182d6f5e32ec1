// SPDX-License-Identifier: Apache-2.0
/// The nodes of a graph while some of them are written in a longer form.
#ifndef QUANTAL_ONNX_NODE_LIST_HPP
#define QUANTAL_ONNX_NODE_LIST_HPP

#include <onnx/onnx_pb.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace quantal {
inline namespace v0 {
namespace onnx {

struct node_list {
    std::vector<::onnx::NodeProto> nodes;

    /// Appends a node that makes the tensor `output` and has its name.
    ::onnx::NodeProto& add(const std::string& type, const std::vector<std::string>& inputs,
                           const std::string& output, std::optional<std::int64_t> axis = {}) {
        auto& n = nodes.emplace_back();
        n.set_op_type(type);
        n.set_name(output);
        n.mutable_input()->Add(inputs.begin(), inputs.end());
        n.add_output(output);
        if (!axis) return n;
        auto& a = *n.add_attribute();
        a.set_name("axis");
        a.set_type(::onnx::AttributeProto::INT);
        a.set_i(*axis);
        return n;
    }
};

} // namespace onnx
} // namespace v0
} // namespace quantal

#endif
