// SPDX-License-Identifier: Apache-2.0
#include "support/random.hpp"

#include <quantal/passes/optimize.hpp>
#include <quantal/passes/place.hpp>
#include <quantal/runtime/calibrate.hpp>
#include <quantal/runtime/program.hpp>

#include <boost/test/unit_test.hpp>

using namespace quantal;

namespace {

using ints = std::vector<std::int32_t>;

/// A network of one weighted layer, "layer", and what it computed for each image.
struct layer_case {
    plan p;
    table t;
    tensor<float> images;
    std::map<value, std::vector<ints>> codes{}; ///< by node, one entry an image
    tensor<float> output{};

    [[nodiscard]] const node& layer() const { return p.at(1); }
};

/// Calibrates and runs `net`.
template <requantizer R>
layer_case run(graph net, const quantization& q, tensor<float> images) {
    plan p = place(passes::optimize(std::move(net)), q);
    table t = calibrate(p, reference_executor(p.net), std::vector{images});
    layer_case c{std::move(p), std::move(t), std::move(images)};
    c.output =
        lower(c.p, c.t, R{})
            .run(c.images, 2, [&](value v, std::size_t, std::span<const std::int32_t> q_of_v) {
                c.codes[v].emplace_back(q_of_v.begin(), q_of_v.end());
            });
    return c;
}

/// A random convolution, and behind it what makes its output codes: a relu and a pool of 1 x 1.
template <requantizer R = requantizers::in_float>
layer_case random_convolution(std::mt19937& g, const quantization& q, bool to_codes) {
    const auto any = [&](std::int64_t lo, std::int64_t hi) {
        return std::uniform_int_distribution<std::int64_t>(lo, hi)(g);
    };
    const std::int64_t groups = any(1, 2);
    const std::int64_t in = groups * any(1, 7);
    graph net;
    const value x = net.input({in, any(4, 6), any(4, 6)});
    const value y = net.conv2d("layer", x,
                               {.out_channels = groups * any(1, 4),
                                .kernel = {any(1, 3), any(1, 3)},
                                .stride = {any(1, 2), any(1, 2)},
                                .padding = {any(0, 1), any(0, 1), any(0, 1), any(0, 1)},
                                .groups = groups,
                                .bias = any(0, 1) == 1});
    if (to_codes) net.max_pool("pool", net.relu("relu", y), {.kernel = 1, .stride = 1});
    support::randomize(net, g);
    tensor<float> images = support::normal(g, net.at(x).shape.with_front(3));
    return run<R>(std::move(net), q, std::move(images));
}

/// Calls `f(i, c, k)` for each input element i (channels, height, width) under output element
/// (o, y, x) of the layer; c and k are the input channel within its group and the row-major index
/// of the weight. In the order of the kernel positions, then channels.
template <class F>
void for_each_product(const layer_case& c, std::int64_t o, std::int64_t y, std::int64_t x, F&& f) {
    const auto& conv = *c.layer().as<op::conv2d>();
    const extents& in = c.p.at(0).shape;
    const std::int64_t channels = in[0] / conv.groups;
    const std::int64_t first = o / (conv.out_channels / conv.groups) * channels;
    for (std::int64_t ky = 0; ky < conv.kernel.h; ++ky)
        for (std::int64_t kx = 0; kx < conv.kernel.w; ++kx)
            for (std::int64_t i = 0; i < channels; ++i) {
                const std::int64_t h = y * conv.stride.h - conv.padding.top + ky;
                const std::int64_t w = x * conv.stride.w - conv.padding.left + kx;
                if (h < 0 || h >= in[1] || w < 0 || w >= in[2]) continue;
                f(static_cast<std::size_t>(((first + i) * in[1] + h) * in[2] + w),
                  static_cast<std::size_t>(i),
                  static_cast<std::size_t>(
                      ((o * channels + i) * conv.kernel.h + ky) * conv.kernel.w + kx));
            }
}

/// All outputs of an image in logical order, from `f(o, y, x)`.
template <class F>
auto for_each_output(const layer_case& c, F&& f) {
    std::vector<decltype(f(0, 0, 0))> result;
    const extents& s = c.layer().shape;
    for (std::int64_t o = 0; o < s[0]; ++o)
        for (std::int64_t y = 0; y < s[1]; ++y)
            for (std::int64_t x = 0; x < s[2]; ++x)
                result.push_back(f(o, y, x));
    return result;
}

/// `a * b` rounded to float32 before anything else: volatile, so that no sum can swallow it.
float times(float a, float b) {
    volatile float product = a * b;
    return product;
}

float bias_of(const layer_case& c, std::int64_t o) {
    const auto* bias = c.p.net.find_parameter(c.layer(), "bias");
    return bias ? (*bias)[static_cast<std::size_t>(o)] : 0.0f;
}

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

/// docs/arithmetic.md, groups: the reals of an image whose input codes and parameters are given.
std::vector<float> sums_of_groups(const layer_case& c, const ints& codes, float x_scale,
                                  std::int32_t x_zero) {
    const qparams& w = c.t.weights.at("layer");
    const any_qtensor weights = quantize(c.p.net.parameters.at("layer.weight"), w);
    const auto size = static_cast<std::size_t>(w.spec.group_size);
    const std::size_t groups = (static_cast<std::size_t>(weights.shape()[1]) + size - 1) / size;
    return for_each_output(c, [&](std::int64_t o, std::int64_t y, std::int64_t x) {
        std::vector<std::int64_t> sums(groups);
        const std::size_t first = static_cast<std::size_t>(o) * groups;
        for_each_product(c, o, y, x, [&](std::size_t i, std::size_t channel, std::size_t k) {
            const std::size_t slice = first + channel / size;
            sums[channel / size] +=
                std::int64_t{codes[i] - x_zero} * (weights.code(k) - w.zero_point(slice));
        });
        float real = bias_of(c, o);
        for (std::size_t group = 0; group < groups; ++group)
            real += times(static_cast<float>(sums[group]), times(x_scale, w.scale(first + group)));
        return real;
    });
}

} // namespace

BOOST_AUTO_TEST_SUITE(reference_weighted_step)

BOOST_AUTO_TEST_CASE(groups_give_the_reals_of_the_definition) {
    auto g = support::generator();
    for (int round = 0; round < 40; ++round)
        for (const char* spec : {"w4 group(1)", "3 affine group(2)", "8 symmetric full group(3)",
                                 "2 affine signed group(4)", "w8 group(100)", "w5 group(2) pow2"}) {
            const layer_case c = random_convolution(g, {.weights = parse_spec(spec)}, false);
            const qparams& x = c.t.activations.at("input");
            for (std::size_t i = 0; i < 3; ++i) {
                const auto expected =
                    sums_of_groups(c, c.codes.at(0)[i], x.scale(), x.zero_point());
                const auto found = c.output.slice(static_cast<std::int64_t>(i));
                BOOST_TEST_CONTEXT(spec << " round " << round)
                BOOST_TEST(std::vector<float>(found.begin(), found.end()) == expected,
                           boost::test_tools::per_element());
            }
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
            for (const float real : sums_of_groups(c, c.codes.at(0)[i], x.scale(), x.zero_point()))
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
