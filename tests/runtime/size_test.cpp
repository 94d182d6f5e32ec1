// SPDX-License-Identifier: Apache-2.0
#include <quantal/passes/place.hpp>
#include <quantal/runtime/calibrate.hpp>
#include <quantal/runtime/program.hpp>
#include <quantal/runtime/size.hpp>

#include <boost/test/unit_test.hpp>

using namespace quantal;

namespace {

/// A convolution 2 to 3 channels, 1x1, without bias, and a linear layer 3 to 2 with one.
weight_size size_with(const quantization& q) {
    graph net;
    value x = net.conv2d("conv", net.input({2, 1, 1}), {.out_channels = 3, .bias = false});
    net.linear("fc", net.flatten("flatten", x), {.out_features = 2});
    net.parameters["conv.weight"] = tensor<float>({3, 2, 1, 1}, {1, 2, 3, 4, 5, 6});
    net.parameters["fc.weight"] = tensor<float>({2, 3}, {1, 2, 3, 4, 5, 6});
    net.parameters["fc.bias"] = tensor<float>({2}, {1, 2});
    const plan p = place(net, q);
    const tensor<float> image({1, 2, 1, 1}, {1, 2});
    return weight_bytes(quantize(p, calibrate(p, reference_executor(net), std::vector{image})));
}

} // namespace

BOOST_AUTO_TEST_SUITE(size_suite)

BOOST_AUTO_TEST_CASE(sizes_by_hand) {
    const weight_size eight = size_with({});
    BOOST_TEST(eight.float32 == 4u * (6 + 6 + 2));
    // conv: 6 codes, 3 scales, 3 biases; fc: 6 codes, 2 scales, 2 biases
    BOOST_TEST(eight.packed == 6u + 12 + 12 + 6 + 8 + 8);
    BOOST_TEST(eight.packed - size_with({.weights = w4}).packed == 6u);
}

BOOST_AUTO_TEST_CASE(zero_points_and_float_layers_count) {
    const qspec affine{.bits = 8, .kind = scheme::affine, .grain = per_channel};
    BOOST_TEST(size_with({.weights = affine}).packed == size_with({}).packed + 4u * 5);
    const weight_size mixed = size_with({.layers = {parse_rule("fc", "float")}});
    BOOST_TEST(mixed.packed == 6u + 12 + 12 + 4 * 8);
    const weight_size all = size_with({.layers = {parse_rule("*", "float")}});
    BOOST_TEST(all.packed == all.float32);
}

BOOST_AUTO_TEST_SUITE_END()
