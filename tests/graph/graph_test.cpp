// SPDX-License-Identifier: Apache-2.0
#include <quantal/graph/print.hpp>
#include <quantal/graph/weights.hpp>

#include <boost/test/unit_test.hpp>

#include <sstream>

using namespace quantal;

namespace {

/// Whether `f` throws an error whose text holds `part`.
template <class F>
void check_refuses(F&& f, const std::string& part) {
    BOOST_CHECK_EXCEPTION(f(), error, [&](const error& e) {
        BOOST_TEST_INFO(e.what());
        return std::string(e.what()).find(part) != std::string::npos;
    });
}

graph small() {
    graph net;
    value x = net.input({3, 8, 6});
    x = net.conv2d("a", x, {.out_channels = 4, .kernel = 3, .stride = 2, .padding = {0, 1, 2, 3}});
    x = net.relu("b", x);
    net.linear("c", net.flatten("f", x), {.out_features = 5, .bias = false});
    return net;
}

std::map<std::string, tensor<float>> weights_of(const graph& net) {
    std::map<std::string, tensor<float>> result;
    for (const auto& [name, shape] : parameter_shapes(net))
        result.emplace(name, shape);
    return result;
}

} // namespace

BOOST_AUTO_TEST_SUITE(graph_suite)

BOOST_AUTO_TEST_CASE(shapes_are_inferred) {
    const graph net = small();
    BOOST_TEST(net.at(1).shape == (extents{4, 4, 4})); // (8+0+2-3)/2+1, (6+1+3-3)/2+1
    BOOST_TEST(net.at(net.output()).shape == (extents{5}));
    BOOST_TEST(parameter_shapes(net).at("a.weight") == (extents{4, 3, 3, 3}));
    BOOST_TEST(parameter_shapes(net).at("c.weight") == (extents{5, 64}));
    BOOST_TEST(!parameter_shapes(net).contains("c.bias"));
}

BOOST_AUTO_TEST_CASE(windows_of_every_kind) {
    graph net;
    const value x = net.input({4, 9, 7});
    const auto shape = [&](value v) { return net.at(v).shape; };
    BOOST_TEST(shape(net.conv2d(
                   "d", x, {.out_channels = 4, .kernel = {3, 2}, .dilation = 2, .groups = 2})) ==
               (extents{4, 5, 5}));
    BOOST_TEST(shape(net.max_pool("m", x, {.kernel = 3, .stride = 2, .padding = 1})) ==
               (extents{4, 5, 4}));
    BOOST_TEST(shape(net.average_pool("p", x, {})) == (extents{4, 4, 3}));
    BOOST_TEST(shape(net.global_average_pool("g", x)) == (extents{4, 1, 1}));
    BOOST_TEST(
        shape(net.shortcut("s", x, {.stride = 2, .channels_before = 1, .channels_after = 3})) ==
        (extents{8, 5, 4}));
}

BOOST_AUTO_TEST_CASE(same_padding_puts_the_odd_row_behind) {
    BOOST_TEST((same_padding({224, 224}, 3, 2) == padding(0, 0, 1, 1)));
    BOOST_TEST((same_padding({7, 7}, 3, 2) == padding(1, 1, 1, 1)));
    BOOST_TEST((same_padding({14, 15}, 3, 1) == padding(1, 1, 1, 1)));
    BOOST_TEST((same_padding({8, 8}, 1, 2) == padding(0)));
}

BOOST_AUTO_TEST_CASE(errors_name_the_layer) {
    graph net;
    const value x = net.input({3, 8, 8});
    check_refuses([&] { net.conv2d("big", x, {.out_channels = 1, .kernel = 9}); },
                  "layer \"big\": a window of 9 does not fit into 8");
    check_refuses([&] { net.conv2d("g", x, {.out_channels = 4, .groups = 2}); },
                  "layer \"g\": a convolution of 3 to 4 channels in 2 groups");
    check_refuses([&] { net.linear("l", x, {.out_features = 2}); }, "flatten it first");
    const value y = net.conv2d("y", x, {.out_channels = 3, .stride = 2});
    check_refuses([&] { net.add("sum", x, y); }, "layer \"sum\": an add of 3x8x8 and 3x4x4");
    check_refuses([&] { net.relu("y", x); }, "two layers are named \"y\"");
    check_refuses([&] { net.relu("z", 77); }, "value 77 does not exist");
    check_refuses([&] { net.input({1, 2, 3}); }, "one input");
    check_refuses([&] { net.conv2d("s", x, {.out_channels = 1, .stride = 0}); }, "stride 0");
    check_refuses([&] { net.max_pool("p", x, {.padding = 2}); }, "padded by as much");
    check_refuses([&] { net.clip("c", x, {.lo = 1.0f, .hi = 2.0f}); }, "must hold 0");
}

