// SPDX-License-Identifier: Apache-2.0
/// Training a network with quantizers (Jacob et al. 2018; Esser et al. 2020): SGD on weights,
/// batch norms and the quantizers' own parameters.
#ifndef QUANTAL_TORCH_TRAIN_QUANTIZED_HPP
#define QUANTAL_TORCH_TRAIN_QUANTIZED_HPP

#include <quantal/torch/descend.hpp>
#include <quantal/torch/engine_values.hpp>
#include <quantal/torch/epochs.hpp>

namespace quantal {
inline namespace v0 {
namespace torch {

struct quantized_train_options {
    train_options steps{.learning_rate = 0.04, .weight_decay = 1e-4};
    double scale_rate = 1.0;   ///< learning rate of quantizers, as a multiple of that of weights
    double largest_norm = 5.0; ///< of all gradients together; longer ones are shortened to it
    /// The share of the loss that is the distance from the float network's answers (Hinton et al.
    /// 2015), at `temperature`; the rest is that from the labels.
    double distillation = 0.5;
    double temperature = 4.0;
    /// The last part of all steps, in which batch norms use their running statistics and keep them.
    double frozen = 0.0;
    /// Whether values in that part are those of the integer engine (engine_values.hpp).
    bool integers = false;
};

class quantized_trainer {
public:
    /// Starts new, or goes on from `state` of an earlier trainer with the same options and network.
    /// `teacher` is the float network, optimized; it is run only if there is distillation.
    quantized_trainer(const quantized_training_network& net, const graph& teacher,
                      const data::dataset& set, const quantized_train_options& options,
                      training_state state = {})
        : net_(net), teacher_(teacher), teacher_parameters_(parameters_of(teacher_)),
          options_(options), state_(std::move(state)), parameters_of_epoch_(state_.parameters),
          epochs_(teacher, set, options.steps, state_.epochs_done) {
        if (parameters_of_epoch_.empty()) parameters_of_epoch_ = net.initial_parameters();
        for (auto& [name, values] : parameters_of_epoch_) {
            at::Tensor p = as_torch(values);
            if (name.find(".running_") == name.npos) {
                p.requires_grad_(true);
                momenta_.emplace(name, momentum_of(state_, name, values.shape()));
            }
            parameters_.emplace(name, std::move(p));
        }
    }
    quantized_trainer(const quantized_trainer&) = delete; // ATen tensors refer to the state
    quantized_trainer& operator=(const quantized_trainer&) = delete;

    [[nodiscard]] bool is_done() const { return state_.epochs_done >= options_.steps.epochs; }

    /// One epoch; the callback may be empty. Throws `data_error` with the layer's name if a value
    /// or a gradient is not finite.
    void run_epoch(const progress_callback& progress) {
        const auto step = [&](const at::Tensor& images, const at::Tensor& labels, moment now) {
            return train_step(images, labels, now);
        };
        epochs_.run(state_.epochs_done, step, progress);
        ++state_.epochs_done;
        state_.parameters = parameters_of_epoch_;
    }

    /// Lets the running statistics of the batch norms forget other weights than those of now: runs
    /// the first batches of the set, as they are.
    void estimate_statistics() {
        constexpr std::size_t batches = 64; // 0.9^64: 0.1 % of what they were is left
        const at::NoGradGuard no_grad;
        epochs_.visit(batches, [&](const at::Tensor& images) {
            (void)net_.run(images, parameters_, statistics::batch, as_it_is);
        });
        state_.parameters = parameters_of_epoch_;
    }

    /// After each epoch: what to save, to go on from here.
    [[nodiscard]] const training_state& state() const { return state_; }
    /// The network as it stands.
    [[nodiscard]] calibrated_plan deployed() const { return net_.deployed(parameters_); }

private:
    static at::Tensor as_it_is(value, const at::Tensor&, const at::Tensor& y) { return y; }

    step_result train_step(const at::Tensor& images, const at::Tensor& labels, moment now) {
        const at::Tensor logits = forward(images, now);
        const at::Tensor loss = loss_of(images, logits, labels);
        loss.backward();
        clip_gradients(images);
        for (auto& [name, momentum] : momenta_) {
            at::Tensor& p = parameters_.at(name);
            const bool is_weight = p.dim() > 1, is_scale = is_quantizers(name);
            descend(p, momentum,
                    {is_scale ? now.rate * options_.scale_rate : now.rate, options_.steps.momentum,
                     is_weight ? options_.steps.weight_decay : 0.0});
        }
        keep_positive();
        return {loss.item<double>(), right_answers(logits, labels)};
    }

    [[nodiscard]] at::Tensor forward(const at::Tensor& images, moment now) const {
        const bool frozen = now.share >= 1.0 - options_.frozen;
        const auto use = frozen ? statistics::running : statistics::batch;
        if (!frozen || !options_.integers) return net_.run(images, parameters_, use, as_it_is);
        return net_.run(images, parameters_, use, engine_values(deployed(), images));
    }

    [[nodiscard]] at::Tensor loss_of(const at::Tensor& images, const at::Tensor& logits,
                                     const at::Tensor& labels) const {
        const double share = options_.distillation, t = options_.temperature;
        at::Tensor loss = at::cross_entropy_loss(logits, labels) * (1.0 - share);
        if (share == 0.0) return loss;
        at::Tensor wanted;
        {
            const at::NoGradGuard no_grad;
            wanted = at::softmax(
                torch::run(teacher_, images, teacher_parameters_, false,
                           [](value, const at::Tensor& y) { return channels_last(y); }) /
                    t,
                1);
        }
        const at::Tensor found = at::log_softmax(logits / t, 1);
        return loss + at::kl_div(found, wanted, at::Reduction::Sum) *
                          (share * t * t / static_cast<double>(labels.size(0)));
    }

    [[nodiscard]] static bool is_quantizers(const std::string& name) {
        return name.ends_with(".scale") || name.ends_with(".offset") || name.ends_with(".alpha");
    }

    void clip_gradients(const at::Tensor& images) {
        const at::NoGradGuard no_grad;
        double sum = 0.0, statistics = 0.0;
        for (const auto& [name, p] : parameters_) {
            if (const at::Tensor g = p.grad(); g.defined())
                sum += at::sum(at::square(g.to(at::kDouble))).item<double>();
            if (!p.requires_grad()) statistics += at::sum(p).item<double>();
        }
        // Codes have no NaN: in the middle of a network only batch norms see it.
        if (!std::isfinite(sum + statistics)) refuse(images);
        const double factor = options_.largest_norm / std::sqrt(sum);
        if (factor >= 1.0) return;
        for (const auto& [name, momentum] : momenta_)
            if (at::Tensor g = parameters_.at(name).grad(); g.defined()) g.mul_(factor);
    }

    /// Names the first layer whose values are not finite, or else the first such gradient.
    void refuse(const at::Tensor& images) const {
        const auto check = [](const char* what, const std::string& name, const at::Tensor& y) {
            if (!at::isfinite(y).all().item<bool>())
                quantal::detail::fail<data_error>("training: ", what, " of \"", name,
                                                  "\" are not finite; a lower learning rate may "
                                                  "help");
        };
        const at::NoGradGuard no_grad;
        (void)net_.run(images, parameters_, statistics::batch,
                       [&](value v, const at::Tensor& y, const at::Tensor& codes) {
                           check("the values", net_.plan().at(v).name, y);
                           return codes;
                       });
        for (const auto& [name, p] : parameters_) {
            check("the values", name, p);
            if (p.grad().defined()) check("the gradients", name, p.grad());
        }
    }

    /// Scales, bounds, and the factors of batch norms stay above 0.
    void keep_positive() {
        const at::NoGradGuard no_grad;
        constexpr double least = 0x1p-20;
        for (auto& [name, p] : parameters_)
            if (name.ends_with(".scale") || name.ends_with(".alpha")) p.clamp_min_(least);
        for (value v = 0; v < net_.plan().net.size(); ++v)
            if (const node* norm = net_.norm_of(v))
                parameters_.at(norm->name + ".weight").clamp_min_(least);
    }

    const quantized_training_network& net_;
    graph teacher_;
    parameter_map teacher_parameters_; ///< refer to teacher_
    quantized_train_options options_;
    training_state state_;
    std::map<std::string, tensor<float>> parameters_of_epoch_;
    parameter_map parameters_, momenta_; ///< refer to parameters_of_epoch_ and state_
    epochs epochs_;
};

} // namespace torch
} // namespace v0
} // namespace quantal

#endif
