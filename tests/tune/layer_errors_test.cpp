// SPDX-License-Identifier: Apache-2.0
#include <quantal/tune/layer_errors.hpp>

#include "support/networks.hpp"

#include <quantal/runtime/evaluate.hpp>

#include <boost/test/unit_test.hpp>

using namespace quantal;

BOOST_AUTO_TEST_SUITE(tune_layer_errors)

BOOST_AUTO_TEST_CASE(one_layer_by_hand) {
    graph net;
    const value x = net.input({1, 1, 4});
    net.linear("fc", net.flatten("flatten", x), {.out_features = 1, .bias = false});
    net.parameters.emplace("fc.weight", tensor<float>({1, 4}, {1.0f, 0.4f, 0.0f, 0.0f}));
    const plan p = place(net, {.weights = w2, .activations = activation_spec(2)});
    table t;
    t.activations = {{"input", {activation_spec(2), {1.0f}, {0}}}}; // codes 0, 1, 2, 3
    t.weights = {{"fc", {w2, {1.0f}, {0}}}};                        // weights 1, 0, 0, 0
    const tensor<float> image({1, 1, 1, 4}, {0.75f, 5.0f, 3.25f, -0.5f});
    const auto errors = tune::layer_errors(net, p, t, image);
    BOOST_REQUIRE(errors.size() == 1u);
    const tune::layer_error& input = errors[0];
    const double signal = 0.75 * 0.75 + 25.0 + 3.25 * 3.25 + 0.25;
    const double noise = 0.0625 + 4.0 + 0.0625 + 0.25; // 5 is clipped; 3.25 and -0.5 are rounded
    BOOST_TEST(input.node == 0u);
    const auto close = boost::test_tools::tolerance(1e-12);
    BOOST_TEST(input.signal_to_noise == 10.0 * std::log10(signal / noise), close);
    BOOST_TEST(input.own_signal_to_noise == input.signal_to_noise, close);
    BOOST_TEST(input.clipping_share == 4.0 / noise, close);
    BOOST_TEST(input.cosine == (0.75 + 15.0 + 9.75) / std::sqrt(signal * (1.0 + 9.0 + 9.0)), close);
    // The output is 2.75; with a quantized input it is 1 + 0.4 * 3, a float32 number.
    BOOST_TEST(input.output_signal_to_noise == 20.0 * std::log10(2.75 / 0.55),
               boost::test_tools::tolerance(1e-6));
}

BOOST_AUTO_TEST_CASE(reports_of_whole_networks) {
    for (const char* kind : {"operators", "resnet20"}) {
        const networks::calibrated c = networks::make(kind, {.weights = w4});
        const auto errors = tune::layer_errors(c.network.net, c.network, c.table, c.images);
        BOOST_TEST(errors.size() == c.network.points().size());
        const auto expected = signal_to_noise(c.network, c.table, cpu::executor(c.network.net),
                                              lower(c.network, c.table), c.images);
        for (std::size_t i = 0; i < errors.size(); ++i) {
            const tune::layer_error& e = errors[i];
            BOOST_TEST(e.signal_to_noise == expected.at(e.node),
                       boost::test_tools::tolerance(1e-9));
            BOOST_TEST(e.signal_to_noise <= e.own_signal_to_noise + 1.0);
            BOOST_TEST((e.cosine > 0.0 && e.cosine <= 1.0 + 1e-12));
            BOOST_TEST((e.clipping_share >= 0.0 && e.clipping_share <= 1.0));
            BOOST_TEST(
                (i == 0 || errors[i - 1].output_signal_to_noise <= e.output_signal_to_noise));
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
