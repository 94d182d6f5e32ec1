// SPDX-License-Identifier: Apache-2.0
#include <quantal/arith/requantize.hpp>

#include "arith/emulation.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <random>

namespace arith = quantal::arith;
using support::seeded;
using support::to_code;
using support::wide;

namespace {

// An emulation that shares no code with the header: long double operations, each rounded to
// float32 by a conversion. 64 bits hold a product of two floats exactly and make a quotient and a
// sum that round to float32 as if rounded once (64 >= 2 * 24 + 2).
static_assert(std::numeric_limits<wide>::digits >= 50);

/// Volatile: compilers see that a product rounded to float32 is a float32 product, and would then
/// fuse it with the next sum, here as in the code that is tested.
float to_float(wide v) {
    volatile auto stored = static_cast<float>(v);
    return stored;
}
float times(float a, float b) {
    return to_float(static_cast<wide>(a) * b);
}
float over(float a, float b) {
    return to_float(static_cast<wide>(a) / b);
}
float plus(float a, float b) {
    return to_float(static_cast<wide>(a) + b);
}

/// The integer nearest to `v`, ties to even, with integers only: `v` as mantissa and exponent.
std::int64_t nearest_even(float v) {
    int exponent = 0;
    const auto mantissa = static_cast<std::int64_t>(std::ldexp(std::frexp(v, &exponent), 24));
    const std::int64_t magnitude = std::abs(mantissa);
    const int shift = 24 - exponent; // |v| = magnitude / 2^shift
    if (shift <= 0) return mantissa * (std::int64_t{1} << -shift);
    if (shift > 40) return 0;
    const std::int64_t half = std::int64_t{1} << (shift - 1);
    std::int64_t whole = magnitude >> shift;
    const std::int64_t rest = magnitude & (2 * half - 1);
    if (rest > half || (rest == half && whole % 2 == 1)) ++whole;
    return mantissa < 0 ? -whole : whole;
}

constexpr int requantize_cases = 20000;

struct sample {
    std::int32_t acc;
    float a, b, c;
};
constexpr std::array samples{
    sample{0, 0.02f, 0.003f, 0.05f},       sample{12345, 0.02f, 0.003f, 0.05f},
    sample{-98765, 0.1f, 0.01f, 0.3f},     sample{16777217, 0x1p-10f, 0x1p-10f, 0x1p-3f},
    sample{3, 0.5f, 1.0f, 1.0f},           sample{-5, 0.5f, 1.0f, 1.0f},
    sample{2147483647, 0.9f, 0.8f, 0.01f}, sample{-2147483647, 0.9f, 0.8f, 0.01f},
    sample{77, 3.3f, 0.7f, 0.11f},         sample{1, 0x1p-63f, 0x1p-63f, 0x1p-63f},
};
using requantize_results = std::array<std::array<float, 8>, samples.size()>;

/// Every function of the header: once a constant, once at run time.
constexpr requantize_results evaluate_requantize(const std::array<sample, samples.size()>& inputs) {
    requantize_results r{};
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        const auto [acc, a, b, c] = inputs[i];
        const float m = arith::requantize_multiplier(a, b, c);
        const std::int32_t q = acc % 200;
        const auto sum = arith::residual_add({q, a, 3}, {q - 7, b, -2}, c, 11, 0, 255);
        r[i] = {m,
                static_cast<float>(arith::requantize(acc, m, 5, -128, 127)),
                static_cast<float>(sum),
                arith::average_multiplier(a, c, 49),
                arith::accumulator_value(acc, a, b),
                arith::bias_ratio(c, a, b),
                arith::bias_fits(c, a, b) ? 1.0f : 0.0f,
                static_cast<float>(arith::bias_code(c, 0.01f, 0.5f))};
    }
    return r;
}

} // namespace

BOOST_AUTO_TEST_SUITE(arith_requantize)

