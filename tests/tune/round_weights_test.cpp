// SPDX-License-Identifier: Apache-2.0
#include <quantal/tune/round_weights.hpp>

#include "support/networks.hpp"

#include <quantal/runtime/evaluate.hpp>
#include <quantal/tune/adaround.hpp>

#include <boost/test/unit_test.hpp>

using namespace quantal;

namespace {

/// `sum (x - y)^2 / sum x^2`.
double relative_error(const tensor<float>& x, const tensor<float>& y) {
    double error = 0.0, size = 0.0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        error += (double{x[i]} - y[i]) * (double{x[i]} - y[i]);
        size += double{x[i]} * x[i];
    }
    return error / size;
}

struct case_of_bits {
    plan network;
    quantal::table table;
    std::vector<tensor<float>> batches;

    [[nodiscard]] double error_of(const plan& p) const {
        double error = 0.0;
        for (const auto& images : batches)
            error += relative_error(cpu::executor(network.net)(images, {}),
                                    cpu::executor(quantize(p, table))(images, {}));
        return error;
    }
};

/// A network of every weighted kind of layer, with `images` random images in two batches.
case_of_bits make_case(const quantization& q, std::int64_t images = 24) {
    auto g = support::generator();
    graph net;
    value x = net.input({2, 6, 6});
    x = net.relu("relu0", net.conv2d("conv", x, {.out_channels = 8, .kernel = 3, .padding = 1}));
    x = net.relu("relu1",
                 net.conv2d("depthwise", x, {.out_channels = 8, .kernel = 3, .groups = 8}));
    x = net.conv2d("groups", x, {.out_channels = 6, .groups = 2, .bias = false});
    net.linear("fc", net.flatten("flatten", x), {.out_features = 5});
    support::randomize(net, g);
    const plan p = place(passes::optimize(std::move(net)), q);
    std::vector<tensor<float>> batches;
    for (const std::int64_t count : {images / 2, images - images / 2})
        batches.push_back(support::normal(g, p.net.input_shape().with_front(count)));
    table t = calibrate(p, cpu::executor(p.net), batches);
    return {p, std::move(t), std::move(batches)};
}

} // namespace

BOOST_AUTO_TEST_SUITE(tune_round_weights)

BOOST_AUTO_TEST_CASE(every_way_is_closer_to_the_float_network) {
    for (const char* weights : {"w3", "w4", "4 affine channel(0)", "w4 group(4)"}) {
        const case_of_bits c = make_case({.weights = parse_spec(weights)});
        const double before = c.error_of(c.network);
        const double corrected =
            c.error_of(round_weights(c.network, c.table, c.batches, tune::nearest{}));
        const double descended =
            c.error_of(round_weights(c.network, c.table, c.batches, tune::descent{}));
        const double learnt =
            c.error_of(round_weights(c.network, c.table, c.batches, tune::adaround{}));
        BOOST_TEST_CONTEXT(weights) {
            BOOST_TEST(corrected < before);
            BOOST_TEST(descended < 0.6 * before);
            BOOST_TEST(learnt < 0.6 * before);
        }
    }
}

BOOST_AUTO_TEST_CASE(weights_become_whole_steps_that_quantizing_finds) {
    const case_of_bits c = make_case({.weights = w3});
    const plan p = round_weights(c.network, c.table, c.batches, tune::descent{});
    const integer_network n = quantize(p, c.table);
    for (const auto& [v, layer] : n.layers()) {
        const tensor<float> reals = dequantize(layer.weights);
        BOOST_TEST(reals.values() == p.net.parameter(p.at(v), "weight").values(),
                   boost::test_tools::per_element());
    }
}

BOOST_AUTO_TEST_CASE(corrected_biases_give_the_mean_of_the_float_network) {
    const case_of_bits c = make_case({.weights = w2});
    const plan p = round_weights(c.network, c.table, c.batches, tune::nearest{});
    BOOST_TEST(quantize(p, c.table).layers().size() == 4u);
    const auto mean_error = [&](const plan& of) {
        double sum = 0.0;
        for (const auto& images : c.batches) {
            const auto x = cpu::executor(c.network.net)(images, {});
            const auto y = cpu::executor(quantize(of, c.table))(images, {});
            for (std::int64_t i = 0; i < x.shape()[0]; ++i)
                sum += double{x.slice(i)[0]} - y.slice(i)[0];
        }
        return std::abs(sum);
    };
    // What is left is the rounding of the bias to its code, of each of the 24 images.
    const float step = c.table.weights.at("fc").scale() * c.table.activations.at("groups").scale();
    BOOST_TEST(mean_error(p) <= 24 * 0.501 * step);
    BOOST_TEST(24 * step < 0.1 * mean_error(c.network));
}

BOOST_AUTO_TEST_CASE(threads_make_no_difference) {
    const case_of_bits c = make_case({.weights = w4});
    const plan one = round_weights(c.network, c.table, c.batches, tune::adaround{}, {.threads = 1});
    const plan three =
        round_weights(c.network, c.table, c.batches, tune::adaround{}, {.threads = 3});
    for (const auto& [name, values] : one.net.parameters)
        BOOST_TEST(values.values() == three.net.parameters.at(name).values(),
                   boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(layers_with_too_many_inputs_stay_and_are_noted) {
    auto g = support::generator();
    graph net;
    net.linear("fc", net.flatten("flatten", net.input({1, 80, 75})), {.out_features = 1});
    support::randomize(net, g);
    const plan p = place(net);
    const std::vector<tensor<float>> batches{support::normal(g, {2, 1, 80, 75})};
    const table t = calibrate(p, cpu::executor(p.net), batches);
    notes list;
    const plan same = round_weights(p, t, batches, tune::descent{}, {}, &list);
    BOOST_TEST(list ==
                   notes{"fc: too many inputs to look at; its weights are rounded to the nearest"},
               boost::test_tools::per_element());
    BOOST_TEST(same.net.parameters.at("fc.weight").values() ==
                   net.parameters.at("fc.weight").values(),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
