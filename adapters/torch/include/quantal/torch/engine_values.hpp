// SPDX-License-Identifier: Apache-2.0
/// Training with the integer engine's own values ("integer in the loop").
#ifndef QUANTAL_TORCH_ENGINE_VALUES_HPP
#define QUANTAL_TORCH_ENGINE_VALUES_HPP

#include <quantal/runtime/cpu/program.hpp>
#include <quantal/torch/quantized_training_network.hpp>

#include <ATen/Parallel.h>

namespace quantal {
inline namespace v0 {
namespace torch {

/// What the integer engine makes of images: the reals that the codes of each quantizer point stand
/// for, and the output. Biases, requantization and additions are rounded as in deployment.
class engine_values {
public:
    engine_values(const calibrated_plan& p, const at::Tensor& images) {
        const auto program = lower(quantize(p.plan, p.table), cpu::default_kernels());
        std::map<value, std::vector<float>> reals;
        std::map<value, const qparams*> params;
        for (const value v : p.plan.points()) {
            params[v] = &activation_params(p.plan, p.table, v);
            reals[v].resize(static_cast<std::size_t>(images.size(0)) * p.plan.at(v).shape.count());
        }
        const tensor<float> output =
            program.run(from_torch(images), at::get_num_threads(),
                        [&](value v, std::size_t image, std::span<const std::int32_t> codes) {
                            float* to = reals.at(v).data() + image * codes.size();
                            for (std::size_t i = 0; i < codes.size(); ++i)
                                to[i] = params.at(v)->dequantize(codes[i]);
                        });
        for (auto& [v, values] : reals)
            values_[v] = copy(
                tensor<float>(p.plan.at(v).shape.with_front(images.size(0)), std::move(values)));
        values_[p.plan.net.output()] = copy(output);
    }

    /// The engine's value of node `v`, with the gradient of what training makes of it, `q`.
    [[nodiscard]] at::Tensor operator()(value v, const at::Tensor&, const at::Tensor& q) const {
        const auto found = values_.find(v);
        return found == values_.end() ? q : found->second + (q - q.detach());
    }

private:
    [[nodiscard]] static at::Tensor copy(const tensor<float>& t) { return as_torch(t).clone(); }

    std::map<value, at::Tensor> values_;
};

} // namespace torch
} // namespace v0
} // namespace quantal

#endif
