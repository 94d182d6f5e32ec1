// SPDX-License-Identifier: Apache-2.0
/// LibTorch runs what is float, and computes the integers from the graph and the table alone.
#include "backend.hpp"

#include <quantal/runtime/parallel.hpp>
#include <quantal/torch/exact_network.hpp>
#include <quantal/torch/float_network.hpp>
#include <quantal/torch/simulation.hpp>

#include <ATen/Parallel.h>

namespace homework::backend {

const char* const name = "LibTorch";
const bool second_answers = true;

/// All cores may not be LibTorch's own default.
void use_threads(int threads) {
    at::set_num_threads(static_cast<int>(quantal::thread_count(threads, SIZE_MAX)));
}

struct float_network::body : quantal::torch::float_network {
    using quantal::torch::float_network::float_network;
};
float_network::float_network(const quantal::graph& net) : body_(std::make_shared<body>(net)) {}
quantal::tensor<float> float_network::operator()(const quantal::tensor<float>& images,
                                                 const quantal::value_visitor& visit) const {
    return (*body_)(images, visit);
}

struct simulation::body : quantal::torch::simulation {
    using quantal::torch::simulation::simulation;
};
simulation::simulation(const quantal::plan& p, const quantal::table& t)
    : body_(std::make_shared<body>(p, t)) {}
quantal::tensor<float> simulation::run(const quantal::tensor<float>& images) const {
    return body_->run(images);
}

struct second_integers::body : quantal::torch::exact_network {
    using quantal::torch::exact_network::exact_network;
};
second_integers::second_integers(const quantal::plan& p, const quantal::table& t,
                                 const quantal::integer_network&)
    : body_(std::make_shared<body>(p, t)) {}
quantal::tensor<float> second_integers::run(const quantal::tensor<float>& images, int threads,
                                            const quantal::code_visitor& visit) const {
    return body_->run(images, threads, visit);
}

} // namespace homework::backend
