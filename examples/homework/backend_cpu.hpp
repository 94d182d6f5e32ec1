// SPDX-License-Identifier: Apache-2.0
/// Without LibTorch: quantal's kernels run what is float, and its reference computes the integers a
/// second time.
#ifndef QUANTAL_EXAMPLES_HOMEWORK_BACKEND_CPU_HPP
#define QUANTAL_EXAMPLES_HOMEWORK_BACKEND_CPU_HPP

#include <quantal/runtime/cpu/executor.hpp>
#include <quantal/runtime/cpu/program.hpp>
#include <quantal/runtime/simulate.hpp>

namespace homework::backend {

inline constexpr const char* name = "quantal";
/// Whether the second integers answer all images; the reference takes too long.
inline constexpr bool second_answers = false;

inline int threads = 0;
inline void use_threads(int wanted) {
    threads = wanted;
}

struct float_network : quantal::cpu::executor {
    explicit float_network(const quantal::graph& net) : executor(net, threads) {}
};

class simulation {
public:
    simulation(const quantal::plan& p, const quantal::table& t) : program_(simulated(p, t)) {}
    [[nodiscard]] quantal::tensor<float> run(const quantal::tensor<float>& images) const {
        return program_.run(images, threads);
    }

private:
    quantal::cpu::program program_;
};

using second_program = quantal::program;

[[nodiscard]] inline second_program second_integers(const quantal::plan&, const quantal::table&,
                                                    const quantal::integer_network& codes) {
    return quantal::lower(codes);
}

} // namespace homework::backend

#endif
