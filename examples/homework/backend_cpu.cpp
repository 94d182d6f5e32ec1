// SPDX-License-Identifier: Apache-2.0
/// Without LibTorch: quantal's kernels run what is float, and its reference computes the integers a
/// second time, which takes too long to answer all images.
#include "backend.hpp"

#include <quantal/runtime/cpu/executor.hpp>
#include <quantal/runtime/cpu/program.hpp>
#include <quantal/runtime/simulate.hpp>

#include <memory>

namespace homework::backend {

const char* const name = "quantal";
const bool second_answers = false;

namespace {
int wanted_threads = 0;
} // namespace

void use_threads(int threads) {
    wanted_threads = threads;
}

float_network in_float(const quantal::graph& net) {
    const auto made = std::make_shared<quantal::cpu::executor>(net, wanted_threads);
    return
        [made](const tensor& x, const quantal::value_visitor& visit) { return (*made)(x, visit); };
}

answering simulation(const quantal::plan& p, const quantal::table& t) {
    return [made = quantal::cpu::program(simulated(p, t))](const tensor& x) {
        return made.run(x, wanted_threads);
    };
}

second_integers::second_integers(const quantal::plan&, const quantal::table&,
                                 const quantal::integer_network& n)
    : run_([made = quantal::program(n)](const tensor& x, int threads,
                                        const quantal::code_visitor& visit) {
          return made.run(x, threads, visit);
      }) {}

} // namespace homework::backend
