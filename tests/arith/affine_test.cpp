// SPDX-License-Identifier: Apache-2.0
#include <quantal/arith/affine.hpp>

#include <quantal/spec/qspec.hpp>

#include <boost/test/unit_test.hpp>

#include <array>
#include <cmath>
#include <limits>
#include <random>

namespace arith = quantal::arith;
using quantal::scheme;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();
constexpr float largest = std::numeric_limits<float>::max();

/// The formula of the contract in double. A quotient of two floats rounded to double and then to
/// float is the quotient rounded to float (53 >= 2 * 24 + 2).
std::int32_t quantize_in_double(float x, float scale, std::int32_t zero, std::int32_t lo,
                                std::int32_t hi) {
    const auto ratio = static_cast<float>(static_cast<double>(x) / scale);
    if (std::isnan(ratio)) return zero;
    const double code = std::nearbyint(static_cast<double>(ratio)) + zero;
    return static_cast<std::int32_t>(std::fmin(std::fmax(code, lo), hi));
}

/// No NaN and no quotient that overflows: neither is a constant expression.
constexpr std::array reals{
    0.0f,     -0.0f,     0.05f, 0.15f,  0.25f, -0.35f, 3.1999998f, -6.4f,     12.8f,      -12.8f,
    infinity, -infinity, 1e30f, -1e30f, 0.45f, 1e9f,   -0.75f,     0x1p-149f, -0x1p-140f,
};

struct affine_results {
    std::array<std::int32_t, reals.size()> codes{};
    std::array<float, reals.size()> values{};
    std::array<float, 3> scales{};
    std::int32_t zero_point = 0;
    float average = 0;
};

/// Every function of the header: once a constant, once at run time.
constexpr affine_results evaluate_affine(const std::array<float, reals.size()>& inputs) {
    affine_results r;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        r.codes[i] = arith::quantize(inputs[i], 0.1f, 17, 0, 255);
        r.values[i] = arith::dequantize(r.codes[i], inputs[2], 17);
    }
    r.scales = {arith::symmetric_scale(inputs[8], 127),
                arith::affine_scale(inputs[7], inputs[8], 0, 255),
                arith::power_of_two_scale(inputs[2])};
    r.zero_point = arith::affine_zero_point(inputs[7], r.scales[1], 0, 255);
    r.average = arith::moving_average(inputs[6], inputs[4], 0.1f);
    return r;
}

} // namespace

BOOST_AUTO_TEST_SUITE(arith_affine)

BOOST_AUTO_TEST_CASE(constant_evaluation_equals_run_time) {
    static constexpr affine_results constant = evaluate_affine(reals);
    std::array<float, reals.size()> inputs{};
    for (std::size_t i = 0; i < reals.size(); ++i) {
        volatile float hidden = reals[i];
        inputs[i] = hidden;
    }
    const affine_results found = evaluate_affine(inputs);
    BOOST_TEST(found.codes == constant.codes, boost::test_tools::per_element());
    BOOST_TEST(found.values == constant.values, boost::test_tools::per_element());
    BOOST_TEST(found.scales == constant.scales, boost::test_tools::per_element());
    BOOST_TEST(found.zero_point == constant.zero_point);
    BOOST_TEST(found.average == constant.average);
}

BOOST_AUTO_TEST_CASE(ties_go_to_even_before_the_zero_point_is_added) {
    for (std::int32_t k = -300; k <= 300; ++k) {
        const float tie = (static_cast<float>(k) + 0.5f) * 0.25f; // exact: 0.25 is a power of two
        const std::int32_t even = k % 2 == 0 ? k : k + 1;
        BOOST_TEST(arith::quantize(tie, 0.25f, 0, -1000, 1000) == even);
        BOOST_TEST(arith::quantize(tie, 0.25f, 3, -1000, 1000) == even + 3);
    }
}

BOOST_AUTO_TEST_CASE(infinities_clamp_and_nan_gives_the_zero_point) {
    for (const std::int32_t zero : {0, 1, 128, 255}) {
        BOOST_TEST(arith::quantize(infinity, 0.5f, zero, 0, 255) == 255);
        BOOST_TEST(arith::quantize(-infinity, 0.5f, zero, 0, 255) == 0);
        BOOST_TEST(arith::quantize(largest, arith::min_scale, zero, 0, 255) == 255);
        BOOST_TEST(arith::quantize(-largest, arith::min_scale, zero, 0, 255) == 0);
        BOOST_TEST(arith::quantize(not_a_number, 0.5f, zero, 0, 255) == zero);
        BOOST_TEST(arith::quantize(-not_a_number, 0.5f, zero, 0, 255) == zero);
    }
}

