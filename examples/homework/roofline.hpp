// SPDX-License-Identifier: Apache-2.0
/// What a network costs at least on a machine with these peaks, and what holds it back.
#ifndef QUANTAL_EXAMPLES_HOMEWORK_ROOFLINE_HPP
#define QUANTAL_EXAMPLES_HOMEWORK_ROOFLINE_HPP

#include <quantal/runtime/cpu/describe.hpp>

#include <support/peaks.hpp>

namespace homework {

/// A batch through all layers. Each layer reads its weights once a batch, and reads and writes its
/// activations once.
struct batch_cost {
    double operations = 0, bytes = 0;
    /// Of the layers whose products take longer than their bytes at the peaks, and of the others.
    double product_seconds = 0, memory_seconds = 0;

    batch_cost& operator+=(const batch_cost& c) {
        operations += c.operations;
        bytes += c.bytes;
        product_seconds += c.product_seconds;
        memory_seconds += c.memory_seconds;
        return *this;
    }
};

/// Bytes of all weights, which all pass between two uses of one.
[[nodiscard]] inline std::size_t
all_weight_bytes(std::span<const quantal::cpu::step_description> steps) {
    std::size_t all = 0;
    for (const auto& s : steps)
        all += s.weight_bytes;
    return all;
}

/// One step of a network with so many bytes of weights. Bytes come at the rate that is measured for
/// arrays of their size: activations for the step's activations of the batch, weights for those of
/// the whole network.
[[nodiscard]] inline batch_cost cost_of(const quantal::cpu::step_description& s,
                                        std::size_t all_weights, double images, double peak,
                                        const benchmarks::peaks& p) {
    const auto weights = static_cast<double>(s.weight_bytes);
    const double activations = images * static_cast<double>(s.bytes - s.weight_bytes);
    const double operations = images * static_cast<double>(s.operations);
    const double products = operations / peak;
    const double memory = weights / p.read_rate(all_weights) +
                          activations / p.read_rate(static_cast<std::size_t>(activations));
    batch_cost c{.operations = operations, .bytes = weights + activations};
    (products >= memory ? c.product_seconds : c.memory_seconds) = std::max(products, memory);
    return c;
}

[[nodiscard]] inline batch_cost cost_of(std::span<const quantal::cpu::step_description> steps,
                                        double images, double peak, const benchmarks::peaks& p) {
    batch_cost c;
    for (const auto& s : steps)
        c += cost_of(s, all_weight_bytes(steps), images, peak, p);
    return c;
}

/// What takes the largest part of the time; what neither products nor bytes explain is overhead.
[[nodiscard]] inline const char* bound_of(const batch_cost& c, double seconds) {
    const double overhead = seconds - c.product_seconds - c.memory_seconds;
    if (overhead > std::max(c.product_seconds, c.memory_seconds)) return "overhead";
    return c.product_seconds >= c.memory_seconds ? "compute" : "memory";
}

} // namespace homework

#endif
