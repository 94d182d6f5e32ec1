// SPDX-License-Identifier: Apache-2.0
/// States of a training, for tests that compare them.
#ifndef QUANTAL_TESTS_TORCH_TRAINING_STATES_HPP
#define QUANTAL_TESTS_TORCH_TRAINING_STATES_HPP

#include <quantal/torch/train_options.hpp>

namespace support {

inline bool operator==(const quantal::torch::training_state& a,
                       const quantal::torch::training_state& b) {
    return a.epochs_done == b.epochs_done && a.parameters == b.parameters && a.momenta == b.momenta;
}

} // namespace support

#endif
