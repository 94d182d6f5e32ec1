// SPDX-License-Identifier: Apache-2.0
/// What TensorRT asks of a model with QuantizeLinear and DequantizeLinear (its Developer Guide,
/// "Working with Quantized Types").
#ifndef QUANTAL_ONNX_TENSORRT_HPP
#define QUANTAL_ONNX_TENSORRT_HPP

#include <quantal/graph/plan.hpp>

#include <string>
#include <vector>

namespace quantal {
inline namespace v0 {
namespace onnx {

/// Activations as TensorRT has them: int8, zero point 0.
inline constexpr qspec tensorrt_activations{.bits = 8, .kind = scheme::symmetric_full};

namespace detail {

/// Throws `spec_error` unless codes are int8 with the zero point 0 and have one scale, or one a
/// channel.
inline void check_tensorrt_spec(const node& n, const char* what, qspec s) {
    if (s.bits > 8 || !s.is_symmetric() || s.grain == per_group)
        quantal::detail::fail<spec_error>(
            "layer \"", n.name, "\" has ", what, " of \"", s,
            "\"; TensorRT takes symmetric ones of up to 8 bits, per tensor or channel");
}

} // namespace detail

/// Throws `spec_error`, naming the layer, unless TensorRT takes the codes of all layers. Returns
/// what it will compute otherwise than in int8: layers in float, and convolutions whose codes stand
/// between them and the sum that they could be fused with.
[[nodiscard]] inline std::vector<std::string> check_for_tensorrt(const plan& p) {
    std::vector<std::string> notes;
    for (value v = 0; v < p.net.size(); ++v) {
        const node& n = p.at(v);
        const role& r = p.roles[v];
        if (r.weights) detail::check_tensorrt_spec(n, "weights", *r.weights);
        if (r.output) detail::check_tensorrt_spec(n, "an output", *r.output);
        if (r.in_float) notes.push_back("layer \"" + n.name + "\" runs in float");
        if (!n.as<op::add>()) continue;
        for (const value x : n.inputs)
            if (p.at(x).has_weight() && p.roles[x].output)
                notes.push_back("layer \"" + p.at(x).name + "\" has codes of its own, so that \"" +
                                n.name + "\" is not fused with it");
    }
    return notes;
}

} // namespace onnx
} // namespace v0
} // namespace quantal

#endif
