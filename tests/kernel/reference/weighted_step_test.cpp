// SPDX-License-Identifier: Apache-2.0
#include "kernel/reference/layer_case.hpp"

#include <boost/test/unit_test.hpp>

using namespace support;

namespace {

/// docs/arithmetic.md, 4 and 5: the codes of an image whose input codes are given, from
/// `to_code(sum, multiplier)`.
template <class F>
ints codes_by_definition(const layer_case& c, const ints& codes, F&& to_code) {
    const qparams& x = c.t.activations.at("input");
    const qparams& w = c.t.weights.at("layer");
    const float y_scale = c.t.activations.at("layer").scale();
    const any_qtensor weights = quantize(c.p.net.parameters.at("layer.weight"), w);
    return for_each_output(c, [&](std::int64_t o, std::int64_t h, std::int64_t v) {
        const auto channel = static_cast<std::size_t>(w.scales.size() == 1 ? 0 : o);
        std::int64_t acc = arith::bias_code(bias_of(c, o), x.scale(), w.scale(channel));
        for_each_product(c, o, h, v, [&](std::size_t i, std::size_t, std::size_t k) {
            acc +=
                std::int64_t{codes[i] - x.zero_point()} * (weights.code(k) - w.zero_point(channel));
        });
        return to_code(acc, times(x.scale(), w.scale(channel)) / y_scale);
    });
}

} // namespace

BOOST_AUTO_TEST_SUITE(reference_weighted_step)

BOOST_AUTO_TEST_CASE(codes_of_channels_are_those_of_the_definition) {
    auto g = support::generator();
    const std::pair<const char*, const char*> specs[] = {
        {"8 affine channel(0)", "a8"}, {"4 affine signed", "a8"},
        {"1 affine channel(0)", "a3"}, {"w8", "a16"},
        {"16 affine", "a16"},          {"w16", "8 affine signed"}};
    for (int round = 0; round < 40; ++round)
        for (const auto& [weight_text, activation_text] : specs) {
            const layer_case c = random_convolution(
                g, {.weights = parse_spec(weight_text), .activations = parse_spec(activation_text)},
                true);
            const qparams& y = c.t.activations.at("layer");
            const auto zero = static_cast<float>(y.zero_point()); // the code of relu's 0
            const auto to_code = [&](std::int64_t acc, float m) {
                const float steps = std::nearbyint(times(static_cast<float>(acc), m));
                return static_cast<std::int32_t>(
                    std::clamp(steps + zero, zero, static_cast<float>(y.spec.qmax())));
            };
            BOOST_TEST_CONTEXT(weight_text << ", " << activation_text << " round " << round)
            for (std::size_t i = 0; i < 3; ++i)
                BOOST_TEST(c.codes.at(1)[i] == codes_by_definition(c, c.codes.at(0)[i], to_code),
                           boost::test_tools::per_element());
        }
}

BOOST_AUTO_TEST_CASE(codes_in_fixed_point_are_those_of_the_definition) {
    auto g = support::generator();
    for (int round = 0; round < 40; ++round) {
        const auto c = random_convolution<requantizers::in_fixed_point>(g, {.weights = w4}, true);
        const std::int32_t zero = c.t.activations.at("layer").zero_point();
        const auto to_code = [&](std::int64_t acc, float m) { // the product is exact in 64 bits
            const auto steps = std::nearbyint(static_cast<long double>(acc) * m);
            return static_cast<std::int32_t>(std::clamp<long double>(steps + zero, zero, 255));
        };
        for (std::size_t i = 0; i < 3; ++i)
            BOOST_TEST(c.codes.at(1)[i] == codes_by_definition(c, c.codes.at(0)[i], to_code),
                       boost::test_tools::per_element());
    }
}

BOOST_AUTO_TEST_CASE(sixteen_bits_in_fixed_point_are_refused_by_name) {
    auto g = support::generator();
    BOOST_CHECK_EXCEPTION(
        (void)random_convolution<requantizers::in_fixed_point>(g, {.activations = a16}, true),
        graph_error, [](const error& e) {
            return std::string(e.what()).starts_with("layer \"layer\" has codes of 16 bits");
        });
}

BOOST_AUTO_TEST_CASE(sums_of_16_bits_go_beyond_int32_and_below_2_to_the_53) {
    const auto layer = [](std::int64_t in, std::int32_t code) {
        const qspec w{.bits = 16, .kind = scheme::affine};
        graph net;
        net.linear("layer", net.input({in}), {.out_features = 1, .bias = false});
        net.parameters["layer.weight"] = tensor<float>(
            {1, in}, std::vector<float>(static_cast<std::size_t>(in), static_cast<float>(code)));
        const plan p = place(net, {.weights = w, .activations = a16});
        const table t{.activations = {{"input", {a16, {1.0f}, {0}}}},
                      .weights = {{"layer", {w, {1.0f}, {0}}}},
                      .notes = {}};
        const std::vector<float> x(static_cast<std::size_t>(in), 65535.0f);
        return lower(p, t).run(tensor<float>({1, in}, x))[0];
    };
    BOOST_TEST(layer(3, 65535) == static_cast<float>(3 * 65535LL * 65535));
    // More than 24 bits: the sum is rounded once.
    BOOST_TEST(layer(33, 65533) == static_cast<float>(33 * 65535LL * 65533));
    BOOST_CHECK_NO_THROW((void)layer(2097215, 65535)); // times 65535^2: below 2^53
    BOOST_CHECK_THROW((void)layer(2097217, 65535), graph_error);
}

BOOST_AUTO_TEST_SUITE_END()
