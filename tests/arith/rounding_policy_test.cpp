// SPDX-License-Identifier: Apache-2.0
#include <quantal/arith/rounding_policy.hpp>

#include <boost/test/unit_test.hpp>

#include <cmath>

using namespace quantal;

namespace {

/// Rounds down: a policy of a user's own.
struct down {
    std::int32_t operator()(float x, std::uint64_t) const {
        return static_cast<std::int32_t>(std::floor(x));
    }
};

static_assert(rounding_policy<down>);
static_assert(!rounding_policy<int>);
static_assert(rounding::half_even{}(2.5f, 0) == 2 && rounding::half_away{}(2.5f, 0) == 3);
static_assert(rounding::stochastic{9}(2.0f, 0) == 2);

} // namespace

BOOST_AUTO_TEST_SUITE(arith_rounding_policy)

BOOST_AUTO_TEST_CASE(stochastic_rounding_is_right_in_the_mean) {
    constexpr int count = 100000;
    for (const float x : {0.1f, 0.5f, 3.75f, -0.3f, -17.99f, 200.001f})
        for (const std::uint64_t seed : {0u, 1u, 20261123u}) {
            std::int64_t sum = 0;
            for (std::uint64_t i = 0; i < count; ++i) {
                const std::int32_t rounded = rounding::stochastic{seed}(x, i);
                if (rounded < std::floor(double{x}) || rounded > std::ceil(double{x}))
                    BOOST_ERROR(x << " became " << rounded);
                sum += rounded;
            }
            // The deviation of a mean of `count` draws is at most 0.5 / sqrt(count) = 0.0016; five
            // of them are never seen by chance.
            BOOST_TEST(std::abs(static_cast<double>(sum) / count - double{x}) < 0.008);
        }
}

BOOST_AUTO_TEST_CASE(an_element_draws_the_same_whatever_came_before) {
    const rounding::stochastic round{42};
    std::vector<std::int32_t> forwards, backwards;
    for (std::uint64_t i = 0; i < 1000; ++i)
        forwards.push_back(round(0.5f, i));
    for (std::uint64_t i = 1000; i-- > 0;)
        backwards.insert(backwards.begin(), round(0.5f, i));
    BOOST_TEST(forwards == backwards, boost::test_tools::per_element());
    int differing = 0;
    for (std::uint64_t i = 0; i < 1000; ++i)
        differing += forwards[i] != rounding::stochastic{43}(0.5f, i);
    BOOST_TEST(differing > 400); // another seed is another stream: about half differ
    BOOST_TEST(differing < 600);
}

BOOST_AUTO_TEST_SUITE_END()
