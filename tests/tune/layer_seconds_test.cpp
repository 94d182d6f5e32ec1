// SPDX-License-Identifier: Apache-2.0
#include <quantal/tune/layer_seconds.hpp>
#include <quantal/tune/mixed_precision.hpp>

#include "support/networks.hpp"

#include <boost/test/unit_test.hpp>

using namespace quantal;

BOOST_AUTO_TEST_SUITE(tune_layer_seconds)

// Not how fast: that every layer has a time, and that a budget of it can be kept.
BOOST_AUTO_TEST_CASE(every_layer_is_measured_at_every_width) {
    for (const char* kind : {"operators", "resnet20"}) {
        const networks::calibrated c = networks::make(kind);
        const std::vector<int> widths{8, 4, 2};
        const tune::layer_seconds seconds(c.network, widths, c.images, 2, 2);
        const auto costs =
            tune::measure_widths(c.network, widths, c.images, observe::minmax{}, 0, seconds);
        double all = 0.0;
        for (const tune::layer_costs& layer : costs)
            for (const auto& entry : layer.widths) {
                BOOST_TEST(entry.cost >= 0.0);
                all += entry.cost;
            }
        BOOST_TEST(all > 0.0);
        const auto front = tune::pareto_front(costs);
        BOOST_TEST(&tune::within(front, front.back().cost) <= &front.back());
    }
}

BOOST_AUTO_TEST_CASE(a_width_that_was_not_measured_is_refused) {
    const networks::calibrated c = networks::make("operators");
    const tune::layer_seconds seconds(c.network, std::vector{4}, c.images, 1, 1);
    const auto cost_of_eight = [&] {
        (void)tune::measure_widths(c.network, std::vector{8}, c.images, observe::minmax{}, 1,
                                   seconds);
    };
    BOOST_CHECK_EXCEPTION(cost_of_eight(), spec_error, [](const spec_error& e) {
        return std::string(e.what()) == "\"odd\" was not measured with 8 bits";
    });
}

BOOST_AUTO_TEST_SUITE_END()
