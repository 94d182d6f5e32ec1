// SPDX-License-Identifier: Apache-2.0
/// What runs the float network and the simulation, and whose integers the engine's are held
/// against: LibTorch (backend_torch.cpp), or quantal itself in a build without it
/// (backend_cpu.cpp).
#ifndef QUANTAL_EXAMPLES_HOMEWORK_BACKEND_HPP
#define QUANTAL_EXAMPLES_HOMEWORK_BACKEND_HPP

#include <quantal/runtime/integer_network.hpp>
#include <quantal/runtime/program.hpp>

#include <functional>

namespace homework::backend {

extern const char* const name;
/// Whether the second integers answer all images, in a column of their own.
extern const bool second_answers;

/// For what is made from now on; 0: all cores.
void use_threads(int threads);

using tensor = quantal::tensor<float>;
/// Takes images and returns logits.
using answering = std::function<tensor(const tensor&)>;

/// The same, and shows the values in between.
using float_network = std::function<tensor(const tensor&, const quantal::value_visitor&)>;

/// A network with folded batch norms in float32.
[[nodiscard]] float_network in_float(const quantal::graph& net);

/// The float network with fake quantizers.
[[nodiscard]] answering simulation(const quantal::plan& p, const quantal::table& t);

/// The integers, computed without the engine.
class second_integers {
public:
    second_integers(const quantal::plan& p, const quantal::table& t,
                    const quantal::integer_network& n);

    [[nodiscard]] tensor run(const tensor& images, int threads = 0,
                             const quantal::code_visitor& visit = {}) const {
        return run_(images, threads, visit);
    }

private:
    std::function<tensor(const tensor&, int, const quantal::code_visitor&)> run_;
};

} // namespace homework::backend

#endif
