// SPDX-License-Identifier: Apache-2.0
/// What the benchmarks of convolutions and of matrix products share: operands and implementations.
#ifndef QUANTAL_BENCHMARKS_SUPPORT_PRODUCTS_HPP
#define QUANTAL_BENCHMARKS_SUPPORT_PRODUCTS_HPP

#include "support/onednn.hpp"
#include "support/xnnpack.hpp"

#include <functional>
#include <random>

namespace benchmarks {

/// Bytes of activations in [0, u_max], weights in [-w_max, w_max], both uniform;
/// `y = clamp(rne(sum * 2^-shift), 0, 255)`.
struct uniform_operands {
    int u_max, w_max, shift = 4;
    std::vector<std::uint8_t> x;
    std::vector<std::int8_t> w;

    uniform_operands(std::size_t inputs, std::size_t weights, int depth, int u_max_, int w_max_)
        : u_max(u_max_), w_max(w_max_), x(inputs), w(weights) {
        std::mt19937 g(1);
        for (auto& v : x)
            v = static_cast<std::uint8_t>(std::uniform_int_distribution<>(0, u_max)(g));
        for (auto& v : w)
            v = static_cast<std::int8_t>(std::uniform_int_distribution<>(-w_max, w_max)(g));
        // About half of the outputs inside the range.
        for (double deviation = 0.33 * u_max * w_max;
             deviation * deviation * depth > 150.0 * 150.0 * (1 << shift) * (1 << shift);)
            ++shift;
    }
};

/// An implementation bound to a task: runs it, and hands out its codes.
struct implementation {
    std::string name;
    std::function<void()> run;
    std::function<std::vector<std::uint8_t>()> result;
};

/// One in float32, on operands whose sums are exact in any order.
struct float_implementation {
    std::string name;
    std::function<void()> run;
    std::function<std::vector<float>()> result;
};

} // namespace benchmarks

#endif
