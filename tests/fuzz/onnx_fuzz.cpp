// SPDX-License-Identifier: Apache-2.0
#include <quantal/onnx/import.hpp>
#include <quantal/runtime/program.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <tuple>

namespace {

/// What was read can run. Networks of more than a few values are left alone: they take long.
void run(const quantal::graph& net) {
    std::size_t work = 1;
    for (const auto& node : net.nodes()) {
        std::size_t kernel = 1;
        if (const auto* conv = node.as<quantal::op::conv2d>())
            kernel = net.parameter(node, "weight").size();
        if (const auto* pool = node.as<quantal::op::average_pool>())
            kernel = static_cast<std::size_t>(pool->kernel.h * pool->kernel.w);
        if (const auto* pool = node.as<quantal::op::max_pool>())
            kernel = static_cast<std::size_t>(pool->kernel.h * pool->kernel.w);
        constexpr std::size_t most = 10000;
        if (kernel > most || node.shape.count() > most) return;
        work += node.shape.count() * kernel;
        if (work > most) return;
    }
    const quantal::tensor<float> image(net.input_shape().with_front(1));
    std::ignore = quantal::reference_executor(net, 1)(image, {});
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    try {
        const auto model =
            quantal::onnx::parse_model(std::as_bytes(std::span(bytes, size)), "fuzz");
        run(quantal::onnx::import_network(model, {}, {.most_elements = 100000}).net);
    } catch (const quantal::error&) { // every other exception is a finding
    }
    return 0;
}
