// SPDX-License-Identifier: Apache-2.0
/// What runs the float network and the simulation, and whose integers the engine's are held
/// against: LibTorch (backend_torch.cpp), or quantal itself in a build without it
/// (backend_cpu.cpp).
#ifndef QUANTAL_EXAMPLES_HOMEWORK_BACKEND_HPP
#define QUANTAL_EXAMPLES_HOMEWORK_BACKEND_HPP

#include <quantal/runtime/integer_network.hpp>
#include <quantal/runtime/program.hpp>

#include <memory>

namespace homework::backend {

extern const char* const name;
/// Whether the second integers answer all images, in a column of their own.
extern const bool second_answers;

/// For what is made from now on; 0: all cores.
void use_threads(int threads);

/// A network with folded batch norms in float32.
class float_network {
public:
    explicit float_network(const quantal::graph& net);

    quantal::tensor<float> operator()(const quantal::tensor<float>& images,
                                      const quantal::value_visitor& visit) const;

private:
    struct body;
    std::shared_ptr<body> body_;
};

/// The float network with fake quantizers.
class simulation {
public:
    simulation(const quantal::plan& p, const quantal::table& t);

    [[nodiscard]] quantal::tensor<float> run(const quantal::tensor<float>& images) const;

private:
    struct body;
    std::shared_ptr<body> body_;
};

/// The integers, computed without the engine.
class second_integers {
public:
    second_integers(const quantal::plan& p, const quantal::table& t,
                    const quantal::integer_network& n);

    [[nodiscard]] quantal::tensor<float> run(const quantal::tensor<float>& images, int threads = 0,
                                             const quantal::code_visitor& visit = {}) const;

private:
    struct body;
    std::shared_ptr<body> body_;
};

} // namespace homework::backend

#endif
