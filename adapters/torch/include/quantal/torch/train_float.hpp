// SPDX-License-Identifier: Apache-2.0
/// Training a float network: SGD with Nesterov momentum and a cosine learning rate.
#ifndef QUANTAL_TORCH_TRAIN_FLOAT_HPP
#define QUANTAL_TORCH_TRAIN_FLOAT_HPP

#include <quantal/graph/weights.hpp>
#include <quantal/torch/descend.hpp>
#include <quantal/torch/epochs.hpp>
#include <quantal/torch/evaluate.hpp>

namespace quantal {
inline namespace v0 {
namespace torch {

/// Initial parameters: weights normal with variance 2 / fan-out (He et al., Delving Deep into
/// Rectifiers, 2015), of linear layers 1 / fan-in; batch norms neutral, biases 0.
[[nodiscard]] inline std::map<std::string, tensor<float>> initial_parameters(const graph& net,
                                                                             std::uint64_t seed) {
    std::mt19937_64 generator(seed);
    std::map<std::string, tensor<float>> result;
    for (const auto& [name, shape] : parameter_shapes(net)) {
        tensor<float> values(shape);
        const bool neutral =
            shape.rank() == 1 && (name.ends_with(".weight") || name.ends_with(".running_var"));
        if (neutral) std::fill(values.values().begin(), values.values().end(), 1.0f);
        if (shape.rank() > 1) {
            const double fan =
                shape.rank() == 4 ? double(shape[0] * shape[2] * shape[3]) / 2.0 : double(shape[1]);
            std::normal_distribution<float> normal(0.0f, static_cast<float>(1.0 / std::sqrt(fan)));
            for (float& v : values.values())
                v = normal(generator);
        }
        result.emplace(name, std::move(values));
    }
    return result;
}

/// Trains a network epoch by epoch on one data set held in memory.
class trainer {
public:
    /// Starts new, or goes on from `state` of an earlier trainer with the same options. Throws
    /// `data_error` for options out of range, `shape_error` if the data do not fit the network.
    trainer(const graph& net, const data::dataset& set, const train_options& options,
            training_state state = {})
        : net_(net), options_(options), state_(std::move(state)),
          epochs_(net, set, options, state_.epochs_done) {
        if (state_.parameters.empty()) state_.parameters = initial_parameters(net, options.seed);
        load_weights(net_, state_.parameters);
        parameters_ = parameters_of(net_);
        for (auto& [name, p] : parameters_) {
            if (name.find(".running_") != name.npos) continue;
            p.requires_grad_(true);
            momenta_.emplace(name, momentum_of(state_, name, net_.parameters.at(name).shape()));
        }
    }
    trainer(const trainer&) = delete; // ATen tensors refer to the state
    trainer& operator=(const trainer&) = delete;

    [[nodiscard]] bool is_done() const { return state_.epochs_done >= options_.epochs; }

    /// One epoch; the callback may be empty.
    void run_epoch(const progress_callback& progress) {
        const auto step = [&](const at::Tensor& images, const at::Tensor& labels, moment now) {
            return train_step(images, labels, now.rate);
        };
        epochs_.run(state_.epochs_done, step, progress);
        ++state_.epochs_done;
        state_.parameters = net_.parameters;
    }

    /// After each epoch: what to save, to go on from here.
    [[nodiscard]] const training_state& state() const { return state_; }

private:
    step_result train_step(const at::Tensor& images, const at::Tensor& labels, double rate) {
        const at::Tensor logits =
            run(net_, images, parameters_, true, [](value, const at::Tensor& y) { return y; });
        const at::Tensor loss = at::cross_entropy_loss(logits, labels);
        loss.backward();
        for (auto& [name, momentum] : momenta_) {
            at::Tensor& p = parameters_.at(name);
            const double decay = p.dim() > 1 ? options_.weight_decay : 0.0;
            descend(p, momentum, {rate, options_.momentum, decay});
        }
        return {loss.item<double>(), right_answers(logits, labels)};
    }

    graph net_;
    train_options options_;
    training_state state_;
    parameter_map parameters_, momenta_; ///< refer to net_ and state_
    epochs epochs_;
};

} // namespace torch
} // namespace v0
} // namespace quantal

#endif
