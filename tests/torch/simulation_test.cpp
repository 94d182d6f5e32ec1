// SPDX-License-Identifier: Apache-2.0
#include <quantal/torch/simulation.hpp>

#include <quantal/ops/quantize.hpp>
#include <quantal/runtime/evaluate.hpp>
#include <quantal/torch/exact_network.hpp>

#include "support/networks.hpp"

#include <boost/test/unit_test.hpp>

#include <cstring>
#include <limits>

using namespace quantal;
using networks::calibrated;
using quantal::torch::as_torch;
using quantal::torch::exact_network;
using quantal::torch::from_torch;
using quantal::torch::simulation;

namespace {

constexpr const char* spec_texts[] = {"w8",
                                      "w4",
                                      "w2",
                                      "a8",
                                      "a5",
                                      "a1",
                                      "8 symmetric full tensor",
                                      "8 affine signed tensor",
                                      "4 symmetric full channel(1)",
                                      "3 affine unsigned channel(2)",
                                      "8 affine signed channel(3)",
                                      "1 affine unsigned channel(0)",
                                      "4 affine signed group(2)",
                                      "w3 group(3) pow2",
                                      "w8 group(2147483647)",
                                      "16 affine unsigned tensor"};

bool same_bits(const tensor<float>& a, const tensor<float>& b) {
    return a.shape() == b.shape() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

/// Numbers of all magnitudes, and those that rounding and clamping have to think about.
tensor<float> hard_numbers(std::mt19937& g, const qparams& p) {
    constexpr float infinity = std::numeric_limits<float>::infinity();
    tensor<float> x = support::normal(g, {6, 5, 4, 30});
    const float s = p.scale();
    const float special[] = {0.0f,      -0.0f,    infinity,  -infinity,  std::nanf(""), 1e38f,
                             -1e38f,    1e-40f,   -1e-40f,   s * 0.5f,   s * 1.5f,      s * -0.5f,
                             s * -2.5f, s * 3e9f, s * -3e9f, s * 126.5f, s * -127.5f};
    for (std::size_t i = 0; i < x.size(); i += 2)
        x[i] = i % 4 == 0 ? special[i / 4 % std::size(special)]
                          : x[i] * std::exp2(static_cast<float>(i % 60) - 30.0f);
    return x;
}

/// The root of the power of a - b, as a part of that of b.
double relative_noise(const tensor<float>& a, const tensor<float>& b) {
    double difference = 0.0, power = 0.0;
    for (std::size_t i = 0; i < b.size(); ++i) {
        difference += std::pow(double{a[i]} - b[i], 2);
        power += double{b[i]} * b[i];
    }
    return std::sqrt(difference / power);
}

/// The least distance of the two largest logits of an image, as a part of the largest.
double margin(const tensor<float>& logits) {
    double least = 1.0;
    for (std::int64_t i = 0; i < logits.shape()[0]; ++i) {
        std::vector<float> row(logits.slice(i).begin(), logits.slice(i).end());
        std::sort(row.rbegin(), row.rend());
        least = std::min(least, double{row[0] - row[1]} / std::abs(row[0]));
    }
    return least;
}

} // namespace

BOOST_AUTO_TEST_SUITE(torch_simulation)

BOOST_AUTO_TEST_CASE(quantizing_in_libtorch_gives_the_bits_of_the_reference) {
    auto g = support::generator();
    for (const char* text : spec_texts)
        BOOST_TEST_CONTEXT(text) {
            const tensor<float> seen = support::normal(g, {6, 5, 4, 30});
            const qparams p = calibrate(parse_spec(text), seen, observe::minmax{});
            const tensor<float> x = hard_numbers(g, p);
            const tensor<std::int32_t> codes = quantize(x, p).codes();
            const tensor<float> found = from_torch(quantal::torch::quantize(as_torch(x), p));
            for (std::size_t i = 0; i < x.size(); ++i)
                BOOST_REQUIRE(found[i] == static_cast<float>(codes[i]));
            const tensor<float> faked = from_torch(quantal::torch::fake_quantize(as_torch(x), p));
            BOOST_TEST(same_bits(faked, dequantize(quantize(x, p))));
        }
}

BOOST_AUTO_TEST_CASE(weights_of_a_simulation_are_those_of_the_codes_bit_for_bit) {
    auto g = support::generator();
    for (const char* text : {"w8", "w4", "w2", "w4 group(3)", "8 affine unsigned tensor",
                             "3 symmetric full tensor", "5 affine signed channel(0)"})
        BOOST_TEST_CONTEXT(text) {
            graph net;
            net.linear("fc", net.input({7}), {.out_features = 5, .bias = false});
            support::randomize(net, g);
            const tensor<float> weight = net.parameters.at("fc.weight");
            const plan p = place(std::move(net), {.weights = parse_spec(text)});
            const qparams w = calibrate(parse_spec(text), weight, observe::minmax{});
            const table t{
                .activations = {{"input", {a8, {1.0f}, {0}}}}, .weights = {{"fc", w}}, .notes = {}};
            tensor<float> ones({7, 7}); // image i is 1 at i: its output is column i
            for (std::size_t i = 0; i < 7; ++i)
                ones[i * 8] = 1.0f;
            const tensor<float> expected = dequantize(quantize(weight, w));
            const tensor<float> found = simulation(p, t).run(ones);
            for (std::size_t i = 0; i < 7; ++i)
                for (std::size_t c = 0; c < 5; ++c)
                    BOOST_TEST(found[i * 5 + c] == expected[c * 7 + i]);
        }
}

// With scales of powers of two and biases that are multiples of a layer's step every float32
// operation of the simulation is exact, so that it rounds the same numbers as the integers do.
BOOST_AUTO_TEST_CASE(where_float_is_exact_the_simulation_computes_the_same_bits) {
    for (const auto& [weights, activations] :
         {std::pair{"w8", "a8"}, std::pair{"w4", "a4"}, std::pair{"w2", "a4"},
          std::pair{"8 symmetric full tensor", "8 affine signed tensor"},
          std::pair{"3 affine signed channel(0)", "5 symmetric narrow tensor"}})
        for (const char* kind : {"resnet20", "mobilenet_v2 same", "resnet18"})
            BOOST_TEST_CONTEXT(kind << ", weights " << weights << ", activations " << activations) {
                calibrated c = networks::make(kind, {parse_spec(weights), parse_spec(activations)});
                networks::make_exact_in_float(c);
                const tensor<float> expected = exact_network(c.network, c.table).run(c.images);
                BOOST_TEST((simulation(c.network, c.table).run(c.images) == expected));
            }
}

BOOST_AUTO_TEST_CASE(a_simulation_is_as_near_the_integers_as_their_rounding_allows) {
    for (const char* kind : networks::kinds)
        BOOST_TEST_CONTEXT(kind) {
            const calibrated c = networks::make(kind);
            const tensor<float> integer = exact_network(c.network, c.table).run(c.images);
            const tensor<float> simulated = simulation(c.network, c.table).run(c.images);
            const tensor<float> real = reference_executor(c.network.net)(c.images, {});
            const double apart = relative_noise(simulated, integer);
            const double rounding = relative_noise(real, integer);
            BOOST_TEST_MESSAGE(kind << ": " << apart << " apart, rounding " << rounding
                                    << ", margin " << margin(integer));
            // Biases without codes and float32 sums turn a few codes by one step, which turns more
            // of them in each next layer, until the roundings are independent: then the distance is
            // sqrt(2) of what 8 bits cost. A wrong formula costs far more than 2.
            BOOST_TEST(apart > 0.0);
            BOOST_TEST(apart < 2.0 * rounding);
            BOOST_TEST(apart < 0.03);
            BOOST_TEST(predictions(simulated) == predictions(integer),
                       boost::test_tools::per_element());
        }
}

BOOST_AUTO_TEST_CASE(a_dynamic_input_is_refused_by_name) {
    const calibrated c =
        networks::make("resnet20", {.layers = {parse_rule("linear", "dynamic a8")}});
    BOOST_CHECK_EXCEPTION(simulation(c.network, c.table), graph_error, [](const error& e) {
        return std::string(e.what()).starts_with("layer \"linear\" has a dynamic input");
    });
}

BOOST_AUTO_TEST_CASE(layers_in_float_are_not_quantized) {
    const calibrated c = networks::make("resnet20", {.layers = {parse_rule("*", "float")}});
    const tensor<float> real = from_torch(quantal::torch::run(
        c.network.net, as_torch(c.images), quantal::torch::parameters_of(c.network.net), false,
        [](value, const at::Tensor& y) { return y; }));
    BOOST_TEST((simulation(c.network, c.table).run(c.images) == real));
}

BOOST_AUTO_TEST_CASE(a_simulation_leaves_the_plan_alone) {
    const calibrated c = networks::make("operators", {w2, a4});
    const auto before = c.network.net.parameters;
    const simulation s(c.network, c.table);
    (void)s.run(c.images);
    BOOST_TEST((c.network.net.parameters == before));
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_refused) {
    const calibrated c = networks::make("operators");
    BOOST_CHECK_THROW((void)simulation(c.network, c.table).run(tensor<float>({2, 3, 14, 12})),
                      shape_error);
    table t = c.table;
    t.weights.erase("grouped");
    BOOST_CHECK_EXCEPTION(simulation(c.network, t), graph_error, [](const error& e) {
        return std::string(e.what()) == "the calibration table has no weights of layer \"grouped\"";
    });
}

BOOST_AUTO_TEST_SUITE_END()
