// SPDX-License-Identifier: Apache-2.0
/// The quantization that options of a program describe.
#ifndef QUANTAL_EXAMPLES_HOMEWORK_WRITTEN_QUANTIZATION_HPP
#define QUANTAL_EXAMPLES_HOMEWORK_WRITTEN_QUANTIZATION_HPP

#include <quantal/passes/place.hpp>

#include <string>
#include <vector>

namespace homework {

/// Specs of weights and activations, and PATTERN=SPEC (`--layer`) for the layers that differ.
[[nodiscard]] inline quantal::quantization
written_quantization(const std::string& weights, const std::string& activations,
                     const std::vector<std::string>& layers) {
    quantal::quantization q{quantal::parse_spec(weights), quantal::parse_spec(activations), {}};
    for (const std::string& layer : layers) {
        const std::size_t equals = layer.find('=');
        if (equals == layer.npos)
            quantal::detail::fail<quantal::spec_error>(
                "--layer ", layer, " has no \"=\"; write for example --layer conv1=w8");
        q.layers.push_back(quantal::parse_rule(layer.substr(0, equals), layer.substr(equals + 1)));
    }
    return q;
}

} // namespace homework

#endif
