// SPDX-License-Identifier: Apache-2.0
#include <quantal/torch/exact_network.hpp>

#include "support/networks.hpp"

#include <boost/test/unit_test.hpp>

#include <set>

using networks::calibrated;
using quantal::torch::exact_network;

namespace {

using quantal::a4;
using quantal::a8;
using quantal::error;
using quantal::extents;
using quantal::graph;
using quantal::graph_error;
using quantal::parse_rule;
using quantal::parse_spec;
using quantal::plan;
using quantal::program;
using quantal::reference_executor;
using quantal::shape_error;
using quantal::table;
using quantal::tensor;
using quantal::value;
using quantal::w4;

/// All codes of all points are the same in both implementations, and so are the logits.
void check_identical(const calibrated& c) {
    const exact_network exact(c.network, c.table);
    const program reference = lower(c.network, c.table);
    const auto counts = compare_codes(exact, reference, c.images);
    BOOST_TEST(counts.size() == c.network.points().size());
    for (const auto& [v, count] : counts)
        BOOST_TEST_CONTEXT("point " << c.network.at(v).name) {
            BOOST_TEST(count.codes == c.network.at(v).shape.count() * 3);
            BOOST_TEST(count.differing == 0u);
        }
    const tensor<float> logits = exact.run(c.images);
    BOOST_TEST((logits == reference.run(c.images)));
    // Something of the images arrives: the comparison is not one of constants.
    BOOST_TEST(
        !std::equal(logits.slice(0).begin(), logits.slice(0).end(), logits.slice(1).begin()));
}

void check_kinds(const char* weights, const char* activations) {
    for (const char* kind : networks::kinds)
        BOOST_TEST_CONTEXT(kind << ", weights " << weights << ", activations " << activations)
    check_identical(networks::make(kind, {parse_spec(weights), parse_spec(activations)}));
}

/// The values that depend on a layer in float.
std::set<value> behind_float(const plan& p) {
    std::set<value> result;
    for (value v = 0; v < p.net.size(); ++v) {
        bool behind = p.roles[v].in_float;
        for (const value x : p.at(v).inputs)
            behind = behind || result.contains(x);
        if (behind) result.insert(v);
    }
    return result;
}

} // namespace

BOOST_AUTO_TEST_SUITE(torch_exact_network)

BOOST_AUTO_TEST_CASE(common_widths_give_identical_codes) {
    check_kinds("w8", "a8");
    check_kinds("w4", "a8");
    check_kinds("w4", "a4");
    check_kinds("w2", "a4");
    check_kinds("w3", "a5");
}

BOOST_AUTO_TEST_CASE(one_scale_a_tensor_gives_identical_codes) {
    check_kinds("8 symmetric narrow tensor", "a8");
    check_kinds("4 symmetric full tensor", "a4");
    check_kinds("8 affine unsigned tensor", "8 affine signed tensor");
    check_kinds("3 affine signed tensor", "5 symmetric narrow tensor");
}

BOOST_AUTO_TEST_CASE(all_schemes_give_identical_codes) {
    check_kinds("8 symmetric full channel(0)", "8 symmetric full tensor");
    check_kinds("8 affine unsigned channel(0)", "8 symmetric narrow tensor");
    check_kinds("8 affine signed channel(0)", "8 affine signed tensor");
    check_kinds("4 affine unsigned channel(0)", "4 affine signed tensor");
    check_kinds("2 affine signed channel(0)", "6 affine unsigned tensor");
}

BOOST_AUTO_TEST_CASE(sixteen_bits_and_powers_of_two_give_identical_codes) {
    check_kinds("w8", "a16");
    check_kinds("16 affine channel(0)", "16 symmetric full tensor");
    check_kinds("w4 pow2", "8 affine signed pow2");
}

BOOST_AUTO_TEST_CASE(layers_whose_sums_become_reals_are_refused_by_name) {
    for (const char* form : {"w8 group(4)", "weights only", "dynamic a8"}) {
        const calibrated c = networks::make("resnet20", {.layers = {parse_rule("linear", form)}});
        BOOST_CHECK_EXCEPTION(exact_network(c.network, c.table), graph_error, [](const error& e) {
            return std::string(e.what()).starts_with("layer \"linear\" has groups of weights, ");
        });
    }
}