BOOST_AUTO_TEST_CASE(denormals_are_numbers) {
    for (const float x : {0x1p-149f, -0x1p-149f, 0x1.fffffcp-127f, -0x1p-127f})
        for (const float scale : {arith::min_scale, 1.0f, largest})
            BOOST_TEST(arith::quantize(x, scale, 9, 0, 255) == 9);
    // Not flushed to zero: half a step and a bit more is one step.
    BOOST_TEST(arith::quantize(0x1.8p-149f, 0x1p-148f, 0, 0, 255) == 1);
    BOOST_TEST(arith::dequantize(3, 0x1p-149f, 0) == 0x1.8p-148f);
}

BOOST_AUTO_TEST_CASE(quantize_agrees_with_the_formula_in_double) {
    constexpr unsigned seed = 1234;
    BOOST_TEST_MESSAGE("seed " << seed);
    std::mt19937 random(seed);
    std::uniform_real_distribution<float> reals_near(-40.0f, 40.0f);
    std::uniform_real_distribution<float> scales(0.001f, 0.3f);
    std::uniform_int_distribution<std::int32_t> zeros(0, 255);
    for (int i = 0; i < 20000; ++i) {
        const float x = reals_near(random);
        const float scale = scales(random);
        const std::int32_t zero = zeros(random);
        BOOST_TEST(arith::quantize(x, scale, zero, 0, 255) ==
                   quantize_in_double(x, scale, zero, 0, 255));
        // A multiple of the scale and a half: ties and their neighbours.
        const float near_tie = (static_cast<float>(zero) - 100.5f) * scale;
        BOOST_TEST(arith::quantize(near_tie, scale, 7, -128, 127) ==
                   quantize_in_double(near_tie, scale, 7, -128, 127));
    }
    for (const float x : {infinity, -infinity, not_a_number, largest, -largest, 0x1p-149f, 0.05f})
        for (const float scale : {arith::min_scale, 0.1f, 1e30f})
            BOOST_TEST(arith::quantize(x, scale, 17, 0, 255) ==
                       quantize_in_double(x, scale, 17, 0, 255));
}

BOOST_AUTO_TEST_CASE(real_zero_is_exact_for_every_width) {
    constexpr unsigned seed = 99;
    BOOST_TEST_MESSAGE("seed " << seed);
    std::mt19937 random(seed);
    std::uniform_real_distribution<float> mantissa(0.0f, 1.0f);
    std::uniform_int_distribution<int> exponent(-80, 127);
    for (const int bits : {1, 2, 3, 4, 5, 6, 7, 8, 16})
        for (const scheme kind : {scheme::affine, scheme::affine_signed})
            for (int i = 0; i < 1000; ++i) {
                const quantal::qspec spec{.bits = bits, .kind = kind};
                const float lo = -std::ldexp(mantissa(random), exponent(random));
                const float hi = std::ldexp(mantissa(random), exponent(random));
                const float scale = arith::affine_scale(lo, hi, spec.qmin(), spec.qmax());
                const std::int32_t zero =
                    arith::affine_zero_point(lo, scale, spec.qmin(), spec.qmax());
                BOOST_REQUIRE(zero >= spec.qmin());
                BOOST_REQUIRE(zero <= spec.qmax());
                const auto code = arith::quantize(0.0f, scale, zero, spec.qmin(), spec.qmax());
                BOOST_TEST(code == zero);
                BOOST_TEST(arith::dequantize(code, scale, zero) == 0.0f);
            }
}

