// SPDX-License-Identifier: Apache-2.0
#include <quantal/torch/float_network.hpp>

#include <quantal/models/by_name.hpp>
#include <quantal/passes/optimize.hpp>
#include <quantal/runtime/program.hpp>

#include "support/random.hpp"

#include <boost/test/unit_test.hpp>

using namespace quantal;
using quantal::torch::float_network;

namespace {

/// All values of a network, in the order in which the executor showed them.
template <float_executor E>
std::vector<std::pair<value, tensor<float>>> values_of(const E& executor,
                                                       const tensor<float>& images) {
    std::vector<std::pair<value, tensor<float>>> all;
    const tensor<float> output = executor(images, [&](value v, const view<const float>& batch) {
        tensor<float> copy(batch.shape());
        batch.for_each([&](float x, std::size_t i) { copy[i] = x; });
        all.emplace_back(v, std::move(copy));
    });
    BOOST_REQUIRE(!all.empty());
    BOOST_TEST((all.back().second == output));
    BOOST_TEST((executor(images, {}) == output));
    return all;
}

/// The largest difference of two tensors, as a part of the largest magnitude of the second.
double largest_relative_difference(const tensor<float>& a, const tensor<float>& b) {
    double difference = 0.0, magnitude = 0.0;
    for (std::size_t i = 0; i < b.size(); ++i) {
        difference = std::max(difference, std::abs(double{a[i]} - b[i]));
        magnitude = std::max(magnitude, std::abs(double{b[i]}));
    }
    BOOST_TEST(magnitude > 0.0); // else nothing was compared
    return difference / magnitude;
}

/// Both executors show every node once, in order, with values no further apart than `tolerance`.
void check_agreement(const graph& net, const tensor<float>& images, double tolerance) {
    const auto found = values_of(float_network(net), images);
    const auto expected = values_of(reference_executor(net), images);
    BOOST_REQUIRE(found.size() == net.size());
    BOOST_REQUIRE(expected.size() == net.size());
    for (value v = 0; v < net.size(); ++v)
        BOOST_TEST_CONTEXT("node " << net.at(v).name) {
            BOOST_TEST(found[v].first == v);
            BOOST_REQUIRE(
                (found[v].second.shape() == net.at(v).shape.with_front(images.shape()[0])));
            BOOST_TEST(largest_relative_difference(found[v].second, expected[v].second) <=
                       tolerance);
        }
}

/// One operator on random images of 6 channels, 9 rows and 7 columns, of both signs.
template <class Build>
void check_operator(double tolerance, Build&& build) {
    auto g = support::generator();
    graph net;
    build(net, net.input({6, 9, 7}));
    support::randomize(net, g);
    check_agreement(net, support::normal(g, {3, 6, 9, 7}, 4.0f), tolerance);
}

/// A sum of n products in any order is off by at most n 2^-24 of the sum of their magnitudes; n is
/// at most 200, and the largest value is not far below that sum. (Found: 5e-7.)
constexpr double of_sums = 200 * 0x1p-24;
/// Operators that move or choose values, or round once.
constexpr double to_the_bit = 0.0;

template <class Error>
void check_refused(const graph& net, const tensor<float>& images, const std::string& message) {
    BOOST_CHECK_EXCEPTION((void)float_network(net)(images, {}), Error, [&](const error& e) {
        BOOST_TEST_MESSAGE(e.what());
        return e.what() == message;
    });
}

} // namespace

BOOST_AUTO_TEST_SUITE(torch_float_network)

BOOST_AUTO_TEST_CASE(convolutions) {
    const op::conv2d variants[] = {
        {.out_channels = 5, .kernel = 3, .padding = 1},
        {.out_channels = 5, .kernel = {3, 2}, .stride = {1, 2}, .bias = false},
        {.out_channels = 4, .kernel = 3, .padding = {2, 0, 2, 0}, .groups = 2},
        {.out_channels = 4, .kernel = 3, .stride = 2, .padding = {0, 1, 2, 3}},
        {.out_channels = 3, .kernel = {2, 3}, .padding = {1, 2, 1, 2}, .dilation = {3, 2}},
        {.out_channels = 6, .kernel = 3, .padding = {0, 0, 1, 1}, .groups = 6, .bias = false},
        {.out_channels = 12, .kernel = 3, .dilation = 2, .groups = 3},
        {.out_channels = 2, .kernel = 3, .padding = {1, 0, 1, 2}},
        {.out_channels = 2, .kernel = 3, .padding = {2, 1, 0, 1}},
    };
    for (const op::conv2d& o : variants)
        BOOST_TEST_CONTEXT("convolution " << &o - variants) {
            check_operator(of_sums, [&](graph& net, value x) { net.conv2d("conv", x, o); });
        }
}

BOOST_AUTO_TEST_CASE(linear_layers) {
    for (const bool bias : {true, false})
        check_operator(of_sums * 2, [&](graph& net, value x) { // 378 products
            net.linear("fc", net.flatten("flatten", x), {.out_features = 11, .bias = bias});
        });
}

BOOST_AUTO_TEST_CASE(batch_norms_alone) {
    // A handful of roundings: the reference makes a factor and an offset first, which may cancel.
    check_operator(1e-5, [](graph& net, value x) { net.batch_norm("bn", x, {.eps = 0.125}); });
    check_operator(1e-5,
                   [](graph& net, value x) { net.batch_norm("bn", net.flatten("flatten", x)); });
}

