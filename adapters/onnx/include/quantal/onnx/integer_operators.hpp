// SPDX-License-Identifier: Apache-2.0
/// Operators on codes, QLinearConv and its like, as what they are short for: DequantizeLinear, the
/// operator on floats, QuantizeLinear.
#ifndef QUANTAL_ONNX_INTEGER_OPERATORS_HPP
#define QUANTAL_ONNX_INTEGER_OPERATORS_HPP

#include <quantal/onnx/dynamic_operators.hpp>

#include <string>
#include <vector>

namespace quantal {
inline namespace v0 {
namespace onnx {

/// The operators on codes that this library reads: ONNX's own, and those of ONNX Runtime
/// (com.microsoft).
inline constexpr const char* integer_operators[] = {
    "QLinearConv",      "QLinearMatMul",      "QGemm",
    "QLinearAdd",       "QLinearMul",         "QLinearConcat",
    "ConvInteger",      "MatMulInteger",      "QLinearSigmoid",
    "QLinearLeakyRelu", "QLinearAveragePool", "QLinearGlobalAveragePool"};

[[nodiscard]] inline bool is_integer_operator(const ::onnx::NodeProto& n) {
    const bool is_own = n.op_type() == "QLinearConv" || n.op_type() == "QLinearMatMul" ||
                        n.op_type() == "ConvInteger" || n.op_type() == "MatMulInteger";
    if (n.domain() != (is_own ? "" : "com.microsoft")) return false;
    for (const char* name : integer_operators)
        if (n.op_type() == name) return true;
    return false;
}

namespace detail {

/// Writes the longer form of one node.
class expansion {
public:
    expansion(const ::onnx::NodeProto& node, node_list& to) : node_(node), to_(to) {}

    void write() {
        const std::string& type = node_.op_type();
        if (type == "QLinearConv")
            weighted("Conv", 0, 8, 6);
        else if (type == "QLinearMatMul")
            weighted("MatMul", 1, none, 6);
        else if (type == "ConvInteger")
            summed("Conv", 0);
        else if (type == "MatMulInteger")
            summed("MatMul", 1);
        else if (type == "QGemm")
            weighted("Gemm", has_flag("transB") ? 0 : 1, 6, 7);
        else if (type == "QLinearConcat")
            joined();
        else if (type == "QLinearAdd" || type == "QLinearMul")
            finish(type.substr(std::string("QLinear").size()), {real(0), real(3)}, 6);
        else
            finish(type.substr(std::string("QLinear").size()), {real(0)}, 3);
    }

private:
    static constexpr int none = -1;

    [[nodiscard]] std::string input(int i) const {
        return i >= 0 && i < node_.input_size() ? node_.input(i) : std::string();
    }
    [[nodiscard]] bool has_flag(const char* key) const {
        for (const auto& a : node_.attribute())
            if (a.name() == key) return a.i() != 0;
        return false;
    }
    [[nodiscard]] std::string own(const std::string& what) const {
        return (node_.output_size() > 0 ? node_.output(0) : node_.name()) + '/' + what;
    }

    /// The reals of the codes `i`, whose scale and zero point follow.
    std::string real(int i, std::int64_t axis = 1) {
        std::string output = own(std::to_string(i));
        to_.add("DequantizeLinear", {input(i), input(i + 1), input(i + 2)}, output, axis);
        return output;
    }
    /// The reals of a bias: its scale is the product of those of input and weights.
    std::string bias(int i) {
        to_.add("Mul", {input(1), input(4)}, own("bias_scale"));
        to_.add("DequantizeLinear", {input(i), own("bias_scale")}, own("bias"), 0);
        return own("bias");
    }

    void weighted(const std::string& type, std::int64_t axis, int bias_input, int output) {
        std::vector<std::string> inputs{real(0), real(3, axis)};
        if (!input(bias_input).empty()) inputs.push_back(bias(bias_input));
        finish(type, inputs, output);
    }
    /// The sums of an operator without scales: reals of the scale 1.
    void summed(const std::string& type, std::int64_t axis) {
        for (const int i : {0, 1})
            to_.add("DequantizeLinear", {input(i), ones(i), input(i + 2)}, own(std::to_string(i)),
                    i == 0 ? 1 : axis);
        finish(type, {own("0"), own("1")}, none);
    }
    /// As many scales of 1 as operand `i` has zero points.
    std::string ones(int i) {
        const std::string shape = own("shape" + std::to_string(i));
        std::string output = own("one" + std::to_string(i));
        if (input(i + 2).empty())
            no_integers(shape);
        else
            to_.add("Shape", {input(i + 2)}, shape);
        auto& a = *to_.add("ConstantOfShape", {shape}, output).add_attribute();
        a.set_name("value");
        a.set_type(::onnx::AttributeProto::TENSOR);
        a.mutable_t()->set_data_type(::onnx::TensorProto::FLOAT);
        a.mutable_t()->add_dims(1);
        a.mutable_t()->add_float_data(1.0f);
        return output;
    }
    void no_integers(const std::string& output) {
        auto& a = *to_.add("Constant", {}, output).add_attribute();
        a.set_name("value_ints");
        a.set_type(::onnx::AttributeProto::INTS);
    }
    void joined() {
        std::vector<std::string> inputs;
        for (int i = 2; i < node_.input_size(); i += 3)
            inputs.push_back(real(i));
        finish("Concat", inputs, 0);
    }
    /// The operator on floats, then codes of the scale `output` and the zero point behind it; reals
    /// where there is none.
    void finish(const std::string& type, const std::vector<std::string>& inputs, int output) {
        const bool is_quantized = !input(output).empty();
        const std::string& last = node_.output_size() > 0 ? node_.output(0) : node_.name();
        auto& n = to_.add(type, inputs, is_quantized ? own("real") : last);
        n.set_name(node_.name());
        for (const auto& a : node_.attribute())
            if (a.name() != "channels_last" || a.i() != 0) *n.add_attribute() = a;
        if (is_quantized)
            to_.add("QuantizeLinear", {own("real"), input(output), input(output + 1)}, last);
    }

    const ::onnx::NodeProto& node_;
    node_list& to_;
};

} // namespace detail

/// The nodes of a graph, those on codes in their longer form.
[[nodiscard]] inline std::vector<::onnx::NodeProto> float_nodes(const ::onnx::GraphProto& graph) {
    node_list list;
    const dynamic_layers dynamic(graph);
    for (const auto& n : graph.node()) {
        if (is_integer_operator(n))
            detail::expansion(n, list).write();
        else if (!dynamic.write(n, list))
            list.nodes.push_back(n);
    }
    return std::move(list.nodes);
}

} // namespace onnx
} // namespace v0
} // namespace quantal

#endif
