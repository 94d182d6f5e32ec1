// SPDX-License-Identifier: Apache-2.0
#include <measure.hpp>

#include <boost/test/unit_test.hpp>

using namespace quantal;

BOOST_AUTO_TEST_SUITE(examples_measure)

BOOST_AUTO_TEST_CASE(the_range_of_codes_reaches_from_the_lowest_to_the_highest) {
    const auto [lo, hi] = homework::range_of_codes({a8, {0.5f}, {64}});
    BOOST_TEST(lo == -32.0f);
    BOOST_TEST(hi == 95.5f);
}

BOOST_AUTO_TEST_SUITE_END()
