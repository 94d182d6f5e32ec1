// SPDX-License-Identifier: Apache-2.0
#include "kernel/reference/layer_case.hpp"

#include <boost/test/unit_test.hpp>

using namespace support;

namespace {

/// docs/arithmetic.md, 13: the reals of an image whose input codes and parameters are given.
std::vector<float> scaled_sums(const layer_case& c, const ints& codes, float x_scale,
                               std::int32_t x_zero) {
    const qparams& w = c.t.weights.at("layer");
    const any_qtensor weights = quantize(c.p.net.parameters.at("layer.weight"), w);
    const auto channels = static_cast<std::size_t>(weights.shape()[1]);
    const bool grouped = w.spec.grain == per_group;
    const auto size = grouped ? static_cast<std::size_t>(w.spec.group_size) : channels;
    const std::size_t groups = (channels + size - 1) / size;
    return for_each_output(c, [&](std::int64_t o, std::int64_t y, std::int64_t x) {
        std::vector<std::int64_t> sums(groups);
        const std::size_t first = w.scales.size() == 1 ? 0 : static_cast<std::size_t>(o) * groups;
        for_each_product(c, o, y, x, [&](std::size_t i, std::size_t channel, std::size_t k) {
            const std::size_t group = channel / size;
            sums[group] +=
                std::int64_t{codes[i] - x_zero} * (weights.code(k) - w.zero_point(first + group));
        });
        float real = bias_of(c, o);
        for (std::size_t group = 0; group < groups; ++group)
            real += times(static_cast<float>(sums[group]), times(x_scale, w.scale(first + group)));
        return real;
    });
}

/// The same for an image that gets its codes while the layer runs, affine unsigned.
std::vector<float> dynamic_sums(const layer_case& c, std::span<const float> image, int bits) {
    const auto last = static_cast<float>((1 << bits) - 1);
    float lo = 0.0f, hi = 0.0f;
    for (const float v : image) {
        lo = std::min(lo, v);
        hi = std::max(hi, v);
    }
    const float scale = (hi - lo) / last;
    const auto clamp = [&](float code) { return std::clamp(std::nearbyint(code), 0.0f, last); };
    const float zero = clamp(-lo / scale);
    ints codes;
    for (const float v : image)
        codes.push_back(static_cast<std::int32_t>(clamp(std::nearbyint(v / scale) + zero)));
    return scaled_sums(c, codes, scale, static_cast<std::int32_t>(zero));
}

/// docs/arithmetic.md, 14: reals times weights, each product rounded, in the order of the kernel.
std::vector<float> real_sums(const layer_case& c, std::span<const float> image) {
    const tensor<float> weights =
        dequantize(quantize(c.p.net.parameters.at("layer.weight"), c.t.weights.at("layer")));
    return for_each_output(c, [&](std::int64_t o, std::int64_t y, std::int64_t x) {
        float real = bias_of(c, o);
        for_each_product(c, o, y, x, [&](std::size_t i, std::size_t, std::size_t k) {
            real += times(image[i], weights[k]);
        });
        return real;
    });
}

void check_output(const layer_case& c, std::int64_t image, const std::vector<float>& expected) {
    const auto found = c.output.slice(image);
    BOOST_TEST(std::vector<float>(found.begin(), found.end()) == expected,
               boost::test_tools::per_element());
}

} // namespace

BOOST_AUTO_TEST_SUITE(reference_scaled_step)

BOOST_AUTO_TEST_CASE(groups_give_the_reals_of_the_definition) {
    auto g = support::generator();
    for (int round = 0; round < 40; ++round)
        for (const char* spec : {"w4 group(1)", "3 affine group(2)", "8 symmetric full group(3)",
                                 "2 affine signed group(4)", "w8 group(100)", "w5 group(2) pow2"}) {
            const layer_case c = random_convolution(g, {.weights = parse_spec(spec)}, false);
            const qparams& x = c.t.activations.at("input");
            BOOST_TEST_CONTEXT(spec << " round " << round)
            for (std::size_t i = 0; i < 3; ++i)
                check_output(c, static_cast<std::int64_t>(i),
                             scaled_sums(c, c.codes.at(0)[i], x.scale(), x.zero_point()));
        }
}