BOOST_AUTO_TEST_CASE(constant_evaluation_equals_run_time) {
    static constexpr requantize_results constant = evaluate_requantize(samples);
    std::array<sample, samples.size()> inputs{};
    for (std::size_t i = 0; i < samples.size(); ++i) {
        volatile std::int32_t acc = samples[i].acc;
        volatile float a = samples[i].a;
        volatile float b = samples[i].b;
        volatile float c = samples[i].c;
        inputs[i] = {acc, a, b, c};
    }
    const requantize_results found = evaluate_requantize(inputs);
    for (std::size_t i = 0; i < samples.size(); ++i)
        BOOST_TEST(found[i] == constant[i], boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(requantize_agrees_with_the_emulation) {
    auto random = seeded(31);
    std::uniform_int_distribution<std::int32_t> sums(-2000000, 2000000);
    std::uniform_real_distribution<float> scales(0.0005f, 0.05f);
    std::uniform_int_distribution<std::int32_t> zeros(0, 255);
    for (int i = 0; i < requantize_cases; ++i) {
        const std::int32_t acc = sums(random);
        const float x = scales(random);
        const float w = scales(random);
        const float y = scales(random) * 40.0f;
        const std::int32_t zero = zeros(random);
        const float m = arith::requantize_multiplier(x, w, y);
        BOOST_TEST(m == over(times(x, w), y));
        BOOST_TEST(arith::requantize(acc, m, zero, 0, 255) ==
                   to_code(times(to_float(acc), m), zero, 0, 255));
    }
}

BOOST_AUTO_TEST_CASE(requantize_at_ties_and_ends) {
    for (std::int32_t k = -200; k < 200; ++k) {
        const std::int32_t even = k % 2 == 0 ? k : k + 1;
        BOOST_TEST(arith::requantize(2 * k + 1, 0.5f, 0, -1000, 1000) == even);
        BOOST_TEST(arith::requantize(2 * k + 1, 0.5f, 9, -1000, 1000) == even + 9);
    }
    constexpr auto largest_sum = std::numeric_limits<std::int32_t>::max();
    BOOST_TEST(arith::requantize(largest_sum, 1.0f, 128, 0, 255) == 255);
    BOOST_TEST(arith::requantize(-largest_sum, 1.0f, 128, 0, 255) == 0);
    BOOST_TEST(arith::requantize(largest_sum, 3e38f, 0, -8, 7) == 7);
    BOOST_TEST(arith::requantize(50, 1.0f, 10, 10, 40) == 40); // a clamp narrower than the codes
    BOOST_TEST(arith::requantize(-50, 1.0f, 10, 10, 40) == 10);
}

BOOST_AUTO_TEST_CASE(a_sum_is_rounded_to_float_before_it_is_scaled) {
    // 2^24 + 1 is a tie between two floats and goes to 2^24; scaled exactly it would go up.
    constexpr float m = 0x1.8p-20f;
    static_assert(arith::requantize((1 << 24) + 1, m, 0, 0, 255) == 24);
    BOOST_TEST(arith::accumulator_value((1 << 24) + 1, 1.0f, 1.0f) == 0x1p24f);
    BOOST_TEST(arith::accumulator_value((1 << 24) + 3, 1.0f, 1.0f) == 16777220.0f);
}

/// By itself, so that products and sum are one piece of code that a compiler may want to fuse.
[[gnu::noinline]] std::int32_t residual_add(arith::addend a, arith::addend b, float y,
                                            std::int32_t zero) {
    return arith::residual_add(a, b, y, zero, 0, 255);
}

BOOST_AUTO_TEST_CASE(residual_add_agrees_with_the_emulation) {
    auto random = seeded(32);
    std::uniform_int_distribution<std::int32_t> codes(0, 255);
    std::uniform_real_distribution<float> scales(0.005f, 0.05f);
    for (int i = 0; i < requantize_cases; ++i) {
        const arith::addend a{codes(random), scales(random), codes(random)};
        // Half of the sums are near ties: equal scales, twice as large in the output.
        const bool tie = i % 2 == 0;
        const arith::addend b{codes(random), tie ? a.scale : scales(random), codes(random)};
        const float y = tie ? 2.0f * a.scale : scales(random);
        const float sum = plus(times(to_float(a.q - a.zero_point), a.scale),
                               times(to_float(b.q - b.zero_point), b.scale));
        const std::int32_t zero = codes(random);
        BOOST_TEST(residual_add(a, b, y, zero) == to_code(over(sum, y), zero, 0, 255));
    }
}

BOOST_AUTO_TEST_CASE(average_agrees_with_the_emulation) {
    auto random = seeded(33);
    std::uniform_int_distribution<std::int32_t> sizes(1, 64);
    std::uniform_int_distribution<std::int32_t> codes(-255, 255);
    std::uniform_real_distribution<float> scales(0.005f, 0.05f);
    for (int i = 0; i < requantize_cases; ++i) {
        const std::int32_t n = sizes(random);
        const std::int32_t sum = n * codes(random) + codes(random) % n;
        const float x = scales(random);
        const float y = i % 2 == 0 ? x : scales(random); // equal scales: ties where n is even
        const float m = arith::average_multiplier(x, y, n);
        BOOST_TEST(m == over(x, times(y, to_float(n))));
        BOOST_TEST(arith::requantize(sum, m, 3, 0, 255) ==
                   to_code(times(to_float(sum), m), 3, 0, 255));
    }
    // (3 + 4) / 2 = 3.5 goes to 4, (4 + 5) / 2 = 4.5 goes to 4.
    const float half = arith::average_multiplier(0.25f, 0.25f, 2);
    BOOST_TEST(arith::requantize(3 + 4, half, 0, 0, 255) == 4);
    BOOST_TEST(arith::requantize(4 + 5, half, 0, 0, 255) == 4);
}

BOOST_AUTO_TEST_CASE(accumulator_value_agrees_with_the_emulation) {
    auto random = seeded(34);
    std::uniform_int_distribution<std::int32_t> sums(-2000000000, 2000000000);
    std::uniform_real_distribution<float> scales(0.0005f, 0.05f);
    for (int i = 0; i < requantize_cases; ++i) {
        const std::int32_t acc = sums(random);
        const float x = scales(random);
        const float w = scales(random);
        BOOST_TEST(arith::accumulator_value(acc, x, w) == times(to_float(acc), times(x, w)));
    }
}

BOOST_AUTO_TEST_CASE(bias_code_is_exact_for_every_magnitude) {
    auto random = seeded(35);
    std::uniform_real_distribution<float> mantissa(0.5f, 1.0f);
    for (int exponent = -5; exponent <= 30; ++exponent)
        for (int i = 0; i < 2000; ++i) {
            const float b = std::ldexp(mantissa(random), exponent) * (i % 2 == 0 ? 1.0f : -1.0f);
            BOOST_REQUIRE(arith::bias_fits(b, 1.0f, 1.0f));
            BOOST_TEST(arith::bias_code(b, 1.0f, 1.0f) == nearest_even(b));
        }
}

BOOST_AUTO_TEST_CASE(bias_code_rounds_one_quotient) {
    auto random = seeded(36);
    std::uniform_real_distribution<float> mantissa(-1.0f, 1.0f);
    std::uniform_real_distribution<float> scales(0.0005f, 0.05f);
    std::uniform_int_distribution<int> exponents(-10, 14);
    int beyond_22_bits = 0;
    for (int i = 0; i < requantize_cases; ++i) {
        const float b = std::ldexp(mantissa(random), exponents(random));
        const float x = scales(random);
        const float w = scales(random);
        const float ratio = over(b, times(x, w));
        BOOST_TEST(arith::bias_ratio(b, x, w) == ratio);
        BOOST_TEST(arith::bias_fits(b, x, w) == (std::abs(ratio) <= 0x1p30f));
        if (!arith::bias_fits(b, x, w)) continue;
        beyond_22_bits += std::abs(ratio) >= 0x1p22f;
        BOOST_TEST(arith::bias_code(b, x, w) == nearest_even(ratio));
    }
    BOOST_TEST(beyond_22_bits > 1000);
}

BOOST_AUTO_TEST_CASE(bias_ties_between_two_to_the_22_and_23) {
    int wrong = 0;
    for (std::int32_t k = 1 << 22; k < (1 << 23); ++k) {
        const float tie = static_cast<float>(k) + 0.5f;
        const std::int32_t even = k % 2 == 0 ? k : k + 1;
        wrong += arith::bias_code(tie, 1.0f, 1.0f) != even;
        wrong += arith::bias_code(-tie, 1.0f, 1.0f) != -even;
    }
    BOOST_TEST(wrong == 0);
}

BOOST_AUTO_TEST_CASE(bias_fits_at_its_limits) {
    static_assert(arith::bias_code(0x1p30f, 1.0f, 1.0f) == arith::max_bias);
    static_assert(arith::bias_code(-0x1p30f, 1.0f, 1.0f) == -arith::max_bias);
    BOOST_TEST(!arith::bias_fits(0x1.000002p30f, 1.0f, 1.0f));
    BOOST_TEST(!arith::bias_fits(-0x1.000002p30f, 1.0f, 1.0f));
    BOOST_TEST(!arith::bias_fits(std::numeric_limits<float>::quiet_NaN(), 1.0f, 1.0f));
    BOOST_TEST(!arith::bias_fits(std::numeric_limits<float>::infinity(), 1.0f, 1.0f));
    BOOST_TEST(!arith::bias_fits(1.0f, arith::min_scale, arith::min_scale));
    BOOST_TEST(arith::bias_fits(0.0f, arith::min_scale, arith::min_scale));
}

BOOST_AUTO_TEST_SUITE_END()
