// SPDX-License-Identifier: Apache-2.0
#include <quantal/onnx/import_quantized.hpp>
#include <quantal/runtime/program.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <tuple>

namespace {

/// Whether what was read takes no more than a moment to run.
bool is_small(const quantal::graph& net) {
    constexpr std::size_t most = 10000;
    std::size_t work = 1;
    for (const auto& node : net.nodes()) {
        const auto size = [](const auto& o) {
            if constexpr (requires { o.kernel; })
                return static_cast<std::size_t>(o.kernel.h) * static_cast<std::size_t>(o.kernel.w);
            else
                return std::size_t{1};
        };
        std::size_t each = std::visit(size, node.op);
        if (node.has_weight()) each *= static_cast<std::size_t>(net.at(node.inputs[0]).shape[0]);
        if (each > most || node.shape.count() > most) return false;
        work += node.shape.count() * each;
    }
    return work <= most;
}

/// What was read can run.
void run(const quantal::integer_network& n) {
    const quantal::graph& net = n.plan().net;
    if (!is_small(net)) return;
    std::ignore = lower(n).run(quantal::tensor<float>(net.input_shape().with_front(1)), 1);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    namespace onnx = quantal::onnx;
    const onnx::import_options bounded{.image = {}, .most_elements = 100000};
    try {
        const auto model = onnx::parse_model(std::as_bytes(std::span(bytes, size)), "fuzz");
        if (onnx::is_quantized(model))
            run(onnx::import_quantized(model, {}, bounded).network);
        else
            run(quantal::all_in_float(onnx::import_network(model, {}, bounded).net));
    } catch (const quantal::error&) { // every other exception is a finding
    }
    return 0;
}