// Codes that lie where one rounding more or less would be seen: a multiplier that is off by its
// last bit changes about one code in 100,000.
BOOST_AUTO_TEST_CASE(average_pools_round_as_written) {
    auto g = support::generator();
    std::uniform_real_distribution<float> ratio(0.3f, 0.9f);
    for (int i = 0; i < 12; ++i) {
        graph net;
        net.average_pool("pool", net.input({2, 100, 100}), {.kernel = 3, .stride = 1});
        const float x = ratio(g), y = x * ratio(g);
        table t{.activations = {{"input", {a8, {x}, {120}}}, {"pool", {a8, {y}, {131}}}},
                .weights = {},
                .notes = {}};
        check_identical({place(net), std::move(t), support::normal(g, {3, 2, 100, 100}, 80 * x)});
    }
}

// Above 2^24 float32 does not hold every integer: converting the sum rounds once, the product
// again.
BOOST_AUTO_TEST_CASE(large_sums_round_twice) {
    auto g = support::generator();
    graph net;
    net.linear("fc", net.input({3000}), {.out_features = 200});
    support::randomize(net, g);
    for (float& w : net.parameters.at("fc.weight").values())
        w = 1.0f + w;
    tensor<float> images = support::normal(g, {3, 3000});
    for (float& x : images.values())
        x = 1.0f + 0.1f * x;
    plan p = place(std::move(net));
    table t = calibrate(p, reference_executor(p.net), std::vector{images});
    const float step = t.activations.at("input").scale() * t.weights.at("fc").scale();
    BOOST_TEST(lower(p, t).run(images)[0] / step > 0x1p24f);
    check_identical({std::move(p), std::move(t), std::move(images)});
}

