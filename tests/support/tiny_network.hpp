// SPDX-License-Identifier: Apache-2.0
/// A network of a few hundred weights with every operator, without any randomness. Its scales are
/// powers of two, so that its layers in float are exact: every backend and compiler gives the same
/// codes.
#ifndef QUANTAL_TESTS_SUPPORT_TINY_NETWORK_HPP
#define QUANTAL_TESTS_SUPPORT_TINY_NETWORK_HPP

#include <quantal/graph/weights.hpp>
#include <quantal/passes/place.hpp>
#include <quantal/runtime/integer_network.hpp>

#include <cmath>

namespace support {

/// Elements `((7 i + shift) mod 11 - 5) / 8`.
inline quantal::tensor<float> pattern(const quantal::extents& shape, std::size_t shift) {
    quantal::tensor<float> t(shape);
    for (std::size_t i = 0; i < t.size(); ++i)
        t[i] = (static_cast<float>((7 * i + shift) % 11) - 5.0f) / 8.0f;
    return t;
}

inline quantal::graph tiny_graph() {
    namespace op = quantal::op;
    quantal::graph net;
    const auto x = net.input({2, 6, 6});
    const auto a = net.append({.name = "conv1",
                               .op = op::conv2d{.out_channels = 4, .kernel = 3, .padding = 1},
                               .inputs = {x},
                               .activation = op::clip{.hi = 6.0f}});
    const auto b = net.conv2d("conv2", a,
                              {.out_channels = 4,
                               .kernel = {3, 2},
                               .stride = 2,
                               .padding = {1, 0, 2, 1},
                               .dilation = {2, 1},
                               .groups = 4,
                               .bias = false});
    const auto c =
        net.shortcut("shortcut", x, {.stride = 2, .channels_before = 1, .channels_after = 1});
    const auto d = net.clip("clip", net.add("add", b, c), {.lo = -0.25f, .hi = 0.5f});
    const auto e = net.max_pool("max", d, {.kernel = 2, .stride = 1, .padding = {0, 1, 0, 0}});
    const auto conv3 = net.conv2d("conv3", e, {.out_channels = 4});
    const auto f = net.batch_norm("norm", conv3, {.eps = 0.0});
    const auto g = net.average_pool("mean", f, {.kernel = {2, 3}, .stride = 1});
    const auto h = net.append({.name = "fc1",
                               .op = op::linear{.out_features = 3},
                               .inputs = {net.flatten("flatten", g)},
                               .activation = op::clip{}});
    net.linear("fc3", net.linear("fc2", h, {.out_features = 3}), {.out_features = 2});
    for (const auto& [name, shape] : parameter_shapes(net))
        net.parameters.emplace(name, pattern(shape, net.parameters.size()));
    net.parameters["norm.running_var"] = quantal::tensor<float>({4}, {1.0f, 4.0f, 16.0f, 0.25f});
    return net;
}

/// Products and functions of every curve; each channel of the prelu has a slope of its own.
inline quantal::plan tiny_plan_of_functions() {
    namespace op = quantal::op;
    quantal::graph net;
    const auto x = net.function("leaky", net.input({2, 3, 3}), {op::curve::leaky_relu, 0.25f});
    const auto a = net.function("slopes", x, {op::curve::prelu});
    const auto b = net.multiply("product", a, net.function("sigmoid", a, {op::curve::sigmoid}));
    const auto gates = net.function("gates", net.global_average_pool("mean", b),
                                    {op::curve::hard_sigmoid, 0.5f, 0.25f});
    net.function("swish", net.multiply("excited", b, gates), {op::curve::hard_swish});
    net.parameters.emplace("slopes.weight", quantal::tensor<float>({2}, {-0.5f, 0.75f}));
    return place(std::move(net), {.activations = quantal::parse_spec("a8 signed")});
}

inline quantal::plan tiny_plan() {
    using quantal::parse_rule;
    return place(tiny_graph(),
                 {.weights = quantal::w4,
                  .activations = quantal::a8,
                  .layers = {parse_rule("norm", "float"), parse_rule("fc2", "float"),
                             parse_rule("conv2", "3 symmetric full tensor"),
                             parse_rule("fc1", "5 affine unsigned channel(0)"),
                             parse_rule("conv2", "a4"), parse_rule("add", "a8 signed")}});
}

/// The same network with every form of a layer with integer weights.
inline quantal::plan tiny_plan_of_forms() {
    using quantal::parse_rule;
    return place(
        tiny_graph(),
        {.layers = {parse_rule("norm", "float"), parse_rule("conv1", "w4 group(1)"),
                    parse_rule("conv2", "weights only"), parse_rule("conv3", "w3 pow2"),
                    parse_rule("fc1", "5 affine group(3) pow2"), parse_rule("fc2", "dynamic a4"),
                    parse_rule("input", "a16"), parse_rule("fc3", "16 affine")}});
}

/// One scale a slice, powers of two around `scale`.
inline quantal::qparams tiny_params(quantal::qspec spec, std::size_t slices, float scale) {
    quantal::qparams p{spec, {}, {}};
    for (std::size_t i = 0; i < slices; ++i) {
        p.scales.push_back(i % 2 ? scale / 2 : scale);
        const auto middle = static_cast<std::int32_t>(i) + (spec.qmin() + spec.qmax()) / 2;
        p.zero_points.push_back(spec.is_symmetric() ? 0 : middle);
    }
    return p;
}

inline quantal::table tiny_table(const quantal::plan& p) {
    quantal::table t;
    for (quantal::value v = 0; v < p.roles.size(); ++v) {
        const auto& weights = p.roles[v].weights;
        if (const auto& output = p.roles[v].output)
            t.activations.emplace(p.at(v).name,
                                  tiny_params(*output, 1, std::ldexp(1.0f, 2 - output->bits)));
        if (!weights) continue;
        const std::size_t slices = slicing_of(*weights, weight_shape(p, v)).slices;
        t.weights.emplace(p.at(v).name,
                          tiny_params(*weights, slices, std::ldexp(1.0f, -weights->bits)));
    }
    t.notes = {"made by hand"};
    return t;
}

inline quantal::integer_network tiny_network() {
    const quantal::plan p = tiny_plan();
    return quantize(p, tiny_table(p));
}

inline quantal::integer_network tiny_network_of_functions() {
    const quantal::plan p = tiny_plan_of_functions();
    return quantize(p, tiny_table(p));
}

/// Three images for it.
inline quantal::tensor<float> tiny_images(std::int64_t size = 6) {
    quantal::tensor<float> images({3, 2, size, size});
    for (std::size_t i = 0; i < images.size(); ++i)
        images[i] = (static_cast<float>(i * i % 23) - 11.0f) / 8.0f;
    return images;
}

} // namespace support

#endif