BOOST_AUTO_TEST_CASE(clips_alone_and_fused) {
    const op::clip clips[] = {{}, {.hi = 6.0f}, {.lo = -1.5f, .hi = 2.5f}};
    for (const op::clip& c : clips) {
        check_operator(to_the_bit, [&](graph& net, value x) { net.clip("clip", x, c); });
        check_operator(to_the_bit, [&](graph& net, value x) {
            net.append({.name = "add", .op = op::add{}, .inputs = {x, x}, .activation = c});
        });
    }
    check_operator(to_the_bit, [](graph& net, value x) { net.relu("relu", x); });
    check_operator(to_the_bit, [](graph& net, value x) { net.relu6("relu6", x); });
}

BOOST_AUTO_TEST_CASE(max_pools) {
    const op::max_pool variants[] = {{},
                                     {.kernel = 3, .stride = 2, .padding = 1},
                                     {.kernel = {3, 2}, .stride = 1, .padding = {0, 1, 2, 0}}};
    for (const op::max_pool& o : variants)
        check_operator(to_the_bit, [&](graph& net, value x) { net.max_pool("pool", x, o); });
}

BOOST_AUTO_TEST_CASE(padding_of_a_max_pool_never_wins) {
    graph net;
    net.max_pool("pool", net.input({1, 2, 2}), {.kernel = 3, .stride = 2, .padding = 1});
    const tensor<float> y = float_network(net)(tensor<float>({1, 1, 2, 2}, {-4, -3, -2, -1}), {});
    BOOST_TEST((y == tensor<float>({1, 1, 1, 1}, {-1})));
}

BOOST_AUTO_TEST_CASE(average_pools) {
    const op::average_pool variants[] = {{},
                                         {.kernel = 3, .stride = 2, .padding = 1},
                                         {.kernel = {2, 3}, .stride = 1, .padding = {1, 0, 0, 2}}};
    for (const op::average_pool& o : variants)
        check_operator(of_sums, [&](graph& net, value x) { net.average_pool("pool", x, o); });
    check_operator(of_sums, [](graph& net, value x) { net.global_average_pool("pool", x); });
}

BOOST_AUTO_TEST_CASE(padding_of_an_average_pool_counts) {
    graph net;
    net.average_pool("pool", net.input({1, 2, 2}),
                     {.kernel = 2, .stride = 2, .padding = {1, 1, 1, 1}});
    const tensor<float> y = float_network(net)(tensor<float>({1, 1, 2, 2}, {4, 8, 12, 16}), {});
    BOOST_TEST((y == tensor<float>({1, 1, 2, 2}, {1, 2, 3, 4})));
}

BOOST_AUTO_TEST_CASE(adds_shortcuts_and_flattenings) {
    check_operator(to_the_bit, [](graph& net, value x) { net.add("add", net.relu("relu", x), x); });
    for (const hw stride : {hw(1), hw(2), hw(3, 2)})
        check_operator(to_the_bit, [&](graph& net, value x) {
            net.shortcut("shortcut", x,
                         {.stride = stride, .channels_before = 2, .channels_after = 1});
        });
    check_operator(to_the_bit, [](graph& net, value x) { net.flatten("flatten", x); });
}

BOOST_AUTO_TEST_CASE(whole_networks_agree_with_the_reference) {
    auto g = support::generator();
    models::options small = models::cifar10, same = models::cifar10;
    small.width = same.width = 0.25;
    same.same_padding = true;
    models::options large = small; // resnet18 with its max pool
    large.stem = models::stem::imagenet;
    large.size = 64;
    const std::pair<const char*, models::options> cases[] = {{"resnet20", small},
                                                             {"vgg16_bn", small},
                                                             {"mobilenet_v2", small},
                                                             {"mobilenet_v2", same},
                                                             {"resnet18", large}};
    for (const auto& [name, o] : cases)
        BOOST_TEST_CONTEXT(name << (o.same_padding ? " same" : "")) {
            graph net = models::by_name(name, o);
            support::randomize(net, g);
            const auto images = support::normal(g, {4, 3, o.size, o.size});
            // Errors of single layers (below 1e-6) add up over at most 53 of them.
            check_agreement(net, images, 5e-5);
            check_agreement(passes::optimize(net), images, 5e-5);
        }
}

BOOST_AUTO_TEST_CASE(missing_parameters_are_refused) {
    auto g = support::generator();
    graph net = models::resnet20(models::cifar10);
    const tensor<float> images({1, 3, 32, 32});
    check_refused<graph_error>(
        net, images, "layer \"conv1\" has no weight; load weights into the network first");
    support::randomize(net, g);
    for (const auto& [layer, parameter] :
         {std::pair{"layer2.1.conv2", "weight"}, std::pair{"bn1", "running_var"},
          std::pair{"bn1", "weight"}, std::pair{"linear", "bias"}}) {
        graph damaged = net;
        damaged.parameters.erase(std::string(layer) + '.' + parameter);
        check_refused<graph_error>(damaged, images,
                                   std::string("layer \"") + layer + "\" has no " + parameter +
                                       "; load weights into the network first");
    }
}

BOOST_AUTO_TEST_CASE(images_of_another_shape_are_refused) {
    auto g = support::generator();
    graph net = models::resnet20(models::cifar10);
    support::randomize(net, g);
    const std::pair<extents, std::string> cases[] = {{{2, 1, 32, 32}, "2x1x32x32"},
                                                     {{2, 3, 32, 31}, "2x3x32x31"},
                                                     {{3, 32, 32}, "3x32x32"},
                                                     {{}, "scalar"}};
    for (const auto& [shape, text] : cases)
        check_refused<shape_error>(net, tensor<float>(shape),
                                   "the network takes images of 3x32x32, a batch of shape " + text +
                                       " was given");
}

BOOST_AUTO_TEST_SUITE_END()
