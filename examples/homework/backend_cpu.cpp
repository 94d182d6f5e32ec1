// SPDX-License-Identifier: Apache-2.0
/// Without LibTorch: quantal's kernels run what is float, and its reference computes the integers a
/// second time, which takes too long to answer all images.
#include "backend.hpp"

#include <quantal/runtime/cpu/executor.hpp>
#include <quantal/runtime/cpu/program.hpp>
#include <quantal/runtime/simulate.hpp>

namespace homework::backend {

const char* const name = "quantal";
const bool second_answers = false;

namespace {
int wanted_threads = 0;
} // namespace

void use_threads(int threads) {
    wanted_threads = threads;
}

struct float_network::body : quantal::cpu::executor {
    using quantal::cpu::executor::executor;
};
float_network::float_network(const quantal::graph& net)
    : body_(std::make_shared<body>(net, wanted_threads)) {}
quantal::tensor<float> float_network::operator()(const quantal::tensor<float>& images,
                                                 const quantal::value_visitor& visit) const {
    return (*body_)(images, visit);
}

struct simulation::body : quantal::cpu::program {
    using quantal::cpu::program::program;
};
simulation::simulation(const quantal::plan& p, const quantal::table& t)
    : body_(std::make_shared<body>(simulated(p, t))) {}
quantal::tensor<float> simulation::run(const quantal::tensor<float>& images) const {
    return body_->run(images, wanted_threads);
}

struct second_integers::body : quantal::program {
    using quantal::program::program;
};
second_integers::second_integers(const quantal::plan&, const quantal::table&,
                                 const quantal::integer_network& n)
    : body_(std::make_shared<body>(n)) {}
quantal::tensor<float> second_integers::run(const quantal::tensor<float>& images, int threads,
                                            const quantal::code_visitor& visit) const {
    return body_->run(images, threads, visit);
}

} // namespace homework::backend
