// SPDX-License-Identifier: Apache-2.0
/// Calibration from recorded extrema gives the tables that running the network gives.
#include <replay.hpp>

#include "support/random.hpp"

#include <quantal/models/resnet.hpp>
#include <quantal/passes/optimize.hpp>
#include <quantal/passes/place.hpp>
#include <quantal/runtime/program.hpp>

#include <boost/test/unit_test.hpp>

using namespace quantal;
using namespace homework;
using observe::minmax;
using observe::moving_average;

namespace quantal {

std::ostream& boost_test_print_type(std::ostream& out, const range& r) {
    return out << '[' << r.lo << ", " << r.hi << ']';
}

} // namespace quantal

namespace support {

/// A small network, a few images, and what calibration saw of them.
struct replay_fixture {
    static constexpr std::size_t count = 6;

    std::mt19937 g = support::generator();
    plan p = [this] {
        graph net = models::resnet20({.classes = 4, .channels = 1, .size = 8, .width = 0.25});
        support::randomize(net, g);
        return place(passes::optimize(std::move(net)));
    }();
    tensor<float> images = support::normal(g, p.net.input_shape().with_front(count));
    reference_executor executor{p.net, 1};
    recording seen = recording_of(observed(images, moving_average{}));

    template <observer O>
    plan_observer<O> observed(const tensor<float>& batch, const O& fresh) const {
        plan_observer<O> observers(p, fresh);
        observers.observe(executor, batch);
        return observers;
    }
    [[nodiscard]] tensor<float> reordered(const std::vector<std::size_t>& order) const {
        tensor<float> result(images.shape());
        for (std::size_t i = 0; i < order.size(); ++i) {
            const auto from = images.slice(static_cast<std::int64_t>(order[i]));
            std::copy(from.begin(), from.end(), result.slice(static_cast<std::int64_t>(i)).begin());
        }
        return result;
    }
};

} // namespace support

BOOST_FIXTURE_TEST_SUITE(examples_replay, support::replay_fixture)

BOOST_AUTO_TEST_CASE(any_observer_and_order_as_if_the_network_had_run) {
    for (const std::uint64_t seed : {0u, 1u, 2u}) {
        const auto order = order_of(count, seed);
        const tensor<float> batch = reordered(order);
        BOOST_TEST((replay(p, seen, order, 1, minmax{}) == observed(batch, minmax{}).finish()));
        for (const float alpha : {0.1f, 0.5f, 0.99f}) {
            const moving_average fresh{.weight_of_new = alpha};
            BOOST_TEST((replay(p, seen, order, 1, fresh) == observed(batch, fresh).finish()));
        }
    }
}

BOOST_AUTO_TEST_CASE(orders_are_permutations_and_the_first_is_that_of_the_data) {
    BOOST_TEST(order_of(3, 0) == (std::vector<std::size_t>{0, 1, 2}),
               boost::test_tools::per_element());
    auto shuffled = order_of(100, 1);
    BOOST_TEST((shuffled != order_of(100, 0)));
    BOOST_TEST((shuffled != order_of(100, 2)));
    std::sort(shuffled.begin(), shuffled.end());
    BOOST_TEST((shuffled == order_of(100, 0)));
}

BOOST_AUTO_TEST_CASE(an_update_holds_the_extrema_of_its_images) {
    const std::vector<range> three{{-1.0f, 1.0f}, {0.0f, 8.0f}, {-4.0f, 2.0f}};
    const std::vector<std::size_t> order{2, 0, 1};
    BOOST_TEST(updates_of(three, order, 1) ==
                   (std::vector<range>{{-4.0f, 2.0f}, {-1.0f, 1.0f}, {0.0f, 8.0f}}),
               boost::test_tools::per_element());
    BOOST_TEST(updates_of(three, order, 2) == (std::vector<range>{{-4.0f, 2.0f}, {0.0f, 8.0f}}),
               boost::test_tools::per_element());
    BOOST_TEST(updates_of(three, order, 16) == (std::vector<range>{{-4.0f, 8.0f}}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_history_of_an_average_by_hand) {
    // value * (1 - alpha) + new * alpha, from the first value on.
    const std::vector<range> updates{{0.0f, 8.0f}, {-4.0f, 4.0f}, {0.0f, 16.0f}, {-8.0f, 3.0f}};
    BOOST_TEST(history(updates, moving_average{.weight_of_new = 0.5f}) ==
                   (std::vector<range>{{0.0f, 8.0f}, {-2.0f, 6.0f}, {-1.0f, 11.0f}, {-4.5f, 7.0f}}),
               boost::test_tools::per_element());
    BOOST_TEST(
        history(updates, minmax{}) ==
            (std::vector<range>{{0.0f, 8.0f}, {-4.0f, 8.0f}, {-4.0f, 16.0f}, {-8.0f, 16.0f}}),
        boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
