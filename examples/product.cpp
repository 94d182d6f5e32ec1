// SPDX-License-Identifier: Apache-2.0
/// A matrix product in integers: 4-bit weights, 8-bit activations, and what it costs in accuracy.
#include <quantal/ops/gemm.hpp>
#include <quantal/ops/quantize.hpp>

#include <cmath>
#include <cstdio>
#include <vector>

int main() {
    const quantal::tensor<float> w({2, 4}, {0.3f, -0.1f, 0.9f, 0.2f, 0.6f, 0.2f, -0.4f, 0.1f});
    const quantal::tensor<float> x({1, 4}, {1.0f, 0.5f, 0.25f, 2.0f});
    const std::vector<float> b{0.1f, -0.2f};
    const float scale = 0.01f;

    const auto weights = quantal::prepare(quantal::quantize<quantal::w4>(w));
    const auto y = quantal::gemm(
        quantal::quantize<quantal::a8>(x), weights,
        quantal::chain(quantal::bias{b}, quantal::relu{}, quantal::requantize<quantal::a8>{scale}));

    const float expected[] = {0.975f, 0.6f}; // in reals
    bool close = true;
    const quantal::tensor<float> reals = quantal::dequantize(y);
    for (std::size_t i = 0; i < 2; ++i) {
        std::printf("code %d, %.2f instead of %.3f\n", static_cast<int>(y.code(i)),
                    static_cast<double>(reals[i]), static_cast<double>(expected[i]));
        close = close && std::abs(reals[i] - expected[i]) < 0.15f; // half a step of each weight
    }
    return close ? 0 : 1;
}