BOOST_AUTO_TEST_CASE(weights_are_checked_by_name_and_shape) {
    graph net = small();
    load_weights(net, weights_of(net));
    BOOST_TEST(net.parameters.size() == 3u);
    auto missing = weights_of(net);
    missing.erase("a.bias");
    check_refuses([&] { load_weights(net, missing); }, "no \"a.bias\" of shape 4");
    auto wrong = weights_of(net);
    wrong["c.weight"] = tensor<float>({5, 63});
    check_refuses([&] { load_weights(net, wrong); }, "\"c.weight\" has shape 5x63");
    auto extra = weights_of(net);
    extra["d.weight"] = tensor<float>({1});
    check_refuses([&] { load_weights(net, extra); }, "\"d.weight\" of shape 1, which belongs");
    extra = weights_of(net);
    extra["a.num_batches_tracked"] = tensor<float>(extents{});
    load_weights(net, extra);
    BOOST_TEST(net.parameters.size() == 3u); // and the failed loads changed nothing
}

BOOST_AUTO_TEST_CASE(prints_a_line_a_node) {
    std::ostringstream text;
    text << small();
    BOOST_TEST(text.str() == "input = input() -> 3x8x6\n"
                             "a = conv2d(input) kernel 3x3 stride 2x2 padding 0,1,2,3 -> 4x4x4\n"
                             "b = clip(a) to [0, inf] -> 4x4x4\n"
                             "f = flatten(b) -> 64\n"
                             "c = linear(f) -> 5\n");
}

BOOST_AUTO_TEST_CASE(a_concat_joins_channels) {
    graph net;
    const value x = net.input({3, 4, 5});
    const value half = net.max_pool("half", x, {.kernel = 1, .stride = 2});
    BOOST_TEST((net.at(net.concat("joined", {x, x, x})).shape == extents{9, 4, 5}));
    const value flat = net.flatten("flat", x);
    BOOST_TEST((net.at(net.concat("features", {flat, flat})).shape == extents{120}));
    BOOST_CHECK_THROW((void)net.concat("sizes", {x, half}), shape_error);
    BOOST_CHECK_THROW((void)net.concat("ranks", {x, flat}), shape_error);
    BOOST_CHECK_THROW((void)net.concat("one", {x}), shape_error);
}

BOOST_AUTO_TEST_CASE(products_and_functions) {
    graph net;
    const value x = net.input({3, 4, 5});
    const value mean = net.global_average_pool("mean", x);
    BOOST_TEST((net.at(net.multiply("square", x, x)).shape == extents{3, 4, 5}));
    BOOST_TEST((net.at(net.multiply("scaled", x, mean)).shape == extents{3, 4, 5}));
    check_refuses([&] { net.multiply("turned", mean, x); },
                  "layer \"turned\": a product of 3x1x1 and 3x4x5");
    const value y = net.function("y", x, {op::curve::prelu});
    BOOST_TEST((net.at(y).shape == extents{3, 4, 5}));
    BOOST_TEST((parameter_shapes(net).at("y.weight") == extents{3}));
    net.function("z", y, {op::curve::hard_sigmoid, 0.25f, 0.5f});
    BOOST_TEST(parameter_shapes(net).size() == 1u);
    const float infinity = std::numeric_limits<float>::infinity();
    check_refuses(
        [&] {
            net.function("f", y, {op::curve::leaky_relu, infinity});
        },
        "layer \"f\": a function of infinite numbers");
    std::ostringstream text;
    text << net;
    BOOST_TEST(text.str().ends_with("y = function(input) prelu -> 3x4x5\n"
                                    "z = function(y) hard_sigmoid 0.25 0.5 -> 3x4x5\n"));
}

BOOST_AUTO_TEST_SUITE_END()
