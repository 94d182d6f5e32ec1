// SPDX-License-Identifier: Apache-2.0
#include <quantal/passes/equalize.hpp>

#include "support/networks.hpp"

#include <quantal/passes/optimize.hpp>
#include <quantal/runtime/program.hpp>

#include <boost/test/unit_test.hpp>

using namespace quantal;
using passes::bounded_activations;

namespace {

/// Every output channel of a random network's layers at a magnitude of its own.
graph uneven(graph net, std::mt19937& g) {
    support::randomize(net, g);
    net = passes::optimize(std::move(net));
    for (const node& n : net.nodes()) {
        if (!n.has_weight()) continue;
        tensor<float>& weight = net.parameters.at(n.name + ".weight");
        for (std::int64_t c = 0; c < weight.shape()[0]; ++c)
            for (float& w : weight.slice(c))
                w = std::ldexp(w, static_cast<int>(c % 9) - 4);
    }
    return net;
}

/// The largest weight of each output channel of a layer.
std::vector<float> largest_of_rows(const graph& net, const std::string& layer) {
    const tensor<float>& weight = net.parameters.at(layer + ".weight");
    std::vector<float> result;
    for (std::int64_t c = 0; c < weight.shape()[0]; ++c) {
        result.push_back(0.0f);
        for (const float w : weight.slice(c))
            result.back() = std::max(result.back(), std::abs(w));
    }
    return result;
}

graph two_layers(float bound = HUGE_VALF) {
    graph net;
    value x = net.input({1, 2, 1});
    x = net.conv2d("first", x, {.out_channels = 3});
    x = net.clip("relu", x, {.hi = bound});
    net.linear("second", net.flatten("flatten", x), {.out_features = 1});
    net.parameters = {
        {"first.weight", tensor<float>({3, 1, 1, 1}, {16.0f, 1.0f, 0.0f})},
        {"first.bias", tensor<float>({3}, {8.0f, 3.0f, 5.0f})},
        {"second.weight", tensor<float>({1, 6}, {0.5f, 1.0f, 2.0f, 3.0f, 4.0f, 5.0f})},
        {"second.bias", tensor<float>({1}, {1.0f})}};
    return passes::optimize(std::move(net));
}

bool same_parameters(const graph& a, const graph& b) {
    return std::equal(a.parameters.begin(), a.parameters.end(), b.parameters.begin(),
                      b.parameters.end(), [](const auto& x, const auto& y) {
                          return x.first == y.first &&
                                 std::ranges::equal(x.second.values(), y.second.values());
                      });
}

} // namespace

BOOST_AUTO_TEST_SUITE(passes_equalize)

BOOST_AUTO_TEST_CASE(by_hand) {
    // sqrt(16 / 1) = 4; sqrt(1 / 3) is nearest to 2^-1; a channel of zeros stays.
    const graph net = passes::equalize(two_layers());
    const auto is = [&](const char* name, const std::vector<float>& expected) {
        BOOST_TEST(net.parameters.at(name).values() == expected, boost::test_tools::per_element());
    };
    is("first.weight", {4.0f, 2.0f, 0.0f});
    is("first.bias", {2.0f, 6.0f, 5.0f});
    is("second.weight", {2.0f, 4.0f, 1.0f, 1.5f, 4.0f, 5.0f});
    is("second.bias", {1.0f});
}

BOOST_AUTO_TEST_CASE(the_network_computes_the_same_bits) {
    auto g = support::generator();
    for (const char* kind : networks::kinds) {
        const graph net = uneven(networks::by_kind(kind), g);
        const graph even = passes::equalize(net);
        const auto images = support::normal(g, net.input_shape().with_front(2));
        const auto before = reference_executor(net)(images, {});
        const auto after = reference_executor(even)(images, {});
        BOOST_TEST_CONTEXT(kind)
        BOOST_TEST(after.values() == before.values(), boost::test_tools::per_element());
        // All but the MobileNets, whose every activation is bounded or feeds a sum, have pairs.
        if (std::string(kind).starts_with("resnet") || std::string(kind) == "vgg16_bn")
            BOOST_TEST(!same_parameters(net, even));
    }
}

BOOST_AUTO_TEST_CASE(pairs_end_with_factors_of_one) {
    auto g = support::generator();
    const graph even = passes::equalize(uneven(networks::by_kind("vgg16_bn"), g));
    BOOST_TEST(same_parameters(even, passes::equalize(even)));
    // Where one layer's every channel is read by one matrix only, the two are alike within 2.
    const std::vector<float> made = largest_of_rows(even, "features.0");
    const tensor<float>& read = even.parameters.at("features.3.weight");
    for (std::size_t c = 0; c < made.size(); ++c) {
        float largest = 0.0f;
        for (std::size_t i = 0; i < read.size(); ++i)
            if (i / 9 % made.size() == c) largest = std::max(largest, std::abs(read[i]));
        BOOST_TEST(made[c] / largest <= 2.0f);
        BOOST_TEST(largest / made[c] <= 2.0f);
    }
}

BOOST_AUTO_TEST_CASE(bounded_activations_keep_their_pair_apart_or_are_replaced) {
    const graph net = two_layers(6.0f);
    BOOST_TEST(same_parameters(passes::equalize(net), net));
    const graph replaced = passes::equalize(net, bounded_activations::replace);
    BOOST_TEST(same_parameters(replaced, passes::equalize(two_layers())));
    BOOST_TEST((replaced.at(1).activation == op::clip{}));
}

BOOST_AUTO_TEST_CASE(depthwise_layers_are_read_and_read_channel_by_channel) {
    auto g = support::generator();
    const graph net = uneven(networks::by_kind("mobilenet_v2"), g);
    const graph even = passes::equalize(net, bounded_activations::replace);
    // Expansion, depthwise and projection: the depthwise layer is second of one pair, first of
    // another.
    const std::vector<float> expand = largest_of_rows(even, "features.2.conv.0.0");
    const std::vector<float> depthwise = largest_of_rows(even, "features.2.conv.1.0");
    for (std::size_t c = 0; c < expand.size(); ++c) {
        BOOST_TEST(expand[c] / depthwise[c] <= 2.0f);
        BOOST_TEST(depthwise[c] / expand[c] <= 2.0f);
    }
    // With its bounds replaced, the network without equalization computes the same bits.
    graph open;
    for (value v = 0; v < net.size(); ++v) {
        node n = net.at(v);
        n.activation = even.at(v).activation;
        open.append(std::move(n));
    }
    open.parameters = net.parameters;
    const auto images = support::normal(g, net.input_shape().with_front(2));
    BOOST_TEST(reference_executor(even)(images, {}).values() ==
                   reference_executor(open)(images, {}).values(),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(values_with_two_readers_are_left_alone) {
    graph net;
    value x = net.input({1, 1, 1});
    x = net.conv2d("a", x, {.out_channels = 1, .bias = false});
    const value y = net.conv2d("b", x, {.out_channels = 1, .bias = false});
    net.add("add", x, y);
    net.parameters = {{"a.weight", tensor<float>({1, 1, 1, 1}, {64.0f})},
                      {"b.weight", tensor<float>({1, 1, 1, 1}, {1.0f})}};
    BOOST_TEST(same_parameters(passes::equalize(net), net));
}

BOOST_AUTO_TEST_SUITE_END()
