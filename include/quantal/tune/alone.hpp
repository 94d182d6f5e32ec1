// SPDX-License-Identifier: Apache-2.0
/// One layer quantized at a time: what each of them does to the output of its network.
#ifndef QUANTAL_TUNE_ALONE_HPP
#define QUANTAL_TUNE_ALONE_HPP

#include <quantal/runtime/cpu/executor.hpp>

namespace quantal {
inline namespace v0 {
namespace tune {

/// Which parts of a layer go through their codes.
struct parts {
    bool weights = true, output = true;
};

/// The network in float32 but for these parts of node `v`.
[[nodiscard]] inline integer_network alone(plan p, const table& t, value v,
                                           const parts& quantized = {}) {
    const node& n = p.at(v);
    table kept;
    if (p.roles[v].weights && quantized.weights) {
        tensor<float>& weight = p.net.parameters.at(n.name + ".weight");
        weight = dequantize(quantize(std::as_const(weight), weight_params(p, t, v)));
    }
    for (value u = 0; u < p.net.size(); ++u) {
        role r{.in_float = !p.at(u).inputs.empty()};
        if (u == v && quantized.output) r.output = p.roles[u].output;
        p.roles[u] = r;
        p.roles[u].source = source_of(p.at(u), p.roles, u);
    }
    if (p.roles[v].output) kept.activations.emplace(n.name, t.activations.at(n.name));
    return {std::move(p), std::move(kept), {}};
}

/// The powers of a signal and of its noise.
struct powers {
    double signal = 0.0, noise = 0.0;

    void add(float exact, float approximate) {
        const double error = double{exact} - approximate;
        signal += double{exact} * exact;
        noise += error * error;
    }
    /// `10 log10(signal / noise)`; infinity without noise.
    [[nodiscard]] double decibels() const {
        return noise > 0.0 ? 10.0 * std::log10(signal / noise)
                           : std::numeric_limits<double>::infinity();
    }
};

/// Signal and noise at the output of a network on these images, whose float outputs are known.
[[nodiscard]] inline powers output_powers(const integer_network& n, const tensor<float>& images,
                                          const tensor<float>& exact, int threads) {
    const tensor<float> found = cpu::executor(n, threads)(images, {});
    powers p;
    for (std::size_t i = 0; i < exact.size(); ++i)
        p.add(exact[i], found[i]);
    return p;
}

} // namespace tune
} // namespace v0
} // namespace quantal

#endif
