// SPDX-License-Identifier: Apache-2.0
/// The forms in which a network is raced: bits of its weights and activations.
#ifndef QUANTAL_EXAMPLES_HOMEWORK_FORMS_HPP
#define QUANTAL_EXAMPLES_HOMEWORK_FORMS_HPP

#include <quantal/passes/place.hpp>
#include <quantal/runtime/calibrate.hpp>
#include <quantal/runtime/cpu/executor.hpp>
#include <quantal/runtime/integer_network.hpp>

#include <string>
#include <vector>

namespace homework {

/// Bits of all layers but the first and the last, which have 8.
struct form {
    std::string name, weight_spec, activation_spec;
};

inline const std::vector<form> integer_forms{
    {"W8A8", "w8", "a8"}, {"W4A8", "w4", "a8"}, {"W4A4", "w4", "a4"}, {"W2A4", "w2", "a4"}};

/// The bits of a form, with 8 for the weights of the first and the last layer and for the codes
/// that these two read.
[[nodiscard]] inline quantal::quantization quantization_of(const quantal::graph& net,
                                                           const form& f) {
    std::vector<quantal::value> layers;
    for (quantal::value v = 0; v < net.size(); ++v)
        if (net.at(v).has_weight()) layers.push_back(v);
    quantal::quantization q{
        quantal::parse_spec(f.weight_spec), quantal::parse_spec(f.activation_spec), {}};
    for (const quantal::value end : {layers.front(), layers.back()}) {
        quantal::value x = net.at(end).inputs[0];
        while (!net.at(x).inputs.empty() && !net.at(x).computes())
            x = net.at(x).inputs[0];
        q.layers.push_back({.pattern = net.at(end).name, .weights = quantal::w8});
        q.layers.push_back({.pattern = net.at(x).name, .activations = quantal::a8});
    }
    return q;
}

/// A network with folded batch norms in a form, calibrated on these images.
[[nodiscard]] inline quantal::integer_network
in_integers(const quantal::graph& net, const form& f,
            const std::vector<quantal::tensor<float>>& images, int threads) {
    quantal::plan p = place(net, quantization_of(net, f));
    quantal::table t = calibrate(p, quantal::cpu::executor(net, threads), images);
    return quantize(std::move(p), std::move(t));
}

} // namespace homework

#endif
