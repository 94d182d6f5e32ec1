// SPDX-License-Identifier: Apache-2.0
/// Epochs over a data set held in memory: the order of the images, how each of them is augmented,
/// the learning rate of each step, progress. All of it follows from the options and the epoch, so
/// that a training which was interrupted goes on with the same bits.
#ifndef QUANTAL_TORCH_EPOCHS_HPP
#define QUANTAL_TORCH_EPOCHS_HPP

#include <quantal/data/dataset.hpp>
#include <quantal/graph/graph.hpp>
#include <quantal/runtime/parallel.hpp>
#include <quantal/torch/augment.hpp>
#include <quantal/torch/tensor.hpp>
#include <quantal/torch/train_options.hpp>

#include <chrono>
#include <numbers>
#include <numeric>

namespace quantal {
inline namespace v0 {
namespace torch {

/// Where in the training a step is.
struct moment {
    double rate;  ///< the learning rate
    double share; ///< of all steps, those that are done
};
/// What one step of training found: the mean loss of its batch, and how many answers were right.
struct step_result {
    double loss, right;
};

class epochs {
public:
    /// Reads the whole set. Throws `data_error` for options out of range, `shape_error` if the data
    /// do not fit the network.
    epochs(const graph& net, const data::dataset& set, const train_options& options, int done)
        : options_(options), shape_(net.input_shape()), first_epoch_(done) {
        check(options);
        check_data(net, set);
        images_ = tensor<float>(shape_.with_front(static_cast<std::int64_t>(set.size())));
        labels_.resize(set.size());
        parallel_for(set.size(), thread_count(0, set.size()), [&](std::size_t i, std::size_t) {
            set.read(i, images_.slice(static_cast<std::int64_t>(i)));
            labels_[i] = set.label(i);
        });
        start_ = clock::now();
    }

    /// Epoch `epoch`, counted from 0: `step(images, labels, moment)` for each batch of tensors
    /// [N, C, H, W] and [N] returns a `step_result`. What is left of the images after the last
    /// whole batch is not used.
    template <class Step>
    void run(int epoch, Step&& step, const progress_callback& progress) const {
        std::mt19937_64 generator(options_.seed + static_cast<std::uint64_t>(epoch) + 1);
        std::vector<std::int64_t> order(labels_.size());
        std::iota(order.begin(), order.end(), std::int64_t{0});
        std::shuffle(order.begin(), order.end(), generator);
        const auto batch = static_cast<std::size_t>(options_.batch_size);
        const std::size_t steps = order.size() / batch;
        double loss_sum = 0.0, right = 0.0;
        for (std::size_t i = 0; i < steps; ++i) {
            const std::span<const std::int64_t> chosen(order.data() + i * batch, batch);
            const double time = epoch + static_cast<double>(i) / static_cast<double>(steps);
            const double share = time / options_.epochs;
            const tensor<float> images = augmented(chosen, generator);
            const step_result found =
                step(as_torch(images), labels(chosen), {learning_rate(options_, share), share});
            loss_sum += found.loss;
            right += found.right;
            if (!progress) continue;
            const auto done = static_cast<double>(i + 1);
            const double part = (epoch + done / static_cast<double>(steps) - first_epoch_) /
                                (options_.epochs - first_epoch_);
            const double seconds = std::chrono::duration<double>(clock::now() - start_).count();
            progress({epoch + 1, options_.epochs, static_cast<int>(i + 1), static_cast<int>(steps),
                      loss_sum / done, 100.0 * right / (done * static_cast<double>(batch)), seconds,
                      seconds / part - seconds});
        }
    }

    /// `f(images)` for the first `count` batches of the set, as they are.
    template <class F>
    void visit(std::size_t count, F&& f) const {
        const std::int64_t batch = options_.batch_size;
        for (std::int64_t i = 0; i < static_cast<std::int64_t>(count); ++i)
            if ((i + 1) * batch <= images_.shape()[0])
                f(as_torch(images_).slice(0, i * batch, (i + 1) * batch));
    }

private:
    using clock = std::chrono::steady_clock;

    void check_data(const graph& net, const data::dataset& set) const {
        if (set.size() < static_cast<std::size_t>(options_.batch_size))
            quantal::detail::fail<data_error>("training takes batches of ", options_.batch_size,
                                              " images, the data set has ", set.size());
        if (set.image_shape() != shape_)
            quantal::detail::fail<shape_error>("the network takes images of ", shape_,
                                               ", the data set has ", set.image_shape());
        const extents& output = net.at(net.output()).shape;
        if (output.rank() != 1 || output[0] < set.classes())
            quantal::detail::fail<shape_error>("the network puts out ", output,
                                               " values an image, the data set has ", set.classes(),
                                               " classes");
    }
    [[nodiscard]] tensor<float> augmented(std::span<const std::int64_t> chosen,
                                          std::mt19937_64& generator) const {
        tensor<float> batch(shape_.with_front(std::ssize(chosen)));
        for (std::size_t i = 0; i < chosen.size(); ++i) {
            const auto motion = random_motion(generator, options_.crop_padding, options_.flip);
            augment(shape_, images_.slice(chosen[i]), motion,
                    batch.slice(static_cast<std::int64_t>(i)));
        }
        return batch;
    }
    [[nodiscard]] at::Tensor labels(std::span<const std::int64_t> chosen) const {
        std::vector<std::int64_t> result;
        for (const std::int64_t i : chosen)
            result.push_back(labels_[static_cast<std::size_t>(i)]);
        return at::tensor(result, at::kLong);
    }
    /// A rise from 0, then half a cosine down to 0.
    [[nodiscard]] static double learning_rate(const train_options& o, double share) {
        const double cosine = 0.5 * (1.0 + std::cos(std::numbers::pi * share));
        const double rise = o.warm_up > 0.0 ? std::min(share / o.warm_up, 1.0) : 1.0;
        return o.learning_rate * cosine * rise;
    }

    train_options options_;
    extents shape_;
    int first_epoch_;
    tensor<float> images_;
    std::vector<std::int64_t> labels_;
    clock::time_point start_;
};

} // namespace torch
} // namespace v0
} // namespace quantal

#endif