BOOST_AUTO_TEST_CASE(scales_by_hand) {
    BOOST_TEST(arith::symmetric_scale(12.7f, 127) == 12.7f / 127.0f);
    BOOST_TEST(arith::symmetric_scale(3.0f, 1) == 3.0f);
    BOOST_TEST(arith::affine_scale(-1.0f, 2.0f, 0, 3) == 1.0f);
    BOOST_TEST(arith::affine_zero_point(-1.0f, 1.0f, 0, 3) == 1);
    BOOST_TEST(arith::affine_zero_point(-1.0f, 1.0f, -2, 1) == -1);
    BOOST_TEST(arith::affine_zero_point(-2.5f, 1.0f, 0, 15) == 2); // a tie
    BOOST_TEST(arith::affine_zero_point(0.0f, 1.0f, 0, 15) == 0);
    BOOST_TEST(arith::affine_zero_point(-40.0f, 1.0f, 0, 15) == 15);
}

BOOST_AUTO_TEST_CASE(scales_are_raised_to_the_next_power_of_two) {
    for (int exponent = -63; exponent <= 127; ++exponent) {
        const float power = std::ldexp(1.0f, exponent);
        BOOST_TEST(arith::power_of_two_scale(power) == power);
        if (exponent < 127)
            BOOST_TEST(arith::power_of_two_scale(std::nextafter(power, infinity)) == 2.0f * power);
        if (exponent > -63)
            BOOST_TEST(arith::power_of_two_scale(std::nextafter(power, 0.0f)) == power);
    }
    BOOST_TEST(arith::power_of_two_scale(largest) == 0x1p127f); // there is no larger one
}

BOOST_AUTO_TEST_CASE(scales_never_fall_below_the_smallest) {
    for (const float amax : {0.0f, 0x1p-149f, 0x1p-100f, 0x1p-63f}) {
        BOOST_TEST(arith::symmetric_scale(amax, 127) == arith::min_scale);
        BOOST_TEST(arith::affine_scale(-amax, 0.0f, 0, 255) == arith::min_scale);
        BOOST_TEST(arith::affine_scale(0.0f, amax, 0, 255) == arith::min_scale);
    }
    BOOST_TEST(arith::symmetric_scale(0x1p-62f, 1) == 0x1p-62f);
    static_assert(arith::min_scale * arith::min_scale == std::numeric_limits<float>::min());
}

BOOST_AUTO_TEST_CASE(huge_ranges_do_not_overflow) {
    for (const int bits : {1, 2, 3, 4, 5, 6, 7, 8, 16}) {
        const std::int32_t qmax = (1 << bits) - 1;
        const float scale = arith::affine_scale(-largest, largest, 0, qmax);
        BOOST_TEST(std::isfinite(scale));
        const double exact = 2.0 * largest / qmax;
        // Two quotients and a difference, each rounded: less than two units of 2^-23.
        if (bits > 1) BOOST_TEST(std::abs(scale - exact) <= exact * 0x1p-22);
        const std::int32_t zero = arith::affine_zero_point(-largest, scale, 0, qmax);
        BOOST_TEST(arith::dequantize(zero, scale, zero) == 0.0f);
        // The zero point is rounded, so that an end may lie half a step inside the codes.
        BOOST_TEST(arith::quantize(largest, scale, zero, 0, qmax) >= (bits > 1 ? qmax - 1 : qmax));
        BOOST_TEST(arith::quantize(-largest, scale, zero, 0, qmax) == 0);
    }
}

BOOST_AUTO_TEST_CASE(moving_average_by_hand) {
    BOOST_TEST(arith::moving_average(8.0f, 4.0f, 0.5f) == 6.0f);
    BOOST_TEST(arith::moving_average(8.0f, 4.0f, 0.25f) == 7.0f);
    BOOST_TEST(arith::moving_average(8.0f, 4.0f, 1.0f) == 4.0f);
}

/// By itself, so that products and sum are one piece of code that a compiler may want to fuse.
[[gnu::noinline]] float moving_average(float value, float next) {
    return arith::moving_average(value, next, 0.1f);
}

BOOST_AUTO_TEST_CASE(moving_average_rounds_each_product) {
    constexpr unsigned seed = 5;
    BOOST_TEST_MESSAGE("seed " << seed);
    std::mt19937 random(seed);
    std::uniform_real_distribution<float> values(-10.0f, 10.0f);
    for (int i = 0; i < 20000; ++i) {
        const float old = values(random);
        const float next = values(random);
        const volatile float kept = old * (1.0f - 0.1f); // stored, hence rounded
        const volatile float added = next * 0.1f;
        const float expected = kept + added;
        BOOST_TEST(moving_average(old, next) == expected);
    }
}

BOOST_AUTO_TEST_SUITE_END()
