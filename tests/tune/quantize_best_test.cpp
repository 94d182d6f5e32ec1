// SPDX-License-Identifier: Apache-2.0
#include <quantal/tune/quantize_best.hpp>

#include "support/networks.hpp"

#include <boost/test/unit_test.hpp>

using namespace quantal;

namespace {

/// Of few bits, so that every part of a combination matters.
struct small_network {
    plan network;
    std::vector<tensor<float>> batches;

    small_network() {
        auto g = support::generator();
        graph net;
        value x = net.input({1, 5, 5});
        x = net.relu("relu", net.conv2d("conv", x, {.out_channels = 6, .kernel = 3}));
        net.linear("fc", net.flatten("flatten", x), {.out_features = 4});
        support::randomize(net, g);
        network = place(passes::optimize(std::move(net)), {.weights = w3, .activations = a4});
        for (int i = 0; i < 4; ++i)
            batches.push_back(support::normal(g, {16, 1, 5, 5}));
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(tune_quantize_best)

BOOST_AUTO_TEST_CASE(the_best_of_all_trials_is_chosen) {
    const small_network n;
    const auto best = tune::quantize_best(n.network, n.batches, HUGE_VAL);
    BOOST_TEST(best.trials.size() == 11u);
    BOOST_TEST(best.untried == 0u);
    const double most = best.trials[best.chosen].signal_to_noise;
    for (const tune::trial& t : best.trials)
        BOOST_TEST(t.signal_to_noise <= most);
    BOOST_TEST(most > best.trials.front().signal_to_noise);
    // What is returned is what was judged, on the last batch.
    const auto exact = cpu::executor(n.network.net)(n.batches.back(), {});
    const auto powers =
        tune::output_powers(quantize(best.plan, best.table), n.batches.back(), exact, 0);
    BOOST_TEST(powers.decibels() == most);
}

BOOST_AUTO_TEST_CASE(threads_make_no_difference) {
    const small_network n;
    const auto one = tune::quantize_best(n.network, n.batches, HUGE_VAL, {.threads = 1});
    const auto three = tune::quantize_best(n.network, n.batches, HUGE_VAL, {.threads = 3});
    BOOST_TEST(one.explanation() == three.explanation());
    BOOST_TEST((one.table == three.table));
    for (const auto& [name, parameter] : one.plan.net.parameters)
        BOOST_TEST(parameter.values() == three.plan.net.parameters.at(name).values(),
                   boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_explanation_says_what_each_part_brings) {
    tune::best_quantization best;
    best.trials = {{"minmax", "minmax", "none", 12.0},    {"mse", "minmax", "none", 12.5},
                   {"kl", "minmax", "none", 12.0},        {"aciq", "minmax", "none", 12.75},
                   {"aciq", "mse", "none", 14.0},         {"aciq", "mse", "nearest", 14.0},
                   {"aciq", "mse", "adaround", 20.123456}};
    best.chosen = 6;
    best.untried = 2;
    BOOST_TEST(best.explanation() ==
               "The observer minmax, weights by minmax and the rounding none leave a "
               "signal-to-noise ratio of 12 dB at the output; the observer mse brings 0.5 dB more; "
               "the observer aciq brings 0.25 dB more; weights by mse brings 1.25 dB more; the "
               "rounding adaround brings 6.12 dB more; combinations tried: 7, left out for want of "
               "time: 2.");
}

BOOST_AUTO_TEST_CASE(without_time_the_first_combination_is_all) {
    const networks::calibrated c = networks::make("operators");
    const std::vector<tensor<float>> batches{c.images, c.images};
    const auto best = tune::quantize_best(c.network, batches, 0.0);
    BOOST_TEST(best.trials.size() == 1u);
    BOOST_TEST(best.untried == 10u);
    BOOST_TEST(best.chosen == 0u);
    const table expected =
        calibrate(c.network, cpu::executor(c.network.net), std::vector{c.images});
    BOOST_TEST((best.table == expected));
}

BOOST_AUTO_TEST_CASE(one_batch_is_refused) {
    const networks::calibrated c = networks::make("operators");
    BOOST_CHECK_EXCEPTION((void)tune::quantize_best(c.network, std::vector{c.images}, 1.0),
                          data_error, [](const data_error& e) {
                              return std::string(e.what()).starts_with(
                                  "the best quantization is chosen among 1 batches");
                          });
}

BOOST_AUTO_TEST_SUITE_END()