BOOST_AUTO_TEST_CASE(the_reals_of_groups_become_codes_behind_the_activation) {
    auto g = support::generator();
    for (int round = 0; round < 40; ++round) {
        const layer_case c = random_convolution(
            g, {.weights = parse_spec("w4 group(2)"), .activations = parse_spec("a5")}, true);
        BOOST_REQUIRE(c.layer().activation.has_value());
        const qparams& x = c.t.activations.at("input");
        const qparams& y = c.t.activations.at("layer");
        for (std::size_t i = 0; i < 3; ++i) {
            ints expected;
            for (const float real : scaled_sums(c, c.codes.at(0)[i], x.scale(), x.zero_point()))
                expected.push_back(y.quantize(std::max(real, 0.0f)));
            BOOST_TEST(c.codes.at(1)[i] == expected, boost::test_tools::per_element());
        }
    }
}

BOOST_AUTO_TEST_CASE(a_linear_layer_of_groups_by_hand) {
    graph net;
    net.linear("layer", net.input({3}), {.out_features = 1});
    net.parameters["layer.weight"] = tensor<float>({1, 3}, {7.0f, -3.0f, 0.5f});
    net.parameters["layer.bias"] = tensor<float>({1}, {0.25f});
    const plan p = place(net, {.weights = parse_spec("w4 group(2)")});
    const table t{.activations = {{"input", {a8, {0.5f}, {10}}}},
                  .weights = {{"layer", {parse_spec("w4 group(2)"), {1.0f, 0.125f}, {0, 0}}}},
                  .notes = {}};
    // Codes 14, 8, 13, less 10: 4, -2, 3; weights 7, -3 and 4. 0.25 + 34 * 0.5 + 12 * 0.0625.
    const auto y = lower(p, t).run(tensor<float>({1, 3}, {2.0f, -1.0f, 1.5f}));
    BOOST_TEST(y[0] == 18.0f);
}

BOOST_AUTO_TEST_CASE(each_group_has_sums_of_its_own_in_int32) {
    // 33025 products of at most 255 * 255 stay below 2^31, two such groups together do not.
    constexpr std::int64_t size = 33025;
    const auto layer = [](std::int64_t in, const char* spec) {
        graph net;
        net.linear("layer", net.input({in}), {.out_features = 1, .bias = false});
        net.parameters["layer.weight"] =
            tensor<float>({1, in}, std::vector<float>(static_cast<std::size_t>(in), 255.0f));
        const qspec w = parse_spec(spec);
        const plan p = place(net, {.weights = w});
        const std::size_t slices = slicing_of(w, {1, in}).slices;
        const table t{.activations = {{"input", {a8, {1.0f}, {0}}}},
                      .weights = {{"layer", {w, std::vector(slices, 1.0f), ints(slices)}}},
                      .notes = {}};
        const std::vector<float> x(static_cast<std::size_t>(in), 255.0f);
        return lower(p, t).run(tensor<float>({1, in}, x))[0];
    };
    const float whole = 2.0f * static_cast<float>(33025 * 65025); // the same sum twice
    BOOST_TEST(layer(2 * size, "8 affine group(33025)") == whole);
    BOOST_CHECK_THROW((void)layer(2 * size, "8 affine group(66050)"), graph_error);
    BOOST_CHECK_THROW((void)layer(2 * size, "8 affine channel(0)"), graph_error);
}

BOOST_AUTO_TEST_CASE(a_dynamic_input_gets_its_codes_from_its_own_image) {
    auto g = support::generator();
    for (int round = 0; round < 40; ++round)
        for (const auto& [spec, bits] : {std::pair{"w8", 8},
                                         {"4 affine", 8},
                                         {"w4 group(2)", 8},
                                         {"w8", 3},
                                         {"w8", 16},
                                         {"w3 group(3) affine", 16}}) {
            const qspec x = activation_spec(bits);
            const layer_case c = random_convolution(
                g, {.weights = parse_spec(spec), .layers = {{.pattern = "layer", .dynamic = x}}},
                false);
            BOOST_TEST(c.codes.empty());
            BOOST_TEST_CONTEXT(spec << " bits " << bits << " round " << round)
            for (std::int64_t i = 0; i < 3; ++i)
                check_output(c, i, dynamic_sums(c, c.images.slice(i), bits));
        }
}

