// SPDX-License-Identifier: Apache-2.0
#include <quantal/kernel/cpu/sum_bounds.hpp>

#include <boost/test/unit_test.hpp>

#include <vector>

using namespace quantal;
using cpu::proved_steps;

namespace {

constexpr qspec full(int bits) {
    return {.bits = bits, .kind = scheme::symmetric_full};
}

// Steps of two products: unsigned activations of 8 and 4 bits, narrow and full weights.
static_assert(proved_steps::from_types<a8, w4>().count() == 9);
static_assert(proved_steps::from_types<a8, full(4)>().count() == 8);
static_assert(proved_steps::from_types<a4, w4>().count() == 156);
static_assert(proved_steps::from_types<a4, full(4)>().count() == 136);
static_assert(proved_steps::from_types<a4, w2>().count() == 1092);
static_assert(proved_steps::from_types<a4, full(2)>().count() == 546);
static_assert(cpu::products_before_widening(255, -127, 127) == 1);

} // namespace

BOOST_AUTO_TEST_SUITE(cpu_sum_bounds)

BOOST_AUTO_TEST_CASE(weights_prove_no_less_than_their_type) {
    const std::vector<std::int16_t> largest(640, 7), smallest(640, -8);
    BOOST_TEST(proved_steps::from_weights(255, largest, 64, 9).count() == 9);
    BOOST_TEST(proved_steps::from_weights(255, smallest, 64, 8).count() == 8);
    BOOST_TEST(proved_steps::from_weights(255, largest, 64, 10).count() < 10);
}

BOOST_AUTO_TEST_CASE(one_pair_that_may_saturate_proves_nothing) {
    std::vector<std::int16_t> weights(64, 1);
    weights[40] = weights[41] = 100; // 255 * 200 > 32767
    BOOST_TEST(proved_steps::from_weights(255, weights, 64, 256).count() == 0);
    weights[41] = -100; // of other signs they cannot
    BOOST_TEST(proved_steps::from_weights(255, weights, 64, 1).count() == 1);
}

BOOST_AUTO_TEST_CASE(whole_sums) {
    const std::int16_t most[] = {64, 64, -100, -28}; // 255 * 128 = 32640, 255 * 129 = 32895
    BOOST_TEST(cpu::sum_fits_int16(255, most));
    const std::int16_t above[] = {65, 64}, below[] = {-65, 64, -64};
    BOOST_TEST(!cpu::sum_fits_int16(255, above));
    BOOST_TEST(!cpu::sum_fits_int16(255, below));
}

BOOST_AUTO_TEST_SUITE_END()
