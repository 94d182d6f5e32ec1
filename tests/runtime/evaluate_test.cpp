// SPDX-License-Identifier: Apache-2.0
#include <quantal/runtime/evaluate.hpp>

#include <quantal/passes/place.hpp>
#include <quantal/runtime/calibrate.hpp>

#include <boost/test/unit_test.hpp>

#include <limits>

using namespace quantal;

BOOST_AUTO_TEST_SUITE(runtime_evaluate)

BOOST_AUTO_TEST_CASE(predictions_are_the_first_of_the_largest) {
    const tensor<float> logits({3, 3}, {0.0f, 2.0f, 1.0f, 5.0f, 5.0f, -1.0f, -3.0f, -3.0f, -2.0f});
    BOOST_TEST(predictions(logits) == (std::vector{1, 0, 2}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(signal_to_noise_by_hand_and_infinite_without_noise) {
    graph net;
    value x = net.input({1, 1, 2});
    x = net.conv2d("dead", x, {.out_channels = 1, .bias = false});
    net.linear("fc", net.flatten("flatten", x), {.out_features = 1, .bias = false});
    net.parameters.emplace("dead.weight", tensor<float>({1, 1, 1, 1}));
    net.parameters.emplace("fc.weight", tensor<float>({1, 2}, {1.0f, 1.0f}));
    const plan p = place(net);
    table t;
    t.activations = {{"input", {a8, {1.0f}, {0}}}, {"dead", {a8, {1.0f}, {0}}}};
    calibrate_weights(p, t, observe::minmax{});
    // The codes of 3.25 and 4 are 3 and 4; the dead layer gives zeros, exactly.
    const tensor<float> image({1, 1, 1, 2}, {3.25f, 4.0f});
    const auto decibels = signal_to_noise(p, t, reference_executor(p.net), lower(p, t), image);
    BOOST_TEST(decibels.size() == 2u);
    BOOST_TEST(decibels.at(0) == 10.0 * std::log10((3.25 * 3.25 + 16.0) / 0.0625));
    BOOST_TEST(decibels.at(1) == std::numeric_limits<double>::infinity());
}

BOOST_AUTO_TEST_SUITE_END()
