// SPDX-License-Identifier: Apache-2.0
/// What the layers of a network compute.
#ifndef QUANTAL_EXAMPLES_QUANTAL_LAYERS_HPP
#define QUANTAL_EXAMPLES_QUANTAL_LAYERS_HPP

#include "network.hpp"

#include <quantal/runtime/cpu/executor.hpp>
#include <quantal/runtime/cpu/program.hpp>

namespace command {

/// The values that a network computes of a batch, by the names of its layers; "output" is the last.
using layer_values = std::map<std::string, std::vector<float>>;

/// Runs a network and shows the values of its layers: all in float, quantizer points in integers.
class shown_network {
public:
    shown_network(const network_file& file, int threads) : file_(file), threads_(threads) {
        if (file.quantized)
            program_.emplace(*file.quantized);
        else
            executor_.emplace(*file.real, threads);
    }
    [[nodiscard]] layer_values operator()(const quantal::tensor<float>& images) {
        layer_values values;
        values["output"] = program_ ? integers(images, values) : reals(images, values);
        return values;
    }
    /// The parameters of a layer's codes, or nullptr.
    [[nodiscard]] const quantal::qparams* params(const std::string& layer) const {
        if (!file_.quantized) return nullptr;
        const auto& all = file_.quantized->table().activations;
        const auto found = all.find(layer);
        return found == all.end() ? nullptr : &found->second;
    }

private:
    std::vector<float> reals(const quantal::tensor<float>& images, layer_values& values) {
        return (*executor_)(images,
                            [&](quantal::value v, const quantal::view<const float>& batch) {
                                auto& to = values[file_.real->at(v).name];
                                batch.for_each([&](float x, std::size_t) { to.push_back(x); });
                            })
            .values();
    }
    std::vector<float> integers(const quantal::tensor<float>& images, layer_values& values) {
        const auto& p = file_.quantized->plan();
        return program_
            ->run(images, threads_,
                  [&](quantal::value v, std::size_t, std::span<const std::int32_t> codes) {
                      const auto& q = activation_params(p, file_.quantized->table(), v);
                      auto& to = values[p.at(v).name];
                      for (const std::int32_t code : codes)
                          to.push_back(q.dequantize(code));
                  })
            .values();
    }

    const network_file& file_;
    int threads_;
    std::optional<quantal::cpu::program> program_;
    std::optional<quantal::cpu::executor> executor_;
};

} // namespace command

#endif
