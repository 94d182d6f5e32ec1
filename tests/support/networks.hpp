// SPDX-License-Identifier: Apache-2.0
/// Small random networks with plans and tables.
#ifndef QUANTAL_TESTS_SUPPORT_NETWORKS_HPP
#define QUANTAL_TESTS_SUPPORT_NETWORKS_HPP

#include <quantal/models/by_name.hpp>
#include <quantal/passes/optimize.hpp>
#include <quantal/passes/place.hpp>
#include <quantal/runtime/calibrate.hpp>
#include <quantal/runtime/trace.hpp>

#include "support/random.hpp"

#include <cmath>

namespace networks {

using namespace quantal;

/// An image through every function of a number and both kinds of products.
inline value through_curves(graph& net, value z) {
    z = net.clip("clip leaky", net.function("leaky", z, {op::curve::leaky_relu, 0.25f}),
                 {.lo = -0.5f, .hi = 2.0f});
    z = net.function("swish", net.function("slopes", z, {op::curve::prelu}),
                     {op::curve::hard_swish});
    const value gates = net.function("gates", net.global_average_pool("squeeze", z),
                                     {op::curve::hard_sigmoid, 0.2f, 0.5f});
    z = net.multiply("excited", z, gates);
    return net.clip("clip silu",
                    net.multiply("silu", z, net.function("sigmoid", z, {op::curve::sigmoid})),
                    {.lo = -0.125f});
}

/// Every operator in its less usual forms.
inline graph of_all_operators() {
    graph net;
    const value image = net.input({3, 14, 11});
    value x = net.conv2d(
        "odd", image, {.out_channels = 8, .kernel = 3, .stride = {2, 1}, .padding = {1, 0, 2, 1}});
    x = net.relu6("relu6", net.batch_norm("bn", x));
    value y = net.conv2d("depthwise", x,
                         {.out_channels = 8,
                          .kernel = {3, 2},
                          .padding = {1, 1, 1, 1},
                          .dilation = {1, 2},
                          .groups = 8,
                          .bias = false});
    y = net.clip("between", y, {.lo = -1.5f, .hi = 2.5f});
    y = net.conv2d("doubled", y, {.out_channels = 16, .kernel = {2, 1}, .groups = 8});
    y = net.conv2d("grouped", y,
                   {.out_channels = 12, .kernel = 3, .padding = {2, 1, 1, 1}, .groups = 2});
    y = net.max_pool("maxpool", y, {.kernel = 3, .stride = 2, .padding = 1});
    y = net.clip("alone", y, {.lo = -0.5f, .hi = 3.25f});
    const value padded =
        net.shortcut("shortcut", x, {.stride = 2, .channels_before = 1, .channels_after = 3});
    value z = net.relu("relu", net.add("add", y, padded));
    const value mean =
        net.average_pool("mean", y, {.kernel = {3, 2}, .stride = 1, .padding = {1, 0, 1, 1}});
    const value before = net.add("again", z, mean);
    z = net.add("kept", through_curves(net, before), before);
    const value inside = net.average_pool(
        "inside", y,
        {.kernel = 3, .stride = {1, 2}, .padding = {1, 0, 1, 2}, .counts_padding = false});
    const value halved =
        net.max_pool("halved", z, {.kernel = {1, 2}, .stride = {1, 2}, .padding = {0, 0, 0, 1}});
    z = net.relu("relu joined", net.concat("joined", {inside, halved, inside}));
    z = net.relu("relu1", net.linear("fc1", net.flatten("flatten", z), {.out_features = 9}));
    net.linear("fc2", z, {.out_features = 5, .bias = false});
    return net;
}

/// A network of each kind; of images of 32x32 pixels with a quarter of the channels.
inline graph by_kind(const std::string& kind) {
    if (kind == "operators") return of_all_operators();
    models::options o = models::fashion_mnist;
    o.width = 0.25;
    o.same_padding = kind == "mobilenet_v2 same";
    return models::by_name(kind.substr(0, kind.find(' ')), o);
}

inline constexpr const char* kinds[] = {"operators", "resnet20",     "resnet18",
                                        "vgg16_bn",  "mobilenet_v2", "mobilenet_v2 same"};

struct calibrated {
    plan network;
    quantal::table table;
    tensor<float> images;
};

/// The first `count` images.
inline tensor<float> first_images(const tensor<float>& all, std::int64_t count) {
    const extents shape = all.shape().without_front().with_front(count);
    return {shape, {all.values().begin(), all.values().begin() + std::ptrdiff_t(shape.count())}};
}

/// Random weights, three random images, a table from these images.
inline calibrated make(const std::string& kind, const quantization& q = {}) {
    auto g = support::generator();
    graph net = by_kind(kind);
    support::randomize(net, g);
    tensor<float> images = support::normal(g, net.input_shape().with_front(3));
    plan p = place(passes::optimize(std::move(net)), q);
    table t = calibrate(p, reference_executor(p.net), std::vector{images});
    return {std::move(p), std::move(t), std::move(images)};
}

/// Rounds so that float32 makes no error: scales become powers of two, weights of float layers
/// multiples of 2^-6, biases multiples of a layer's step. Sums of fewer than 2^24 steps are exact
/// in any order then.
inline void make_exact_in_float(calibrated& c) {
    const auto power = [](float s) { return std::exp2(std::ceil(std::log2(s))); };
    for (auto* all : {&c.table.activations, &c.table.weights})
        for (auto& [name, params] : *all)
            for (float& scale : params.scales)
                scale = power(scale);
    constexpr float step = 0x1p-6f;
    for (value v = 0; v < c.network.net.size(); ++v) {
        const node& n = c.network.at(v);
        if (!n.has_weight()) continue;
        auto& parameters = c.network.net.parameters;
        const bool in_float = c.network.roles[v].in_float;
        if (in_float)
            for (float& w : parameters.at(n.name + ".weight").values())
                w = std::nearbyint(w / step) * step;
        const auto bias = parameters.find(n.name + ".bias");
        if (bias == parameters.end()) continue;
        const float x = activation_params(c.network, c.table, n.inputs[0]).scale();
        for (std::size_t i = 0; i < bias->second.size(); ++i) {
            const auto* w = in_float ? nullptr : &weight_params(c.network, c.table, v);
            const float unit = x * (w ? w->scale(w->scales.size() == 1 ? 0 : i) : step);
            bias->second[i] = std::nearbyint(bias->second[i] / unit) * unit;
        }
    }
}

} // namespace networks

#endif
