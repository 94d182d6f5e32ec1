// SPDX-License-Identifier: Apache-2.0
/// What every training has: options, a state to go on from, progress.
#ifndef QUANTAL_TORCH_TRAIN_OPTIONS_HPP
#define QUANTAL_TORCH_TRAIN_OPTIONS_HPP

#include <quantal/error.hpp>
#include <quantal/tensor/tensor.hpp>

#include <cmath>
#include <functional>
#include <map>
#include <string>

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
using progress_callback = std::function<void(const training_progress&)>;

} // namespace torch
} // namespace v0
} // namespace quantal

#endif
