// SPDX-License-Identifier: Apache-2.0
/// Networks in integers whose speed is that of trained ones: random weights, and ranges that
/// nothing was calibrated for.
#ifndef QUANTAL_BENCHMARKS_GPU_NETWORK_HPP
#define QUANTAL_BENCHMARKS_GPU_NETWORK_HPP

#include "support/random_weights.hpp"

#include <quantal/models/by_name.hpp>
#include <quantal/passes/optimize.hpp>
#include <quantal/passes/place.hpp>
#include <quantal/runtime/calibrate.hpp>
#include <quantal/runtime/integer_network.hpp>

namespace benchmarks {

/// Shows every value as one from -4 to 4, where most of random networks' activations lie.
struct made_up_values {
    const quantal::graph& net;

    quantal::tensor<float> operator()(const quantal::tensor<float>&,
                                      const quantal::value_visitor& visit) const {
        const quantal::tensor<float> ends({1, 2}, {-4.0f, 4.0f});
        for (quantal::value v = 0; v < net.size(); ++v)
            visit(v, ends);
        return ends;
    }
};

/// Codes and weights have so many bits.
[[nodiscard]] inline quantal::integer_network network_of(const std::string& model, int weight_bits,
                                                         int code_bits) {
    std::mt19937_64 g(20261125);
    quantal::graph net = quantal::models::by_name(model, {});
    randomize(net, g);
    quantal::plan p =
        place(quantal::passes::optimize(std::move(net)),
              {quantal::weight_spec(weight_bits), quantal::activation_spec(code_bits)});
    quantal::table t = calibrate(p, made_up_values{p.net}, std::vector{quantal::tensor<float>{}});
    return quantize(std::move(p), std::move(t));
}

} // namespace benchmarks

#endif
