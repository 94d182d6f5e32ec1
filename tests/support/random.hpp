// SPDX-License-Identifier: Apache-2.0
/// Random numbers of tests: one printed seed, the same on every run.
#ifndef QUANTAL_TESTS_SUPPORT_RANDOM_HPP
#define QUANTAL_TESTS_SUPPORT_RANDOM_HPP

#include <quantal/graph/weights.hpp>

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <random>

namespace support {

inline constexpr unsigned seed = 20261123;

/// A generator that says its seed when a check of the test fails.
inline std::mt19937 generator() {
    BOOST_TEST_MESSAGE("seed " << seed);
    return std::mt19937(seed);
}

inline quantal::tensor<float> normal(std::mt19937& g, const quantal::extents& shape,
                                     float deviation = 1.0f) {
    std::normal_distribution<float> distribution(0.0f, deviation);
    quantal::tensor<float> t(shape);
    for (float& v : t.values())
        v = distribution(g);
    return t;
}

/// Random parameters that keep activations near 1: He's deviation for weights, positive variances,
/// batch norm factors of both signs.
inline void randomize(quantal::graph& net, std::mt19937& g) {
    for (const auto& [name, shape] : parameter_shapes(net)) {
        const auto fan_in =
            static_cast<float>(shape.rank() > 1 ? shape.without_front().count() : 1);
        auto values = normal(g, shape, shape.rank() > 1 ? std::sqrt(2.0f / fan_in) : 1.0f);
        if (name.ends_with("running_var"))
            for (float& v : values.values())
                v = 0.5f + std::abs(v);
        net.parameters.insert_or_assign(name, std::move(values));
    }
}

} // namespace support

#endif
