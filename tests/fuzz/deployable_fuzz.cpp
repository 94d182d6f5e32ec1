// SPDX-License-Identifier: Apache-2.0
#include <quantal/io/deployable.hpp>
#include <quantal/runtime/program.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <tuple>

namespace {

/// What loads can run. Networks of more than a few values are left alone: they take long.
void run(const quantal::integer_network& n) {
    std::size_t work = 1;
    for (const auto& node : n.plan().net.nodes()) {
        const auto kernel = std::visit(
            [](const auto& o) {
                if constexpr (requires { o.kernel; })
                    return static_cast<std::size_t>(o.kernel.h * o.kernel.w);
                else
                    return std::size_t{1};
            },
            node.op);
        work += node.shape.count() * kernel;
    }
    if (work > 10000) return;
    const quantal::tensor<float> image(n.plan().net.input_shape().with_front(1));
    std::ignore = lower(n).run(image, 1);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    try {
        run(quantal::io::parse_deployable(std::as_bytes(std::span(bytes, size)), "fuzz").network);
    } catch (const quantal::error&) { // every other exception is a finding
    }
    return 0;
}
