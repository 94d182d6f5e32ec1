// SPDX-License-Identifier: Apache-2.0
/// Training a float network: SGD with Nesterov momentum and a cosine learning rate.
#ifndef QUANTAL_TORCH_TRAIN_FLOAT_HPP
#define QUANTAL_TORCH_TRAIN_FLOAT_HPP

#include <quantal/data/dataset.hpp>
#include <quantal/graph/weights.hpp>
#include <quantal/runtime/parallel.hpp>
#include <quantal/torch/augment.hpp>
#include <quantal/torch/evaluate.hpp>

#include <chrono>
#include <cmath>
#include <functional>
#include <numbers>
#include <numeric>
#include <random>

namespace quantal {
inline namespace v0 {
namespace torch {

struct train_options {
    int epochs = 10;
    int batch_size = 128;
    double learning_rate = 0.1; ///< the highest; a half cosine brings it to 0
    double warm_up = 0.05;      ///< the part of all steps in which it rises from 0
    double momentum = 0.9;      ///< Nesterov's
    double weight_decay = 5e-4; ///< of convolution and linear weights only
    int crop_padding = 4;       ///< random crops of the image padded by so many zeros
    bool flip = true;           ///< random horizontal flips
    std::uint64_t seed = 1;     ///< of the initial weights; epoch e shuffles with seed + e
};

/// Throws `data_error` unless a training can have these options.
inline void check(const train_options& o) {
    using quantal::detail::fail;
    if (o.epochs < 1 || o.batch_size < 1 || o.crop_padding < 0)
        fail<data_error>("a training of ", o.epochs, " epochs with batches of ", o.batch_size,
                         " images and crops of images padded by ", o.crop_padding,
                         "; there is at least one epoch, one image and a padding of 0");
    const auto within = [](const char* what, double x, bool allowed, const char* range) {
        if (!allowed) fail<data_error>("a training with the ", what, ' ', x, "; it is ", range);
    };
    const double rate = o.learning_rate, decay = o.weight_decay;
    within("learning rate", rate, std::isfinite(rate) && rate > 0.0, "finite and above 0");
    within("weight decay", decay, std::isfinite(decay) && decay >= 0.0, "finite and 0 or more");
    within("warm-up", o.warm_up, o.warm_up >= 0.0 && o.warm_up <= 1.0, "a part from 0 to 1");
    within("momentum", o.momentum, o.momentum >= 0.0 && o.momentum < 1.0, "0 or more, below 1");
}

/// All that an interrupted training needs to go on exactly.
struct training_state {
    int epochs_done = 0;
    std::map<std::string, tensor<float>> parameters; ///< batch norms' running values included
    std::map<std::string, tensor<float>> momenta;
};

/// Where a training stands.
struct training_progress {
    int epoch, epochs;     ///< epoch counts from 1
    int step, steps;       ///< within the epoch
    double loss, accuracy; ///< mean of the epoch so far; accuracy in per cent
    double seconds, seconds_left;
};

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
    using progress_callback = std::function<void(const training_progress&)>;

    /// Starts new, or goes on from `state` of an earlier trainer with the same options. Throws
    /// `data_error` for options out of range, `shape_error` if the data do not fit the network.
    trainer(const graph& net, const data::dataset& set, const train_options& options,
            training_state state = {})
        : net_(net), options_(options), state_(std::move(state)) {
        check(options_);
        if (state_.parameters.empty()) state_.parameters = initial_parameters(net, options.seed);
        load_weights(net_, state_.parameters);
        for (auto& [name, values] : net_.parameters) {
            at::Tensor p = as_torch(values);
            if (name.find(".running_") == name.npos) {
                p.requires_grad_(true);
                auto [momentum, fresh] = state_.momenta.try_emplace(name, values.shape());
                if (momentum->second.shape() != values.shape())
                    quantal::detail::fail<graph_error>("the momentum of \"", name, "\" has shape ",
                                                       momentum->second.shape(), ", not ",
                                                       values.shape());
                momenta_.emplace(name, as_torch(momentum->second));
            }
            parameters_.emplace(name, std::move(p));
        }
        read(set);
    }
    trainer(const trainer&) = delete; // ATen tensors refer to the state
    trainer& operator=(const trainer&) = delete;

    [[nodiscard]] bool is_done() const { return state_.epochs_done >= options_.epochs; }

    /// One epoch; the callback may be empty.
    void run_epoch(const progress_callback& progress) {
        const int epoch = state_.epochs_done;
        std::mt19937_64 generator(options_.seed + static_cast<std::uint64_t>(epoch) + 1);
        std::vector<std::int64_t> order(labels_.size());
        std::iota(order.begin(), order.end(), std::int64_t{0});
        std::shuffle(order.begin(), order.end(), generator);
        const auto batch = static_cast<std::size_t>(options_.batch_size);
        const std::size_t steps = order.size() / batch;
        double loss_sum = 0.0, right = 0.0;
        for (std::size_t step = 0; step < steps; ++step) {
            const std::span<const std::int64_t> chosen(order.data() + step * batch, batch);
            set_learning_rate(static_cast<double>(epoch) +
                              static_cast<double>(step) / static_cast<double>(steps));
            const auto [loss, hits] = train_step(chosen, generator);
            loss_sum += loss;
            right += hits;
            if (!progress) continue;
            const auto done = static_cast<double>(step + 1);
            const double share = (epoch + done / static_cast<double>(steps) - first_epoch_) /
                                 (options_.epochs - first_epoch_);
            const double seconds = elapsed();
            progress({epoch + 1, options_.epochs, static_cast<int>(step + 1),
                      static_cast<int>(steps), loss_sum / done,
                      100.0 * right / (done * static_cast<double>(batch)), seconds,
                      seconds / share - seconds});
        }
        ++state_.epochs_done;
        state_.parameters = net_.parameters;
    }

    /// After each epoch: what to save, to go on from here.
    [[nodiscard]] const training_state& state() const { return state_; }

private:
    void read(const data::dataset& set) {
        if (set.size() < static_cast<std::size_t>(options_.batch_size))
            quantal::detail::fail<data_error>("training takes batches of ", options_.batch_size,
                                              " images, the data set has ", set.size());
        if (set.image_shape() != net_.input_shape())
            quantal::detail::fail<shape_error>("the network takes images of ", net_.input_shape(),
                                               ", the data set has ", set.image_shape());
        const extents& output = net_.at(net_.output()).shape;
        if (output.rank() != 1 || output[0] < set.classes())
            quantal::detail::fail<shape_error>("the network puts out ", output,
                                               " values an image, the data set has ", set.classes(),
                                               " classes");
        const auto count = static_cast<std::int64_t>(set.size());
        images_ = tensor<float>(set.image_shape().with_front(count));
        labels_.resize(set.size());
        parallel_for(set.size(), thread_count(0, set.size()), [&](std::size_t i, std::size_t) {
            set.read(i, images_.slice(static_cast<std::int64_t>(i)));
            labels_[i] = set.label(i);
        });
        start_ = std::chrono::steady_clock::now();
        first_epoch_ = state_.epochs_done;
    }

    /// `time` in epochs.
    void set_learning_rate(double time) {
        const double share = time / options_.epochs;
        const double cosine = 0.5 * (1.0 + std::cos(std::numbers::pi * share));
        const double rise = options_.warm_up > 0.0 ? std::min(share / options_.warm_up, 1.0) : 1.0;
        learning_rate_ = options_.learning_rate * cosine * rise;
    }

    struct step_result {
        double loss, right;
    };
    step_result train_step(std::span<const std::int64_t> chosen, std::mt19937_64& generator) {
        const extents& shape = net_.input_shape();
        tensor<float> batch(shape.with_front(std::ssize(chosen)));
        std::vector<std::int64_t> labels;
        for (std::size_t i = 0; i < chosen.size(); ++i) {
            const auto motion = random_motion(generator, options_.crop_padding, options_.flip);
            augment(shape, images_.slice(chosen[i]), motion,
                    batch.slice(static_cast<std::int64_t>(i)));
            labels.push_back(labels_[static_cast<std::size_t>(chosen[i])]);
        }
        const at::Tensor target = at::tensor(labels, at::kLong);
        const at::Tensor logits = run(net_, as_torch(batch), parameters_, true,
                                      [](value, const at::Tensor& y) { return y; });
        const at::Tensor loss = at::cross_entropy_loss(logits, target);
        loss.backward();
        descend();
        return {loss.item<double>(),
                static_cast<double>(logits.argmax(1).eq(target).sum().item<std::int64_t>())};
    }

    /// `g += decay * p; v = momentum * v + g; p -= rate * (g + momentum * v)`.
    void descend() {
        const at::NoGradGuard no_grad;
        for (auto& [name, momentum] : momenta_) {
            at::Tensor& p = parameters_.at(name);
            at::Tensor gradient = p.grad();
            if (p.dim() > 1) gradient = gradient.add(p, options_.weight_decay);
            momentum.mul_(options_.momentum).add_(gradient);
            p.add_(gradient.add(momentum, options_.momentum), -learning_rate_);
            p.mutable_grad().zero_();
        }
    }

    [[nodiscard]] double elapsed() const {
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    }

    graph net_;
    train_options options_;
    training_state state_;
    parameter_map parameters_, momenta_; ///< refer to net_ and state_
    tensor<float> images_;
    std::vector<std::int64_t> labels_;
    double learning_rate_ = 0.0;
    std::chrono::steady_clock::time_point start_;
    int first_epoch_ = 0;
};

} // namespace torch
} // namespace v0
} // namespace quantal

#endif
