// SPDX-License-Identifier: Apache-2.0
#include <quantal/arith/requantizer.hpp>

#include "arith/emulation.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <cmath>
#include <limits>
#include <random>

namespace arith = quantal::arith;
using support::seeded;
using support::to_code;
using support::wide;

namespace {

// 64 bits hold every product of an int32 and a float32 exactly.
static_assert(std::numeric_limits<wide>::digits >= 64);

constexpr int fixed_point_cases = 200000;
constexpr std::int32_t lowest_int32 = std::numeric_limits<std::int32_t>::min();
constexpr std::int32_t highest_int32 = std::numeric_limits<std::int32_t>::max();

/// A float32 with a random significand and an exponent in [from, to].
float random_scale(std::mt19937& random, int from, int to) {
    const int exponent = std::uniform_int_distribution<int>(from, to)(random);
    return std::ldexp(static_cast<float>((1u << 23) | (random() >> 9)), exponent - 23);
}

/// What gemmlowp and TensorFlow Lite do: the high half of the doubled product, rounded, then a
/// shift, rounded once more.
std::int32_t rounded_twice(std::int32_t acc, arith::fixed_multiplier m) {
    const std::int64_t high = std::lrint(std::ldexp(wide(acc) * m.significand, -31));
    return static_cast<std::int32_t>(std::lround(std::ldexp(wide(high), 31 - m.shift)));
}

constexpr std::array<float, 5> example_scales{0.0078125f, 0.3f, 1.0f, 0x1.fffffep-9f, 3.7e-5f};

constexpr std::array<std::int32_t, 4 * example_scales.size()>
evaluate_fixed_point(const std::array<float, 5>& s) {
    std::array<std::int32_t, 4 * example_scales.size()> r{};
    for (std::size_t i = 0; i < s.size(); ++i) {
        const auto m = arith::fixed_point(s[i]);
        r[4 * i] = m.significand;
        r[4 * i + 1] = m.shift;
        r[4 * i + 2] = arith::requantize(-12345, m, 3, -128, 127);
        r[4 * i + 3] =
            arith::residual_add(-77, 200, arith::fixed_add(s[i], s[0], 0.02f), 9, 0, 255);
    }
    return r;
}

} // namespace

BOOST_AUTO_TEST_SUITE(arith_fixed_point)

