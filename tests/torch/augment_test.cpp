// SPDX-License-Identifier: Apache-2.0
#include <quantal/torch/augment.hpp>

#include "support/random.hpp"

#include <boost/test/unit_test.hpp>

#include <map>

BOOST_AUTO_TEST_SUITE(torch_augment)

BOOST_AUTO_TEST_CASE(crops_and_flips_move_pixels) {
    const std::vector<float> image{1, 2, 3, 4, 5, 6};
    const auto moved = [&](quantal::torch::motion m) {
        std::vector<float> to(6, -1.0f);
        quantal::torch::augment({1, 2, 3}, image, m, to);
        return to;
    };
    const auto per_element = boost::test_tools::per_element();
    BOOST_TEST(moved({0, 0, false}) == image, per_element);
    BOOST_TEST(moved({1, 0, false}) == (std::vector<float>{0, 0, 0, 1, 2, 3}), per_element);
    BOOST_TEST(moved({-1, 1, false}) == (std::vector<float>{0, 4, 5, 0, 0, 0}), per_element);
    BOOST_TEST(moved({0, 0, true}) == (std::vector<float>{3, 2, 1, 6, 5, 4}), per_element);
    BOOST_TEST(moved({0, -2, true}) == (std::vector<float>{0, 0, 3, 0, 0, 6}), per_element);
}

BOOST_AUTO_TEST_CASE(motions_are_random_within_their_reach) {
    std::mt19937_64 g(support::seed);
    BOOST_TEST_MESSAGE("seed " << support::seed);
    std::map<std::int64_t, int> down, right;
    int mirrored = 0;
    for (int i = 0; i < 9000; ++i) {
        const auto m = quantal::torch::random_motion(g, 4, true);
        ++down[m.down];
        ++right[m.right];
        mirrored += m.mirror;
        BOOST_TEST(!quantal::torch::random_motion(g, 4, false).mirror);
    }
    for (const auto& counts : {down, right}) {
        BOOST_TEST(counts.size() == 9u);
        BOOST_TEST((counts.begin()->first == -4 && counts.rbegin()->first == 4));
        for (const auto& [offset, count] : counts)
            BOOST_TEST(std::abs(count - 1000) < 150); // five standard deviations of 30
    }
    BOOST_TEST(std::abs(mirrored - 4500) < 237); // of 47
}

BOOST_AUTO_TEST_SUITE_END()
