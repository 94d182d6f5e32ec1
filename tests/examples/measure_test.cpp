// SPDX-License-Identifier: Apache-2.0
#include <measure.hpp>

#include <boost/test/unit_test.hpp>

using namespace quantal;

BOOST_AUTO_TEST_SUITE(examples_measure)

BOOST_AUTO_TEST_CASE(bytes_of_weights_by_hand) {
    graph net;
    const value x = net.input({1, 2, 2});
    const value c = net.conv2d("conv", x, {.out_channels = 3, .kernel = 1, .bias = true});
    net.linear("fc", net.flatten("flatten", c), {.out_features = 5, .bias = false});
    net.parameters.emplace("conv.weight", tensor<float>({3, 1, 1, 1}, {1.0f, 2.0f, 3.0f}));
    net.parameters.emplace("conv.bias", tensor<float>({3}));
    net.parameters.emplace("fc.weight", tensor<float>({5, 12}));
    const tensor<float> images({1, 1, 2, 2}, {1.0f, 2.0f, 3.0f, 4.0f});
    const auto bytes = [&](const quantization& q) {
        const plan p = place(net, q);
        return homework::bytes_of(p, calibrate(p, reference_executor(p.net), std::vector{images}));
    };
    // float32: 3 + 3 + 60 words. 4 bits: 3 codes in 2 bytes, 3 scales, 3 biases; 60 codes in 30, 5
    // scales.
    const auto four = bytes({.weights = w4});
    BOOST_TEST(four.real == 66u * 4);
    BOOST_TEST(four.packed == 2u + 12 + 12 + 30 + 20);
    // The convolution in float counts in full; one scale and one zero point for the other layer.
    const auto mixed = bytes(
        {.weights = {8, scheme::affine_signed, per_tensor, 0}, .layers = {{"conv", {}, {}, true}}});
    BOOST_TEST(mixed.packed == 24u + 60 + 8);
}

BOOST_AUTO_TEST_CASE(the_range_of_codes_reaches_from_the_lowest_to_the_highest) {
    const auto [lo, hi] = homework::range_of_codes({a8, {0.5f}, {64}});
    BOOST_TEST(lo == -32.0f);
    BOOST_TEST(hi == 95.5f);
}

BOOST_AUTO_TEST_SUITE_END()
