// SPDX-License-Identifier: Apache-2.0
/// The float32 network with fake quantizers: what other tools call the quantized model.
#ifndef QUANTAL_TORCH_SIMULATION_HPP
#define QUANTAL_TORCH_SIMULATION_HPP

#include <quantal/graph/plan.hpp>
#include <quantal/torch/evaluate.hpp>
#include <quantal/torch/quantize.hpp>
#include <quantal/torch/tensor.hpp>

namespace quantal {
inline namespace v0 {
namespace torch {

/// Weights of integer layers and every quantizer point pass through quantize and dequantize; the
/// rest, biases included, is float32.
class simulation {
public:
    /// Throws `graph_error` for layers with a dynamic input.
    simulation(const plan& p, const table& t)
        : plan_(p), table_(t), parameters_(parameters_of(plan_.net)) {
        for (value v = 0; v < p.net.size(); ++v) {
            if (p.roles[v].dynamic)
                quantal::detail::fail<graph_error>(
                    "layer \"", p.at(v).name,
                    "\" has a dynamic input, which the simulation does not have; the reference "
                    "backend computes it");
            if (!p.roles[v].weights) continue;
            at::Tensor& weight = parameters_.at(p.at(v).name + ".weight");
            weight = fake_quantize(weight, weight_params(p, t, v));
        }
    }
    simulation(const simulation&) = delete; // the parameters refer to the plan
    simulation& operator=(const simulation&) = delete;

    /// Runs images [N, C, H, W]; returns the output [N, ...].
    [[nodiscard]] tensor<float> run(const tensor<float>& images) const {
        const c10::InferenceMode inference;
        return from_torch(torch::run(
            plan_.net, as_torch(images), parameters_, false, [&](value v, const at::Tensor& y) {
                if (!plan_.roles[v].output) return y;
                return fake_quantize(y, activation_params(plan_, table_, v));
            }));
    }

private:
    plan plan_;
    table table_;
    parameter_map parameters_;
};

} // namespace torch
} // namespace v0
} // namespace quantal

#endif