BOOST_AUTO_TEST_CASE(constant_evaluation_equals_run_time) {
    static constexpr auto constant = evaluate_fixed_point(example_scales);
    std::array<float, example_scales.size()> inputs{};
    for (std::size_t i = 0; i < example_scales.size(); ++i) {
        volatile float hidden = example_scales[i];
        inputs[i] = hidden;
    }
    BOOST_TEST(evaluate_fixed_point(inputs) == constant, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_multiplier_is_the_float_exactly) {
    auto random = seeded(61);
    for (int i = 0; i < fixed_point_cases; ++i) {
        const float m = random_scale(random, -33, 30);
        const auto fixed = arith::fixed_point(m);
        if (std::ldexp(wide(fixed.significand), -fixed.shift) != wide(m) ||
            fixed.significand < 1 << 30)
            BOOST_ERROR(m << " became " << fixed.significand << " * 2^-" << fixed.shift);
    }
    BOOST_TEST((arith::fixed_point(1.0f) == arith::fixed_multiplier{1 << 30, 30}));
    BOOST_TEST((arith::fixed_point(0x1p-33f) == arith::fixed_multiplier{1 << 30, 63}));
    BOOST_TEST((arith::fixed_point(0x1p30f) == arith::fixed_multiplier{1 << 30, 0}));
    BOOST_TEST((arith::fixed_point(0x1p31f) == arith::fixed_multiplier{highest_int32, 0}));
}

BOOST_AUTO_TEST_CASE(a_shift_rounds_ties_to_even) {
    for (int shift = 0; shift <= 10; ++shift)
        for (std::int64_t v = -5000; v <= 5000; ++v)
            BOOST_TEST(arith::shift_half_even(v, shift) ==
                       std::lrint(std::ldexp(static_cast<double>(v), -shift)));
    for (const std::int64_t v : {std::int64_t{1} << 62, -(std::int64_t{1} << 62)}) {
        BOOST_TEST(arith::shift_half_even(v, 63) == 0); // a half, to even
        BOOST_TEST(arith::shift_half_even(v + 1, 63) == (v > 0 ? 1 : 0));
        BOOST_TEST(arith::shift_half_even(v - 1, 63) == (v > 0 ? 0 : -1));
        BOOST_TEST(arith::shift_half_even(v, 61) == (v > 0 ? 2 : -2));
    }
}

BOOST_AUTO_TEST_CASE(requantize_rounds_the_exact_product_once) {
    auto random = seeded(62);
    for (int i = 0; i < fixed_point_cases; ++i) {
        const int bits = std::uniform_int_distribution<int>(1, 31)(random);
        const auto acc = static_cast<std::int32_t>(random()) >> (31 - bits);
        // Products around the range of codes, and everything else there is.
        const float m = i % 4 == 0 ? random_scale(random, -126, 127)
                                   : random_scale(random, 2 - bits, 10 - bits);
        const auto zero = static_cast<std::int32_t>(random() % 256u);
        const auto expected = to_code(wide(acc) * m, zero, 0, 255);
        if (arith::requantize(acc, arith::fixed_point(m), zero, 0, 255) != expected)
            BOOST_ERROR(acc << " * " << m << " with zero point " << zero);
    }
    for (const std::int32_t acc : {lowest_int32, lowest_int32 + 1, -1, 0, 1, highest_int32})
        for (const float m : {0x1p-126f, 0x1p-34f, 0x1.fffffep-34f, 0x1p-33f, 0x1p-32f,
                              0x1.fffffep-33f, 0x1p-31f, 1.0f, 0x1p31f, 0x1.fffffep127f})
            BOOST_TEST(arith::requantize(acc, arith::fixed_point(m), 100, -32768, 65535) ==
                       to_code(wide(acc) * m, 100, -32768, 65535));
}

BOOST_AUTO_TEST_CASE(ties_are_those_of_the_float_formula) {
    // Where both float32 roundings are exact, the two requantizers are one.
    for (std::int32_t acc = -4096; acc <= 4096; ++acc)
        for (const float m : {0.5f, 0.25f, 0.75f, 0x1.8p-5f, 0x1.abp-7f})
            for (const std::int32_t zero : {0, 3, 128})
                BOOST_TEST(arith::requantize(acc, arith::fixed_point(m), zero, 0, 255) ==
                           arith::requantize(acc, m, zero, 0, 255));
}

BOOST_AUTO_TEST_CASE(rounding_twice_is_another_formula) {
    // 1024 * m lies below 1/2; its high half is rounded to 1024, and 1024 / 2048 is a tie.
    const auto m = arith::fixed_point(0x1.fffffep-12f);
    BOOST_TEST(arith::requantize(1024, m, 0, -128, 127) == 0);
    BOOST_TEST(rounded_twice(1024, m) == 1);
    auto random = seeded(63);
    int differing = 0;
    for (int i = 0; i < fixed_point_cases; ++i) {
        const auto acc = static_cast<std::int32_t>(random()) >> 12;
        const auto scale = arith::fixed_point(random_scale(random, -14, -13));
        differing += rounded_twice(acc, scale) != arith::requantize(acc, scale, 0, -128, 127) &&
                     std::abs(rounded_twice(acc, scale)) < 127;
    }
    BOOST_TEST(differing > 0);
}

BOOST_AUTO_TEST_CASE(the_larger_multiplier_of_an_addition_is_exact) {
    auto random = seeded(64);
    for (int i = 0; i < fixed_point_cases; ++i) {
        const float a = random_scale(random, -8, 2), b = random_scale(random, -8, 2);
        const float y = random_scale(random, -5, 2);
        const auto m = arith::fixed_add(a, b, y);
        const wide ma = std::ldexp(wide(m.a), -m.shift), mb = std::ldexp(wide(m.b), -m.shift);
        const float large = std::fmax(a, b) / y;
        const float small = std::fmin(a, b) / y;
        BOOST_REQUIRE(std::fmax(ma, mb) == wide(large));
        BOOST_REQUIRE(std::fabs(std::fmin(ma, mb) - small) <= std::ldexp(0.5L, -m.shift));
        const auto qa = static_cast<std::int32_t>(random() % 511u) - 255;
        const auto qb = static_cast<std::int32_t>(random() % 511u) - 255;
        BOOST_REQUIRE(arith::residual_add(qa, qb, m, 17, 0, 255) ==
                      to_code(qa * ma + qb * mb, 17, 0, 255));
    }
}

BOOST_AUTO_TEST_CASE(additions_of_the_widest_codes_do_not_overflow) {
    for (const float a : {1.0f, 0x1p-20f, 0x1p100f})
        for (const float b : {1.0f, 0x1p-20f, 0x1.fffffep127f})
            for (const std::int32_t q : {-65535, 65535})
                BOOST_TEST(arith::residual_add(q, q, arith::fixed_add(a, b, 0x1p-20f), 0, -32768,
                                               32767) == (q < 0 ? -32768 : 32767));
}

BOOST_AUTO_TEST_CASE(an_addition_by_hand) {
    const auto m = arith::fixed_add(0.5f, 0.25f, 1.0f);         // 2 and 1 quarters
    BOOST_TEST(arith::residual_add(3, 4, m, 10, 0, 255) == 12); // 2.5 to even
    BOOST_TEST(arith::residual_add(3, 5, m, 10, 0, 255) == 13); // 2.75
    BOOST_TEST(arith::residual_add(-3, -4, m, 10, 0, 255) == 8);
    BOOST_TEST(arith::residual_add(3, 5, m, 10, 0, 11) == 11);
}

BOOST_AUTO_TEST_SUITE_END()
