// SPDX-License-Identifier: Apache-2.0
/// The bit widths that exercise 5 names, such as 4w4f: 4-bit weights and 4-bit features.
#ifndef QUANTAL_EXAMPLES_HOMEWORK_BIT_CONFIG_HPP
#define QUANTAL_EXAMPLES_HOMEWORK_BIT_CONFIG_HPP

#include <quantal/passes/place.hpp>

#include <fmt/format.h>

#include <charconv>

namespace homework {

struct bit_config {
    quantal::qspec weights, activations;
};

/// Reads NwMf, or NwMf-full: weights with one code more below 0 than above, so that 2 bits have
/// four levels (-2 to 1) instead of three. Throws `data_error` for another text, `spec_error` for
/// widths that layers cannot have.
[[nodiscard]] inline bit_config parse_config(const std::string& text) {
    int weight_bits = 0, feature_bits = 0;
    const char* const end = text.data() + text.size();
    const auto [w, weights_read] = std::from_chars(text.data(), end, weight_bits);
    if (weights_read == std::errc{} && w != end && *w == 'w') {
        const auto [f, features_read] = std::from_chars(w + 1, end, feature_bits);
        const std::string rest(f, end);
        const bool full = rest == "f-full";
        if (features_read == std::errc{} && (full || rest == "f")) {
            bit_config c{quantal::weight_spec(weight_bits), quantal::activation_spec(feature_bits)};
            if (full) c.weights.kind = quantal::scheme::symmetric_full;
            quantal::check_weight_spec(c.weights);
            quantal::check_activation_spec(c.activations);
            return c;
        }
    }
    quantal::detail::fail<quantal::data_error>(
        "--config ", text, " is not a configuration; write for example 4w4f, 2w4f or 2w4f-full");
}

/// The layer, and the one whose output it takes.
[[nodiscard]] inline std::vector<quantal::layer_rule> in_8_bits(const quantal::graph& net,
                                                                quantal::value layer) {
    quantal::value x = net.at(layer).inputs[0];
    while (!net.at(x).computes() && !net.at(x).inputs.empty())
        x = net.at(x).inputs[0];
    return {{.pattern = net.at(layer).name, .weights = quantal::w8},
            {.pattern = net.at(x).name, .activations = quantal::a8}};
}

/// Whether only additions read the value.
[[nodiscard]] inline bool is_only_added(const quantal::graph& net, quantal::value v) {
    bool is_added = false;
    for (const quantal::node& n : net.nodes())
        for (const quantal::value x : n.inputs)
            if (x == v) {
                if (!n.as<quantal::op::add>()) return false;
                is_added = true;
            }
    return is_added;
}

/// The configuration for a network: the first and the last layer with what they take have 8 bits,
/// as papers on training at few bits have it, and so has a layer's output that only an addition
/// reads, for no product is made of it.
[[nodiscard]] inline quantal::quantization for_network(const bit_config& c,
                                                       const quantal::graph& net) {
    quantal::quantization q{c.weights, c.activations, {}};
    std::vector<quantal::value> weighted;
    for (quantal::value v = 0; v < net.size(); ++v) {
        if (net.at(v).has_weight()) weighted.push_back(v);
        if (net.at(v).computes() && is_only_added(net, v))
            q.layers.push_back({.pattern = net.at(v).name, .activations = quantal::a8});
    }
    for (const quantal::value v : {weighted.front(), weighted.back()})
        for (const quantal::layer_rule& rule : in_8_bits(net, v))
            q.layers.push_back(rule);
    return q;
}

} // namespace homework

#endif
