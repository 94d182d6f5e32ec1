// SPDX-License-Identifier: Apache-2.0
#include "support/random.hpp"

#include <quantal/models/by_name.hpp>
#include <quantal/passes/batch_norm_to_conv.hpp>
#include <quantal/passes/optimize.hpp>
#include <quantal/passes/place.hpp>
#include <quantal/runtime/program.hpp>

#include <boost/test/unit_test.hpp>

using namespace quantal;

namespace {

/// The largest difference of two networks' outputs relative to the largest output.
double difference(const graph& a, const graph& b, const tensor<float>& images) {
    const auto x = reference_executor(a)(images, {});
    const auto y = reference_executor(b)(images, {});
    double largest = 0.0, worst = 0.0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        largest = std::max(largest, std::abs(double{x[i]}));
        worst = std::max(worst, std::abs(double{x[i]} - y[i]));
    }
    return worst / largest;
}

/// Folding rounds each weight once and moves additions; sums of a few hundred float32 products stay
/// within some hundred units in the last place (6e-8).
constexpr double float_rounding = 1e-5;

std::size_t count_norms(const graph& net) {
    std::size_t count = 0;
    for (const node& n : net.nodes())
        count += n.as<op::batch_norm>() != nullptr;
    return count;
}

const role& role_of(const plan& p, const std::string& name) {
    for (value v = 0; v < p.roles.size(); ++v)
        if (p.at(v).name == name) return p.roles[v];
    BOOST_FAIL("no layer " << name);
    throw;
}

} // namespace

BOOST_AUTO_TEST_SUITE(passes_suite)

BOOST_AUTO_TEST_CASE(folding_changes_nothing_for_every_kind_of_layer) {
    auto g = support::generator();
    for (const bool bias : {false, true})
        for (const std::int64_t groups : {1, 2, 4}) {
            graph net;
            value x = net.input({4, 6, 5});
            x = net.conv2d("conv", x,
                           {.out_channels = 8, .kernel = 3, .groups = groups, .bias = bias});
            x = net.batch_norm("bn", x, {.eps = 1e-3});
            x = net.linear("linear", net.flatten("flatten", x), {.out_features = 6, .bias = bias});
            net.batch_norm("bn2", x);
            support::randomize(net, g); // factors of both signs
            const graph folded = passes::fold_batch_norm(net);
            BOOST_TEST(count_norms(folded) == 0u);
            BOOST_TEST(!folded.parameters.contains("bn.weight"));
            BOOST_TEST(difference(net, folded, support::normal(g, {3, 4, 6, 5})) < float_rounding);
        }
}

BOOST_AUTO_TEST_CASE(a_norm_that_cannot_be_folded_stays) {
    auto g = support::generator();
    graph net;
    const value x = net.input({2, 4, 4});
    const value conv = net.conv2d("conv", x, {.out_channels = 2, .kernel = 3, .padding = 1});
    const value norm = net.batch_norm("bn", conv);
    net.add("add", norm, net.batch_norm("after_input", x));
    net.add("twice", net.output(), conv); // conv is read twice
    support::randomize(net, g);
    const graph folded = passes::fold_batch_norm(net);
    BOOST_TEST(count_norms(folded) == 2u);
    BOOST_TEST(difference(net, folded, support::normal(g, {2, 2, 4, 4})) == 0.0);
    BOOST_CHECK_EXCEPTION((void)place(folded), graph_error, [](const error& e) {
        return std::string(e.what()).find("batch norm that was not folded") != std::string::npos;
    });
}

BOOST_AUTO_TEST_CASE(a_norm_and_a_layer_without_parameters_are_named) {
    graph net;
    const value x = net.conv2d("conv", net.input({2, 4, 4}), {.out_channels = 2});
    net.batch_norm("bn", x);
    const auto check = [&](const std::string& text) {
        BOOST_CHECK_EXCEPTION((void)passes::optimize(net), graph_error,
                              [&](const error& e) { return e.what() == text; });
    };
    check("layer \"conv\" has no weight; load weights into the network first");
    net.parameters.emplace("conv.weight", tensor<float>({2, 2, 1, 1}));
    check("layer \"bn\" has no weight; load weights into the network first");
}

