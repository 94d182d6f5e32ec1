// SPDX-License-Identifier: Apache-2.0
#include <quantal/tune/mixed_precision.hpp>

#include "support/networks.hpp"

#include <boost/test/unit_test.hpp>

using namespace quantal;
using tune::layer_costs;
using tune::mixed_widths;

namespace {

/// Layers whose noise mostly grows as they become narrower.
std::vector<layer_costs> random_costs(std::mt19937& g, std::size_t layers) {
    std::vector<layer_costs> result;
    for (std::size_t i = 0; i < layers; ++i) {
        const double weights = 1.0 + static_cast<double>(g() % 50);
        layer_costs costs{"layer", {}};
        for (const int width : {8, 6, 4, 3, 2})
            costs.widths.push_back({width, weights * width,
                                    static_cast<double>(g() % 100) * std::pow(4.0, 8 - width)});
        result.push_back(std::move(costs));
    }
    return result;
}

/// The least noise of all choices of at most `cost`.
double least_noise(const std::vector<layer_costs>& layers, double cost) {
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t choice = 0; choice < 5 * 5 * 5 * 5; ++choice) {
        std::size_t rest = choice;
        double sum = 0.0, noise = 0.0;
        for (const layer_costs& layer : layers) {
            const auto& entry = layer.widths[rest % 5];
            rest /= 5;
            sum += entry.cost;
            noise += entry.noise;
        }
        if (sum <= cost) least = std::min(least, noise);
    }
    return least;
}

} // namespace

BOOST_AUTO_TEST_SUITE(tune_mixed_precision)

BOOST_AUTO_TEST_CASE(no_choice_is_better_than_one_of_the_front) {
    auto g = support::generator();
    for (int i = 0; i < 30; ++i) {
        const auto layers = random_costs(g, 4);
        const auto front = tune::pareto_front(layers);
        BOOST_TEST(front.front().widths == std::vector(4, 8), boost::test_tools::per_element());
        BOOST_TEST(front.back().widths == std::vector(4, 2), boost::test_tools::per_element());
        for (std::size_t k = 0; k < front.size(); ++k) {
            if (k > 0) BOOST_TEST(front[k].cost < front[k - 1].cost);
            // Where noise falls with the width, an earlier choice of the front is larger and worse.
            if (k + 1 < front.size() && front[k + 1].noise <= front[k].noise) continue;
            BOOST_TEST(front[k].noise == least_noise(layers, front[k].cost),
                       boost::test_tools::tolerance(1e-12));
        }
    }
}

BOOST_AUTO_TEST_CASE(a_budget_takes_the_largest_choice_that_fits) {
    const std::vector<mixed_widths> front{
        {{8, 8}, 160, 1.0}, {{8, 4}, 120, 2.0}, {{4, 4}, 80, 4.0}};
    BOOST_TEST(tune::within(front, 1000).noise == 1.0);
    BOOST_TEST(tune::within(front, 159).noise == 2.0);
    BOOST_TEST(tune::within(front, 80).noise == 4.0);
    BOOST_CHECK_EXCEPTION((void)tune::within(front, 79), spec_error, [](const spec_error& e) {
        return std::string(e.what()) ==
               "the layers of the network cost 80 together at their narrowest; 79 were allowed";
    });
}

BOOST_AUTO_TEST_CASE(widths_become_rules_of_a_plan) {
    const networks::calibrated c = networks::make("resnet20");
    const auto costs =
        tune::measure_widths(c.network, std::vector{8, 4, 2}, c.images, observe::minmax{});
    BOOST_TEST(costs.size() == c.table.weights.size());
    for (const layer_costs& layer : costs) {
        BOOST_TEST(layer.widths.size() == 3u);
        BOOST_TEST(layer.widths[0].noise < layer.widths[1].noise);
        BOOST_TEST(layer.widths[1].noise < layer.widths[2].noise);
        BOOST_TEST(layer.widths[0].cost == 2 * layer.widths[1].cost);
    }
    const auto front = tune::pareto_front(costs);
    const double budget = (front.front().cost + front.back().cost) / 2;
    const plan mixed =
        place(c.network.net, tune::with_widths({}, c.network, tune::within(front, budget)));
    double bytes = 0.0;
    for (value v = 0; v < mixed.roles.size(); ++v)
        if (mixed.roles[v].weights)
            bytes += static_cast<double>(mixed.net.parameter(mixed.at(v), "weight").size()) *
                     mixed.roles[v].weights->bits / 8.0;
    BOOST_TEST(bytes == tune::within(front, budget).cost);
    BOOST_TEST(bytes <= budget);
}

BOOST_AUTO_TEST_CASE(a_width_that_saves_nothing_is_not_taken) {
    // Three bits take as long as four, two bits longer.
    const std::vector<layer_costs> layers{
        {"a", {{8, 10.0, 0.0}, {4, 5.0, 1.0}, {3, 5.0, 2.0}, {2, 6.0, 9.0}}},
        {"b", {{8, 4.0, 0.0}, {4, 4.0, 3.0}, {3, 3.0, 4.0}, {2, 1.0, 30.0}}}};
    const auto front = tune::pareto_front(layers);
    std::vector<std::vector<int>> widths;
    for (const mixed_widths& m : front)
        widths.push_back(m.widths);
    BOOST_TEST((widths == std::vector<std::vector<int>>{{8, 8}, {4, 8}, {4, 3}, {4, 2}}));
    BOOST_TEST(front.back().cost == 6.0);
    BOOST_TEST(front.back().noise == 31.0);
}

BOOST_AUTO_TEST_CASE(the_cost_is_what_the_caller_says) {
    const networks::calibrated c = networks::make("operators");
    const auto cost = [](const plan&, value v, int width) {
        return 100.0 * static_cast<double>(v) + width;
    };
    for (const layer_costs& layer :
         tune::measure_widths(c.network, std::vector{8, 2}, c.images, observe::minmax{}, 0, cost)) {
        const double wide = layer.widths[0].cost;
        BOOST_TEST(layer.widths[1].cost == wide - 6.0);
        const auto node = static_cast<value>(wide / 100.0);
        BOOST_TEST(c.network.at(node).name == layer.layer);
    }
}

BOOST_AUTO_TEST_SUITE_END()
