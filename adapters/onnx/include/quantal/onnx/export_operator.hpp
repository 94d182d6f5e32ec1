// SPDX-License-Identifier: Apache-2.0
/// Operators of a network as nodes of ONNX.
#ifndef QUANTAL_ONNX_EXPORT_OPERATOR_HPP
#define QUANTAL_ONNX_EXPORT_OPERATOR_HPP

#include <quantal/graph/graph.hpp>
#include <quantal/onnx/model_writer.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace quantal {
inline namespace v0 {
namespace onnx::detail {

inline int_list both(hw s) {
    return {s.h, s.w};
}
inline int_list four(const padding& p) {
    return {p.top, p.left, p.bottom, p.right};
}

/// The first opset from `otherwise` on that has the operators of the network.
[[nodiscard]] inline std::int64_t lowest_opset(const graph& net, std::int64_t otherwise) {
    constexpr std::int64_t hard_swish = 14;
    const bool has_hard_swish = std::any_of(net.nodes().begin(), net.nodes().end(), [](auto& n) {
        const auto* f = n.template as<op::function>();
        return f && f->curve == op::curve::hard_swish;
    });
    return has_hard_swish ? std::max(otherwise, hard_swish) : otherwise;
}

/// Writes the parameters of a node in float; returns the names of their tensors. The slopes of an
/// image's channels are [channels, 1, 1].
[[nodiscard]] inline std::vector<std::string> write_parameters(model_writer& to, const graph& net,
                                                               const node& n) {
    std::vector<std::string> names;
    if (n.inputs.empty()) return names;
    const bool has_slopes = n.as<op::function>() && n.shape.rank() == 3;
    for (const auto& [suffix, shape] : parameter_shapes(n.op, net.at(n.inputs[0]).shape))
        names.push_back(to.values(n.name + '.' + suffix, element::f32,
                                  has_slopes ? extents{shape[0], 1, 1} : shape,
                                  net.parameter(n, suffix.c_str()).values()));
    return names;
}

/// Writes an operator from tensors (its inputs, then its parameters in ONNX's order) to the tensor
/// `output`, as a node of that name.
struct operator_writer {
    model_writer& to;
    std::vector<std::string> tensors;
    const std::string& output;
    const std::string& name;

    void operator()(const op::input&) const {}
    void operator()(const op::conv2d& o) const {
        to.node("Conv", tensors, output, name)
            .set("kernel_shape", both(o.kernel))
            .set("strides", both(o.stride))
            .set("pads", four(o.padding))
            .set("dilations", both(o.dilation))
            .set("group", o.groups);
    }
    void operator()(const op::linear&) const {
        to.node("Gemm", tensors, output, name).set("transB", std::int64_t{1});
    }
    void operator()(const op::batch_norm& o) const {
        to.node("BatchNormalization", tensors, output, name)
            .set("epsilon", static_cast<float>(o.eps));
    }
    void operator()(const op::clip& o) const {
        constexpr float infinity = std::numeric_limits<float>::infinity();
        if (o == op::clip{}) return (void)to.node("Relu", tensors, output, name);
        const auto limit = [&](const char* suffix, float x) {
            return std::abs(x) == infinity ? std::string() : to.real(name + suffix, x);
        };
        to.node("Clip", {tensors[0], limit(".min", o.lo), limit(".max", o.hi)}, output, name);
    }
    void operator()(const op::add&) const { to.node("Add", tensors, output, name); }
    void operator()(const op::multiply&) const { to.node("Mul", tensors, output, name); }
    void operator()(const op::function& o) const {
        constexpr const char* types[] = {"LeakyRelu", "PRelu", "Sigmoid", "HardSigmoid",
                                         "HardSwish"};
        static_assert(std::size(types) == std::size(op::curve_names));
        auto n = to.node(types[static_cast<std::size_t>(o.curve)], tensors, output, name);
        const bool is_hard = o.curve == op::curve::hard_sigmoid;
        if (is_hard || o.curve == op::curve::leaky_relu) n.set("alpha", o.alpha);
        if (is_hard) n.set("beta", o.beta);
    }
    void operator()(const op::max_pool& o) const { pool("MaxPool", o); }
    void operator()(const op::average_pool& o) const {
        pool("AveragePool", o).set("count_include_pad", std::int64_t{o.counts_padding});
    }
    void operator()(const op::shortcut& o) const {
        constexpr std::int64_t end = std::numeric_limits<std::int64_t>::max();
        const std::string strided = name + "/strided";
        to.node("Slice",
                {tensors[0], to.integers("slice.starts", {0, 0}),
                 to.integers("slice.ends", {end, end}), to.integers("slice.axes", {2, 3}),
                 to.integers(name + ".steps", both(o.stride))},
                strided);
        to.node("Pad",
                {strided, to.integers(name + ".pads",
                                      {0, o.channels_before, 0, 0, 0, o.channels_after, 0, 0})},
                output, name);
    }
    void operator()(const op::flatten&) const { to.node("Flatten", tensors, output, name); }
    void operator()(const op::concat&) const {
        to.node("Concat", tensors, output, name).set("axis", std::int64_t{1});
    }

private:
    template <class Pool>
    node_writer pool(const char* type, const Pool& o) const {
        auto node = to.node(type, tensors, output, name);
        node.set("kernel_shape", both(o.kernel))
            .set("strides", both(o.stride))
            .set("pads", four(o.padding));
        return node;
    }
};

/// Writes node `n` with its activation, to the tensor `output`.
inline void write_node(model_writer& to, const node& n, std::vector<std::string> tensors,
                       const std::string& output) {
    const std::string before = n.activation ? n.name + "/before" : output;
    std::visit(operator_writer{to, std::move(tensors), before, n.name}, n.op);
    if (n.activation) operator_writer{to, {before}, output, n.name + "/activation"}(*n.activation);
}

} // namespace onnx::detail
} // namespace v0
} // namespace quantal

#endif