BOOST_AUTO_TEST_CASE(optimize_keeps_whole_networks) {
    auto g = support::generator();
    for (const char* name : {"resnet20", "mobilenet_v2", "vgg16_bn", "resnet18"}) {
        models::options o = models::fashion_mnist;
        o.width = 0.25;
        graph net = models::by_name(name, o);
        support::randomize(net, g);
        const graph better = passes::optimize(net);
        BOOST_TEST_CONTEXT(name) {
            BOOST_TEST(count_norms(better) == 0u);
            for (const node& n : better.nodes())
                BOOST_TEST(!n.as<op::clip>());
            BOOST_TEST(difference(net, better, support::normal(g, {2, 1, 32, 32})) <
                       float_rounding);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_relu_stays_alone_where_its_input_is_read_twice) {
    graph net;
    const value x = net.input({2, 4, 4});
    const value a = net.conv2d("a", x, {.out_channels = 2});
    const value b = net.relu("b", a);
    net.add("c", a, b);
    const graph fused = passes::fuse_activation(net);
    BOOST_TEST(fused.size() == net.size());
    graph twice;
    value y = twice.add("sum", twice.input({1}), 0);
    twice.relu6("six", twice.relu("relu", y));
    const graph both = passes::fuse_activation(twice);
    BOOST_REQUIRE(both.size() == 2u);
    BOOST_TEST(both.at(1).activation->hi == 6.0f);
}

BOOST_AUTO_TEST_CASE(placement_of_a_residual_network) {
    auto g = support::generator();
    graph net = models::resnet20();
    support::randomize(net, g);
    net = passes::optimize(net);
    const plan p = place(net, {.weights = w4, .layers = {{"conv1", w8}, {"lin*", w8}}});
    BOOST_TEST(role_of(p, "input").output.has_value());
    BOOST_TEST((role_of(p, "conv1").weights == w8));
    BOOST_TEST((role_of(p, "layer1.0.conv1").weights == w4));
    BOOST_TEST((role_of(p, "linear").weights == w8));
    BOOST_TEST(!role_of(p, "linear").output.has_value());
    BOOST_TEST(!role_of(p, "layer2.0.shortcut").output.has_value());
    BOOST_TEST(role_of(p, "layer2.0.shortcut").has_codes());
    BOOST_TEST(p.points().size() == 30u); // input, 19 convolutions, 9 adds, 1 pool
}

BOOST_AUTO_TEST_CASE(layers_in_float) {
    auto g = support::generator();
    graph net = models::resnet20();
    support::randomize(net, g);
    const plan p = place(passes::optimize(net), {.layers = {parse_rule("layer1.1.*", "float")}});
    BOOST_TEST(role_of(p, "layer1.1.conv1").in_float);
    BOOST_TEST(!role_of(p, "layer1.1.conv1").weights.has_value());
    BOOST_TEST(!role_of(p, "layer1.1.conv1").output.has_value()); // only a float layer reads it
    BOOST_TEST(role_of(p, "layer1.1.add").output.has_value());
    BOOST_TEST(role_of(p, "layer1.0.add").in_float); // nobody wants its codes
    const plan all = place(p.net, {.layers = {parse_rule("*", "float")}});
    BOOST_TEST(all.points().empty());
}

BOOST_AUTO_TEST_CASE(layers_with_integer_weights_and_real_inputs) {
    auto g = support::generator();
    graph net = models::resnet20();
    support::randomize(net, g);
    const plan p = place(passes::optimize(std::move(net)),
                         {.weights = w4,
                          .layers = {parse_rule("layer1.1.*", "weights only"),
                                     parse_rule("linear", "dynamic a8 signed"),
                                     parse_rule("layer1.1.conv2", "w3 group(8)"),
                                     parse_rule("layer2.0.conv1", "weights only"),
                                     parse_rule("layer2.0.conv1", "float")}});
    const role& conv1 = role_of(p, "layer1.1.conv1");
    BOOST_TEST(conv1.in_float);
    BOOST_TEST((conv1.weights == w4));
    BOOST_TEST(!conv1.dynamic.has_value());
    BOOST_TEST(!conv1.output.has_value()); // weights only read it
    BOOST_TEST(conv1.has_real_bias());
    const role& conv2 = role_of(p, "layer1.1.conv2"); // another spec leaves it as it was
    BOOST_TEST(conv2.in_float);
    BOOST_TEST((conv2.weights == parse_spec("w3 group(8)")));
    const role& linear = role_of(p, "linear");
    BOOST_TEST(linear.in_float);
    BOOST_TEST((linear.dynamic == parse_spec("a8 signed")));
    BOOST_TEST(!role_of(p, "avgpool").output.has_value());
    BOOST_TEST(!role_of(p, "layer2.0.conv1").weights.has_value()); // the last rule wins
    const plan back =
        place(p.net, {.layers = {parse_rule("linear", "float"), parse_rule("linear", "w4")}});
    BOOST_TEST(!role_of(back, "linear").in_float);
}

BOOST_AUTO_TEST_CASE(rules) {
    using passes::detail::matches;
    BOOST_TEST(matches("layer?.*.conv1", "layer1.0.conv1"));
    BOOST_TEST(matches("*", ""));
    BOOST_TEST(!matches("conv", "conv1"));
    BOOST_TEST(!matches("?", ""));
    BOOST_TEST((parse_rule("x", "a4").activations == a4));
    BOOST_TEST((parse_rule("x", "3 symmetric full").weights->kind == scheme::symmetric_full));
    graph net;
    net.linear("l", net.input({3}), {.out_features = 2});
    BOOST_CHECK_THROW((void)place(net, {.layers = {{"nothing", w8}}}), graph_error);
    BOOST_CHECK_THROW((void)place(net, {.layers = {{"input", w8}}}), graph_error); // no weights
    for (const char* form : {"weights only", "dynamic a8"})
        BOOST_CHECK_THROW((void)place(net, {.layers = {parse_rule("input", form)}}), graph_error);
    BOOST_CHECK_THROW((void)place(net, {.layers = {parse_rule("l", "dynamic w8")}}), spec_error);
    BOOST_CHECK_THROW(
        (void)place(net, {.layers = {{.pattern = "l", .weights_only = true, .dynamic = a8}}}),
        spec_error);
    BOOST_CHECK_THROW((void)parse_rule("l", "dynamic"), spec_error);
    BOOST_CHECK_THROW((void)place(net, {.activations = w8}), spec_error); // per channel
    BOOST_CHECK_THROW((void)place(net, {.weights = qspec{.grain = per_channel, .axis = 1}}),
                      spec_error);
}

BOOST_AUTO_TEST_CASE(norms_that_follow_each_other_are_all_folded) {
    auto g = support::generator();
    graph net;
    value x = net.conv2d("conv", net.input({3, 5, 4}), {.out_channels = 4, .kernel = 2});
    x = net.batch_norm("norm", x);
    net.relu("relu", net.batch_norm("scale", x, {.eps = 0.0}));
    support::randomize(net, g);
    const graph folded = passes::fold_batch_norm(net);
    BOOST_TEST(count_norms(folded) == 0u);
    const auto images = support::normal(g, {3, 3, 5, 4});
    BOOST_TEST(difference(net, folded, images) < float_rounding);
}

BOOST_AUTO_TEST_CASE(norms_that_stay_become_convolutions) {
    auto g = support::generator();
    graph net;
    value x = net.batch_norm("first", net.input({3, 5, 4}));
    x = net.relu("relu", x);
    x = net.batch_norm("second", net.concat("joined", {x, x}));
    net.batch_norm("of features", net.flatten("flatten", x));
    support::randomize(net, g);
    const graph made = passes::batch_norm_to_conv(passes::fuse_activation(net));
    BOOST_TEST(count_norms(made) == 1u);
    BOOST_TEST(made.at(1).name == "first");
    BOOST_TEST(made.at(1).activation.has_value());
    BOOST_TEST(made.parameters.size() == parameter_shapes(made).size());
    const auto images = support::normal(g, {3, 3, 5, 4});
    BOOST_TEST(difference(net, made, images) < float_rounding);
}

BOOST_AUTO_TEST_SUITE_END()
