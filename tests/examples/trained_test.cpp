// SPDX-License-Identifier: Apache-2.0
#include "trained.hpp"

#include "support/random.hpp"

#include <quantal/observe/mse.hpp>

#include <boost/test/unit_test.hpp>

using namespace homework;

namespace {

/// A network of two layers in few bits, on random weights.
quantal::integer_network few_bits() {
    auto g = support::generator();
    quantal::graph net;
    quantal::value x = net.input({2, 4, 4});
    x = net.conv2d("conv", x, {.out_channels = 3, .kernel = 3});
    net.linear("fc", net.flatten("flatten", x), {.out_features = 2});
    net.parameters = {{"conv.weight", support::normal(g, {3, 2, 3, 3})},
                      {"conv.bias", support::normal(g, {3})},
                      {"fc.weight", support::normal(g, {2, 12})},
                      {"fc.bias", support::normal(g, {2})}};
    quantal::plan plan = quantal::place(net, {quantal::w2, quantal::a4, {}});
    quantal::table t;
    for (const quantal::value v : plan.points())
        t.activations[plan.at(v).name] = {quantal::a4, {0.25f}, {7}};
    quantal::calibrate_weights(plan, t, quantal::observe::mse{});
    return quantal::quantize(std::move(plan), std::move(t));
}

} // namespace

BOOST_AUTO_TEST_SUITE(examples_trained)

BOOST_AUTO_TEST_CASE(codes_survive_their_reals) {
    const quantal::integer_network n = few_bits();
    const auto again = quantal::quantize(with_real_weights(n), n.table());
    for (const auto& [v, layer] : n.layers()) {
        BOOST_TEST((again.layer(v).bias == layer.bias));
        BOOST_TEST(again.layer(v).weights.packed() == layer.weights.packed(),
                   boost::test_tools::per_element());
    }
}

BOOST_AUTO_TEST_SUITE_END()
