// SPDX-License-Identifier: Apache-2.0
#include "kernel/cuda/launch.hpp"
#include "support/random.hpp"

#include <quantal/kernel/cuda/moving_average.hpp>

#include <boost/test/unit_test.hpp>

using namespace quantal;
using namespace quantal::cuda;

BOOST_AUTO_TEST_SUITE(cuda_moving_average)

BOOST_AUTO_TEST_CASE(equals_arith_for_any_number_of_updates) {
    auto g = support::generator();
    std::normal_distribution<float> normal;
    unsigned seed = 0;
    for (const std::size_t count : {1u, 2u, 33u, 257u})
        for (const float alpha : {0.1f, 0.99f, 1.0f}) {
            support::array<extent> updates(count), result(1);
            for (extent& e : updates)
                e = {{normal(g), normal(g)}};
            extent expected = updates[0];
            for (std::size_t i = 1; i < count; ++i)
                for (int side = 0; side < 2; ++side)
                    expected[side] = arith::moving_average(expected[side], updates[i][side], alpha);
            support::launch(
                moving_average_kernel{updates.data(), std::ssize(updates), alpha, result.data()},
                {1, 1}, {std::span<const extent>(updates), std::span(result)}, ++seed);
            BOOST_TEST(result[0][0] == expected[0]);
            BOOST_TEST(result[0][1] == expected[1]);
        }
}

BOOST_AUTO_TEST_SUITE_END()
