// SPDX-License-Identifier: Apache-2.0
/// LibTorch runs what is float, and computes the integers a second time.
#ifndef QUANTAL_EXAMPLES_HOMEWORK_BACKEND_TORCH_HPP
#define QUANTAL_EXAMPLES_HOMEWORK_BACKEND_TORCH_HPP

#include <quantal/runtime/integer_network.hpp>
#include <quantal/runtime/parallel.hpp>
#include <quantal/torch/exact_network.hpp>
#include <quantal/torch/float_network.hpp>
#include <quantal/torch/simulation.hpp>

#include <ATen/Parallel.h>

namespace homework::backend {

inline constexpr const char* name = "LibTorch";
/// Whether the second integers answer all images, in a column of their own.
inline constexpr bool second_answers = true;

/// 0: all cores, which LibTorch's own default may not be.
inline void use_threads(int threads) {
    at::set_num_threads(static_cast<int>(quantal::thread_count(threads, SIZE_MAX)));
}

using quantal::torch::float_network;
using quantal::torch::simulation;

using second_program = quantal::torch::exact_network;

[[nodiscard]] inline second_program second_integers(const quantal::plan& p, const quantal::table& t,
                                                    const quantal::integer_network&) {
    return {p, t};
}

} // namespace homework::backend

#endif