BOOST_AUTO_TEST_CASE(layers_of_other_bits_give_identical_codes) {
    const calibrated c = networks::make(
        "resnet20",
        {.layers = {parse_rule("layer1.*", "w4"), parse_rule("layer2.*", "a5"),
                    parse_rule("layer2.1.conv?", "3 affine signed tensor"),
                    parse_rule("layer2.2.conv1", "1 affine unsigned channel(0)"),
                    parse_rule("layer3.1.conv1", "a1"), parse_rule("*.add", "a6 signed"),
                    parse_rule("layer3.2.conv2", "7 symmetric full tensor")}});
    check_identical(c);
    std::set<int> widths;
    for (const auto* all : {&c.table.activations, &c.table.weights})
        for (const auto& [name, params] : *all)
            widths.insert(params.spec.bits);
    BOOST_TEST(widths == (std::set<int>{1, 3, 4, 5, 6, 7, 8}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(layers_in_float_give_identical_codes_where_float_is_exact) {
    calibrated c = networks::make("resnet20", {.layers = {parse_rule("layer1.0.conv1", "float"),
                                                          parse_rule("layer2.2.add", "float"),
                                                          parse_rule("layer3.1.conv1", "float")}});
    networks::make_exact_in_float(c);
    BOOST_TEST(behind_float(c.network).size() > c.network.net.size() / 2);
    check_identical(c);
}

BOOST_AUTO_TEST_CASE(codes_before_a_layer_in_float_are_identical) {
    const calibrated c = networks::make(
        "resnet20", {.layers = {parse_rule("layer2.*", "float"), parse_rule("linear", "float")}});
    const std::set<value> behind = behind_float(c.network);
    const exact_network exact(c.network, c.table);
    std::size_t codes = 0, differing = 0;
    for (const auto& [v, count] : compare_codes(exact, lower(c.network, c.table), c.images)) {
        if (!behind.contains(v)) {
            BOOST_TEST(count.differing == 0u, c.network.at(v).name);
            continue;
        }
        codes += count.codes;
        differing += count.differing;
    }
    // Two orders of float32 sums are some 2^-20 apart; a code's boundary lies between them for
    // about one code in 2^12 of 8 bits.
    BOOST_TEST(codes > 0u);
    BOOST_TEST(differing <= codes / 100);
}

BOOST_AUTO_TEST_CASE(codes_are_shown_image_after_image_in_the_order_of_the_nodes) {
    const calibrated c = networks::make("mobilenet_v2");
    using call = std::tuple<value, std::size_t, std::vector<std::int32_t>>;
    const auto calls_of = [&](const auto& net) {
        std::vector<call> calls;
        (void)net.run(c.images, 0, [&](value v, std::size_t i, std::span<const std::int32_t> q) {
            calls.emplace_back(v, i, std::vector(q.begin(), q.end()));
        });
        return calls;
    };
    const auto expected = calls_of(lower(c.network, c.table));
    BOOST_TEST(expected.size() == 3 * c.network.points().size());
    BOOST_TEST((calls_of(exact_network(c.network, c.table)) == expected));
}

BOOST_AUTO_TEST_CASE(batches_do_not_change_a_bit) {
    const calibrated c = networks::make("mobilenet_v2 same", {w4, a4});
    const exact_network exact(c.network, c.table);
    const tensor<float> all = exact.run(c.images);
    for (std::int64_t i = 0; i < 3; ++i) {
        const auto image = c.images.slice(i);
        const auto one = exact.run({{1, 1, 32, 32}, {image.begin(), image.end()}});
        BOOST_TEST(std::equal(one.values().begin(), one.values().end(), all.slice(i).begin()));
    }
}

BOOST_AUTO_TEST_CASE(a_changed_table_is_seen_in_the_codes) {
    const calibrated c = networks::make("operators");
    const program reference = lower(c.network, c.table);
    for (const auto& [name, params] : c.table.weights) {
        table other = c.table;
        for (float& scale : other.weights.at(name).scales)
            scale *= 1.5f;
        const exact_network exact(c.network, other);
        if (name == "fc2") {
            BOOST_TEST((exact.run(c.images) != reference.run(c.images)));
            continue;
        }
        std::size_t differing = 0;
        for (const auto& [v, count] : compare_codes(exact, reference, c.images))
            differing += count.differing;
        BOOST_TEST(differing > 0u, name);
    }
}

BOOST_AUTO_TEST_CASE(an_output_of_codes_is_dequantized) {
    graph net;
    const value x = net.input({2, 3, 3});
    net.relu("relu", net.add("add", net.average_pool("pool", x, {.kernel = 1, .stride = 1}), x));
    auto g = support::generator();
    const tensor<float> images = support::normal(g, {3, 2, 3, 3});
    plan p = place(quantal::passes::fuse_activation(std::move(net)));
    table t = calibrate(p, reference_executor(p.net), std::vector{images});
    check_identical({std::move(p), std::move(t), images});
}

BOOST_AUTO_TEST_CASE(a_table_that_does_not_fit_is_refused) {
    const calibrated c = networks::make("operators");
    const auto refuses = [&](auto&& damage, const std::string& part) {
        table t = c.table;
        damage(t);
        BOOST_CHECK_EXCEPTION((void)exact_network(c.network, t).run(c.images), error,
                              [&](const error& e) {
                                  BOOST_TEST_MESSAGE(e.what());
                                  return std::string(e.what()).find(part) != std::string::npos;
                              });
    };
    refuses([](table& t) { t.activations.erase("odd"); }, "no activations of layer \"odd\"");
    refuses([](table& t) { t.weights.erase("fc1"); }, "no weights of layer \"fc1\"");
    refuses([](table& t) { t.weights["odd"].scales.pop_back(); }, "scales");
    refuses([](table& t) { t.activations["mean"].spec = a4; }, "the plan needs");
}

BOOST_AUTO_TEST_CASE(images_of_another_shape_are_refused) {
    const calibrated c = networks::make("operators");
    const exact_network exact(c.network, c.table);
    for (const extents& shape : {extents{2, 3, 14, 12}, extents{2, 1, 14, 11}, extents{3, 14, 11},
                                 extents{2, 3, 28, 22}, extents{}})
        BOOST_CHECK_EXCEPTION((void)exact.run(tensor<float>(shape)), shape_error,
                              [](const error& e) {
                                  return std::string(e.what()).starts_with(
                                      "the network takes images of 3x14x11, a batch of shape ");
                              });
}

BOOST_AUTO_TEST_SUITE_END()
