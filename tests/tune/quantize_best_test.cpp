// SPDX-License-Identifier: Apache-2.0
#include <quantal/tune/quantize_best.hpp>

#include "support/networks.hpp"

#include <boost/test/unit_test.hpp>

using namespace quantal;

BOOST_AUTO_TEST_SUITE(tune_quantize_best)

BOOST_AUTO_TEST_CASE(the_best_of_all_trials_is_chosen_and_explained) {
    auto g = support::generator();
    graph net;
    value x = net.input({1, 5, 5});
    x = net.relu("relu", net.conv2d("conv", x, {.out_channels = 6, .kernel = 3}));
    net.linear("fc", net.flatten("flatten", x), {.out_features = 4});
    support::randomize(net, g);
    const plan p = place(passes::optimize(std::move(net)), {.weights = w3, .activations = a4});
    std::vector<tensor<float>> batches;
    for (int i = 0; i < 4; ++i)
        batches.push_back(support::normal(g, {16, 1, 5, 5}));
    const auto best = tune::quantize_best(p, batches, HUGE_VAL);
    BOOST_TEST(best.trials.size() == 9u);
    for (const tune::trial& t : best.trials)
        BOOST_TEST(t.signal_to_noise <= best.trials[best.chosen].signal_to_noise);
    BOOST_TEST(best.trials[best.chosen].signal_to_noise > best.trials[0].signal_to_noise);
    // What is returned is what was judged, on the last batch.
    const auto exact = cpu::executor(p.net)(batches.back(), {});
    const auto powers =
        tune::output_powers(quantize(best.plan, best.table), batches.back(), exact, 0);
    BOOST_TEST(powers.decibels() == best.trials[best.chosen].signal_to_noise);
    BOOST_TEST(best.explanation().starts_with("Of 9 combinations, the observer "));
}

BOOST_AUTO_TEST_CASE(without_time_the_first_combination_is_all) {
    const networks::calibrated c = networks::make("operators");
    const std::vector<tensor<float>> batches{c.images, c.images};
    const auto best = tune::quantize_best(c.network, batches, 0.0);
    BOOST_TEST(best.trials.size() == 1u);
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
