// SPDX-License-Identifier: Apache-2.0
/// From logits to predictions, and how close codes are to the float network.
#ifndef QUANTAL_RUNTIME_EVALUATE_HPP
#define QUANTAL_RUNTIME_EVALUATE_HPP

#include <quantal/graph/plan.hpp>
#include <quantal/runtime/executor.hpp>
#include <quantal/runtime/trace.hpp>

#include <cmath>
#include <limits>

namespace quantal {
inline namespace v0 {

/// The class of each image: the index of the largest logit, the lowest of equals.
[[nodiscard]] inline std::vector<int> predictions(const tensor<float>& logits) {
    std::vector<int> result;
    for (std::int64_t i = 0; i < logits.shape()[0]; ++i) {
        const auto row = logits.slice(i);
        result.push_back(static_cast<int>(std::max_element(row.begin(), row.end()) - row.begin()));
    }
    return result;
}

/// The signal-to-noise ratio of each quantizer point in decibels:
/// `10 log10(sum x^2 / sum (x - real(q))^2)`, x of the float network, q of the integer one; both
/// see the same images, so it holds all the noise from the input on. Infinity where there is none.
template <float_executor E, code_network N>
[[nodiscard]] std::map<value, double> signal_to_noise(const plan& p, const table& t, E&& executor,
                                                      const N& integer,
                                                      const tensor<float>& images) {
    std::map<value, std::vector<float>> floats;
    executor(images, [&](value v, const view<const float>& batch) {
        if (!p.roles[v].output) return;
        auto& values = floats[v];
        batch.for_each([&](float x, std::size_t) { values.push_back(x); });
    });
    struct power {
        double signal = 0, noise = 0;
    };
    std::map<value, power> powers;
    (void)integer.run(images, 0, [&](value v, std::size_t image, std::span<const std::int32_t> q) {
        const qparams& params = activation_params(p, t, v);
        const float* x = floats[v].data() + image * q.size();
        for (std::size_t i = 0; i < q.size(); ++i) {
            const double error = double{x[i]} - params.dequantize(q[i]);
            powers[v].signal += double{x[i]} * x[i];
            powers[v].noise += error * error;
        }
    });
    std::map<value, double> result;
    for (const auto& [v, sums] : powers)
        result[v] = sums.noise > 0.0 ? 10.0 * std::log10(sums.signal / sums.noise)
                                     : std::numeric_limits<double>::infinity();
    return result;
}

} // namespace v0
} // namespace quantal

#endif
