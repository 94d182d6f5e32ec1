// SPDX-License-Identifier: Apache-2.0
#include <quantal/observe/calibrate.hpp>

#include "observe/observers.hpp"

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <limits>

using namespace quantal;
using support::message_of;

namespace {

constexpr qspec whole{8, scheme::symmetric, per_tensor, 0};

std::vector<float> raised(qparams weights, const std::vector<float>& bias, float x_scale,
                          notes* list = nullptr) {
    raise_scales_for_bias(weights, bias, x_scale, "fc", list);
    return weights.scales;
}

} // namespace

BOOST_AUTO_TEST_SUITE(observe_raise_scales_for_bias)

BOOST_AUTO_TEST_CASE(scales_whose_bias_fits_stay) {
    notes list;
    const qparams p{w8, {1.0f, 0.5f, 0.25f}, {0, 0, 0}};
    BOOST_TEST(raised(p, {0x1p30f, -0x1p29f, 0.0f}, 1.0f, &list) == p.scales,
               boost::test_tools::per_element());
    BOOST_TEST(list.empty());
}

BOOST_AUTO_TEST_CASE(a_scale_is_doubled_until_the_bias_just_fits) {
    notes list;
    const qparams p{w8, {1.0f, 1.0f, 1.0f, 3.0f}, {0, 0, 0, 0}};
    const std::vector<float> bias{0x1.000002p30f, -0x1p33f, 5.0f, 0x1p36f};
    BOOST_TEST(raised(p, bias, 0.5f, &list) == (std::vector{4.0f, 16.0f, 1.0f, 192.0f}),
               boost::test_tools::per_element());
    BOOST_TEST(list.size() == 3u);
    BOOST_TEST(list[1] == "fc: the bias -8.58993e+09 of channel 1 needs the weight scale 16 "
                          "instead of 1");
}

BOOST_AUTO_TEST_CASE(a_raised_power_of_two_is_one) {
    const qparams p{parse_spec("w8 pow2"), {0.5f}, {0}};
    BOOST_TEST(raised(p, {0x1.8p32f}, 1.0f) == std::vector{8.0f}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(one_scale_of_a_tensor_is_raised_for_its_largest_bias) {
    const qparams p{whole, {1.0f}, {0}};
    BOOST_TEST(raised(p, {1.0f, 0x1p32f, 0x1p31f}, 1.0f) == std::vector{4.0f},
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_code_of_a_raised_bias_has_at_least_half_of_the_bits) {
    for (const float bias : {1e12f, -3.3e20f, 7.0f}) {
        const float scale = raised({whole, {1e-13f}, {0}}, {bias}, 0.01f)[0];
        BOOST_TEST(arith::bias_fits(bias, 0.01f, scale));
        BOOST_TEST(!arith::bias_fits(bias, 0.01f, scale / 2));
    }
}

BOOST_AUTO_TEST_CASE(a_bias_that_is_not_finite_is_refused) {
    const qparams p{whole, {1.0f}, {0}};
    BOOST_TEST(message_of([&] {
                   (void)raised(p, {0.0f, HUGE_VALF}, 1.0f);
               }) == "\"fc\" has the bias inf in channel 1; biases are finite");
    BOOST_CHECK_THROW((void)raised(p, {-HUGE_VALF}, 1.0f), data_error);
    BOOST_CHECK_THROW((void)raised(p, {std::numeric_limits<float>::quiet_NaN()}, 1.0f), data_error);
}

BOOST_AUTO_TEST_CASE(a_bias_that_no_finite_scale_fits_is_refused) {
    const qparams p{whole, {1.0f}, {0}};
    BOOST_TEST(
        message_of([&] { (void)raised(p, {3e38f}, 0x1p-63f); }) ==
        "\"fc\" has the bias 3e+38 in channel 0; with the input's scale 1.0842e-19 no finite "
        "weight scale makes its code fit");
}

BOOST_AUTO_TEST_SUITE_END()
