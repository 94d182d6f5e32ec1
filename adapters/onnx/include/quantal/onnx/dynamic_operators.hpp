// SPDX-License-Identifier: Apache-2.0
/// Layers whose input gets its codes while they run, as ONNX Runtime's dynamic quantization writes
/// them: DynamicQuantizeLinear, ConvInteger or MatMulInteger, Cast, and a product with both scales.
#ifndef QUANTAL_ONNX_DYNAMIC_OPERATORS_HPP
#define QUANTAL_ONNX_DYNAMIC_OPERATORS_HPP

#include <quantal/onnx/node_list.hpp>

#include <map>
#include <utility>

namespace quantal {
inline namespace v0 {
namespace onnx {

/// Finds such layers by the last of their nodes.
class dynamic_layers {
public:
    explicit dynamic_layers(const ::onnx::GraphProto& graph) {
        for (const auto& n : graph.node())
            for (int i = 0; i < n.output_size(); ++i)
                makers_.emplace(n.output(i), std::pair(&n, i));
    }

    /// Whether `last` ends one; then a Conv or MatMul of the codes and dequantized weights is added
    /// to `to`.
    [[nodiscard]] bool write(const ::onnx::NodeProto& last, node_list& to) const {
        if (last.op_type() != "Mul" || last.input_size() != 2 || last.output_size() != 1)
            return false;
        for (const int sums : {0, 1}) {
            const auto* cast = maker(last.input(sums), "Cast");
            const auto* layer = cast ? integer_layer(*cast) : nullptr;
            const auto* scales = maker(last.input(1 - sums), "Mul");
            if (!layer || !scales || scales->input_size() != 2) continue;
            for (const int weight : {0, 1})
                if (is_output(scales->input(1 - weight), layer->input(0), 1)) {
                    add(*layer, scales->input(weight), last, to);
                    return true;
                }
        }
        return false;
    }

private:
    /// The node of that type that makes a tensor as its first output, or nullptr.
    [[nodiscard]] const ::onnx::NodeProto* maker(const std::string& tensor,
                                                 const char* type) const {
        const auto found = makers_.find(tensor);
        if (found == makers_.end() || found->second.second != 0) return nullptr;
        const auto* n = found->second.first;
        return n->op_type() == type && n->input_size() > 0 ? n : nullptr;
    }
    /// The layer whose sums are cast, if DynamicQuantizeLinear made the codes and the zero point
    /// that it reads.
    [[nodiscard]] const ::onnx::NodeProto* integer_layer(const ::onnx::NodeProto& cast) const {
        for (const char* type : {"ConvInteger", "MatMulInteger"}) {
            const auto* n = maker(cast.input(0), type);
            if (!n || n->input_size() < 3) continue;
            if (is_output(n->input(0), n->input(0), 0) && is_output(n->input(2), n->input(0), 2))
                return n;
        }
        return nullptr;
    }
    /// Whether a tensor is output `i` of the DynamicQuantizeLinear that makes `codes`.
    [[nodiscard]] bool is_output(const std::string& tensor, const std::string& codes, int i) const {
        const auto* source = maker(codes, "DynamicQuantizeLinear");
        const auto found = makers_.find(tensor);
        return source && found != makers_.end() && found->second == std::pair(source, i);
    }

    static void add(const ::onnx::NodeProto& layer, const std::string& scale,
                    const ::onnx::NodeProto& last, node_list& to) {
        const bool is_convolution = layer.op_type() == "ConvInteger";
        const std::string weight = last.output(0) + "/weight";
        std::vector<std::string> codes{layer.input(1), scale};
        if (layer.input_size() > 3) codes.push_back(layer.input(3));
        to.add("DequantizeLinear", codes, weight, is_convolution ? 0 : 1);
        auto& n =
            to.add(is_convolution ? "Conv" : "MatMul", {layer.input(0), weight}, last.output(0));
        n.set_name(layer.name());
        *n.mutable_attribute() = layer.attribute();
    }

    std::map<std::string, std::pair<const ::onnx::NodeProto*, int>> makers_;
};

} // namespace onnx
} // namespace v0
} // namespace quantal

#endif