BOOST_AUTO_TEST_CASE(weights_only_multiply_reals_in_the_order_of_the_kernel) {
    auto g = support::generator();
    for (int round = 0; round < 40; ++round)
        for (const char* spec : {"w8", "4 affine", "w4 group(2)", "w2", "16 symmetric"}) {
            const layer_case c = random_convolution(
                g,
                {.weights = parse_spec(spec), .layers = {{.pattern = "*", .weights_only = true}}},
                false);
            BOOST_TEST_CONTEXT(spec << " round " << round)
            for (std::int64_t i = 0; i < 3; ++i)
                check_output(c, i, real_sums(c, c.images.slice(i)));
        }
}

BOOST_AUTO_TEST_CASE(reals_of_integer_weights_become_codes_where_they_are_wanted) {
    auto g = support::generator();
    for (int round = 0; round < 40; ++round)
        for (const char* form : {"weights only", "dynamic a8"}) {
            const layer_case c =
                random_convolution(g, {.layers = {parse_rule("layer", form)}}, true);
            const qparams& y = c.t.activations.at("layer");
            for (std::size_t i = 0; i < 3; ++i) {
                const auto image = c.images.slice(static_cast<std::int64_t>(i));
                ints expected;
                for (const float real :
                     c.p.roles[1].dynamic ? dynamic_sums(c, image, 8) : real_sums(c, image))
                    expected.push_back(y.quantize(std::max(real, 0.0f)));
                BOOST_TEST_CONTEXT(form)
                BOOST_TEST(c.codes.at(1)[i] == expected, boost::test_tools::per_element());
            }
        }
}

BOOST_AUTO_TEST_CASE(a_dynamic_input_may_hold_anything) {
    constexpr float infinity = std::numeric_limits<float>::infinity();
    graph net;
    net.linear("layer", net.input({4}), {.out_features = 1});
    net.parameters["layer.weight"] = tensor<float>({1, 4}, {1.0f, 2.0f, 4.0f, 8.0f});
    net.parameters["layer.bias"] = tensor<float>({1}, {0.5f});
    const plan p = place(net, {.layers = {parse_rule("layer", "dynamic 8 symmetric")}});
    const table t{.activations = {}, .weights = {{"layer", {w8, {1.0f}, {0}}}}, .notes = {}};
    const auto run = [&](std::vector<float> x) {
        return lower(p, t).run(tensor<float>({1, 4}, std::move(x)))[0];
    };
    BOOST_TEST(run({0.0f, 0.0f, 0.0f, 0.0f}) == 0.5f);
    BOOST_TEST(run({127.0f, 1.0f, 0.4f, -1.0f}) == 127.0f + 2.0f - 8.0f + 0.5f);
    // The range is that of 254 and 0: infinity is its end, NaN is 0.
    BOOST_TEST(run({infinity, 254.0f, std::nanf(""), -infinity}) ==
               2.0f * (127.0f + 2.0f * 127.0f - 8.0f * 127.0f) + 0.5f);
}

BOOST_AUTO_TEST_CASE(sums_of_dynamic_codes_are_bounded_for_every_zero_point) {
    const auto layer = [](std::int64_t in, const char* form) {
        graph net;
        net.linear("layer", net.input({in}), {.out_features = 1, .bias = false});
        net.parameters["layer.weight"] =
            tensor<float>({1, in}, std::vector<float>(static_cast<std::size_t>(in), 127.0f));
        const plan p = place(net, {.layers = {parse_rule("layer", form)}});
        const table t{.activations = {}, .weights = {{"layer", {w8, {1.0f}, {0}}}}, .notes = {}};
        return lower(p, t);
    };
    // 255 * 127 * 66311 = 2,147,481,735 and 127 * 127 * 133144 = 2,147,479,576
    BOOST_CHECK_NO_THROW((void)layer(66311, "dynamic a8"));
    BOOST_CHECK_THROW((void)layer(66312, "dynamic a8"), graph_error);
    BOOST_CHECK_THROW((void)layer(66312, "dynamic 8 affine signed"), graph_error);
    BOOST_CHECK_NO_THROW((void)layer(133144, "dynamic 8 symmetric"));
    BOOST_CHECK_THROW((void)layer(133145, "dynamic 8 symmetric"), graph_error);
    BOOST_CHECK_NO_THROW((void)layer(133145, "dynamic a16"));
    BOOST_CHECK_NO_THROW((void)layer(133145, "weights only"));
}

BOOST_AUTO_TEST_SUITE_END()
