// SPDX-License-Identifier: Apache-2.0
/// LibTorch runs what is float, and computes the integers from the graph and the table alone.
#include "backend.hpp"

#include <quantal/runtime/parallel.hpp>
#include <quantal/torch/exact_network.hpp>
#include <quantal/torch/float_network.hpp>
#include <quantal/torch/simulation.hpp>

#include <ATen/Parallel.h>

#include <memory>

namespace homework::backend {

const char* const name = "LibTorch";
const bool second_answers = true;

/// All cores may not be LibTorch's own default.
void use_threads(int threads) {
    at::set_num_threads(static_cast<int>(quantal::thread_count(threads, SIZE_MAX)));
}

// LibTorch's networks do not move: their parameters refer to them.
float_network in_float(const quantal::graph& net) {
    const auto made = std::make_shared<const quantal::torch::float_network>(net);
    return
        [made](const tensor& x, const quantal::value_visitor& visit) { return (*made)(x, visit); };
}

answering simulation(const quantal::plan& p, const quantal::table& t) {
    const auto made = std::make_shared<const quantal::torch::simulation>(p, t);
    return [made](const tensor& x) { return made->run(x); };
}

second_integers::second_integers(const quantal::plan& p, const quantal::table& t,
                                 const quantal::integer_network&) {
    const auto made = std::make_shared<const quantal::torch::exact_network>(p, t);
    run_ = [made](const tensor& x, int threads, const quantal::code_visitor& visit) {
        return made->run(x, threads, visit);
    };
}

} // namespace homework::backend
