// SPDX-License-Identifier: Apache-2.0
#include <quantal/arith/rounding.hpp>

#include <boost/test/unit_test.hpp>

#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <random>

namespace arith = quantal::arith;

namespace {

constexpr std::array values_to_round{
    0.0f,      -0.0f,  0.5f,       -0.5f,       0x1.fffffep-2f, -0x1.fffffep-2f, 1.5f,
    -1.5f,     2.5f,   -2.5f,      3.49999976f, 126.5f,         127.5f,          -127.5f,
    -128.5f,   254.5f, 255.49998f, 1048575.5f,  -1048576.5f,    4194303.5f,      -4194303.5f,
    0x1p-149f, 1e-20f, 0.1f,       -0.7f,       1234567.25f,    -1234567.75f,    3.0f,
};

struct rounding_results {
    std::array<std::int32_t, values_to_round.size()> integers{}, away{}, drawn{};
    std::array<float, values_to_round.size()> products{};
    std::array<float, values_to_round.size()> clamped{};
    bool operator==(const rounding_results&) const = default;
};

/// Every function of the header over `inputs`: once a constant, once at run time.
constexpr rounding_results
evaluate_rounding(const std::array<float, values_to_round.size()>& inputs) {
    rounding_results r;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        r.integers[i] = arith::round_half_even(inputs[i]);
        r.away[i] = arith::round_half_away(inputs[i]);
        r.drawn[i] = arith::round_by_draw(inputs[i], 0x1000000u / 3u);
        r.products[i] = arith::product(inputs[i], inputs[inputs.size() - 1 - i]);
        r.clamped[i] = arith::clamp(inputs[i], -2.5f, arith::rounded(100.25f));
    }
    return r;
}

/// The even one of the two integers beside the tie `k + 0.5`.
constexpr std::int32_t even_beside(std::int32_t k) {
    return k % 2 == 0 ? k : k + 1;
}

} // namespace

BOOST_AUTO_TEST_SUITE(arith_rounding)

BOOST_AUTO_TEST_CASE(constant_evaluation_equals_run_time) {
    static constexpr rounding_results constant = evaluate_rounding(values_to_round);
    std::array<float, values_to_round.size()> inputs{};
    for (std::size_t i = 0; i < values_to_round.size(); ++i) {
        volatile float hidden = values_to_round[i];
        inputs[i] = hidden;
    }
    const rounding_results found = evaluate_rounding(inputs);
    BOOST_TEST(found.integers == constant.integers, boost::test_tools::per_element());
    BOOST_TEST(found.away == constant.away, boost::test_tools::per_element());
    BOOST_TEST(found.drawn == constant.drawn, boost::test_tools::per_element());
    BOOST_TEST(found.products == constant.products, boost::test_tools::per_element());
    BOOST_TEST(found.clamped == constant.clamped, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(known_values) {
    static_assert(arith::round_half_even(0.5f) == 0);
    static_assert(arith::round_half_even(1.5f) == 2);
    static_assert(arith::round_half_even(-0.5f) == 0);
    static_assert(arith::round_half_even(-1.5f) == -2);
    static_assert(arith::round_half_even(0x1.fffffep-2f) == 0);
    static_assert(arith::round_half_even(0x1.000002p-1f) == 1);
    static_assert(arith::round_half_even(4194303.5f) == 4194304);
}

BOOST_AUTO_TEST_CASE(every_tie_of_the_domain_goes_to_even) {
    constexpr std::int32_t limit = 1 << 22;
    std::int32_t wrong = 0;
    for (std::int32_t k = -limit + 1; k < limit - 1; ++k)
        wrong += arith::round_half_even(static_cast<float>(k) + 0.5f) != even_beside(k);
    BOOST_TEST(wrong == 0);
}

BOOST_AUTO_TEST_CASE(neighbours_of_ties_and_integers_go_to_the_nearest) {
    constexpr float inf = std::numeric_limits<float>::infinity();
    std::int32_t wrong = 0;
    for (std::int32_t k = -(1 << 20); k < (1 << 20); k += 3) {
        const float tie = static_cast<float>(k) + 0.5f;
        wrong += arith::round_half_even(std::nextafter(tie, -inf)) != k;
        wrong += arith::round_half_even(std::nextafter(tie, inf)) != k + 1;
        wrong += arith::round_half_even(static_cast<float>(k)) != k;
    }
    BOOST_TEST(wrong == 0);
}

BOOST_AUTO_TEST_CASE(integers_from_bits) { // as devices take them
    constexpr std::int32_t limit = 1 << 22;
    std::int32_t wrong = 0;
    for (std::int32_t n = -limit + 1; n < limit; ++n)
        wrong += arith::integer_of_shifted(arith::rounding_shifter + static_cast<float>(n)) != n;
    BOOST_TEST(wrong == 0);
}

BOOST_AUTO_TEST_CASE(agrees_with_nearbyint) {
    constexpr unsigned seed = 20240611;
    BOOST_TEST_MESSAGE("seed " << seed);
    std::mt19937 random(seed);
    std::uniform_int_distribution<int> exponent(-30, 21);
    std::uniform_real_distribution<float> mantissa(-1.0f, 1.0f);
    for (int i = 0; i < 20000; ++i) {
        const float x = std::ldexp(mantissa(random), exponent(random));
        BOOST_TEST(arith::round_half_even(x) == static_cast<std::int32_t>(std::nearbyint(x)));
    }
}

BOOST_AUTO_TEST_CASE(rounded_keeps_every_bit) {
    for (const std::uint32_t bits : {0u, 0x80000000u, 1u, 0x007fffffu, 0x3f800000u, 0x3f800001u,
                                     0x7f7fffffu, 0x7f800000u, 0xff800000u, 0x7fc00001u})
        BOOST_TEST(std::bit_cast<std::uint32_t>(arith::rounded(std::bit_cast<float>(bits))) ==
                   bits);
}

BOOST_AUTO_TEST_CASE(a_product_is_rounded_once) {
    constexpr unsigned seed = 77;
    BOOST_TEST_MESSAGE("seed " << seed);
    std::mt19937 random(seed);
    std::uniform_real_distribution<float> values(-1000.0f, 1000.0f);
    for (int i = 0; i < 20000; ++i) {
        const float a = values(random);
        const float b = values(random);
        const double exact = static_cast<double>(a) * b; // 48 bits of 53
        BOOST_TEST(arith::product(a, b) == static_cast<float>(exact));
    }
}

BOOST_AUTO_TEST_CASE(clamp_takes_infinities_and_nan) {
    constexpr float inf = std::numeric_limits<float>::infinity();
    BOOST_TEST(arith::clamp(inf, -3.0f, 4.0f) == 4.0f);
    BOOST_TEST(arith::clamp(-inf, -3.0f, 4.0f) == -3.0f);
    BOOST_TEST(arith::clamp(std::numeric_limits<float>::quiet_NaN(), -3.0f, 4.0f) == -3.0f);
    BOOST_TEST(arith::clamp(4, 0, 15) == 4);
    BOOST_TEST(arith::clamp(-1, 0, 15) == 0);
    BOOST_TEST(arith::clamp(16, 0, 15) == 15);
    BOOST_TEST(arith::clamp(7, 5, 5) == 5);
}

BOOST_AUTO_TEST_CASE(ties_go_away_from_zero_when_told_so) {
    for (std::int32_t k = 0; k <= 70000; ++k)
        for (const float x :
             {static_cast<float>(k) + 0.5f, std::nextafter(static_cast<float>(k) + 0.5f, 0.0f),
              std::nextafter(static_cast<float>(k) + 0.5f, 1e9f), static_cast<float>(k),
              static_cast<float>(k) + 0.25f})
            if (arith::round_half_away(x) != std::lround(x) ||
                arith::round_half_away(-x) != -std::lround(x))
                BOOST_ERROR("rounding " << x);
    BOOST_TEST(arith::round_half_away(2.5f) == 3);
    BOOST_TEST(arith::round_half_away(-2.5f) == -3);
    BOOST_TEST(arith::round_half_away(-4194303.5f) == -4194304);
}

BOOST_AUTO_TEST_CASE(a_draw_below_the_fraction_rounds_up) {
    constexpr std::uint32_t quarter = 1u << 22;
    for (std::int32_t k = -300; k <= 300; ++k) {
        const float x = static_cast<float>(k) + 0.25f;
        BOOST_TEST(arith::round_by_draw(x, 0) == k + 1);
        BOOST_TEST(arith::round_by_draw(x, quarter - 1) == k + 1);
        BOOST_TEST(arith::round_by_draw(x, quarter) == k);
        BOOST_TEST(arith::round_by_draw(x, 0xffffffu) == k);
        for (const std::uint32_t draw : {0u, 1u, quarter, 0xffffffu}) // an integer stays
            BOOST_TEST(arith::round_by_draw(static_cast<float>(k), draw) == k);
    }
    BOOST_TEST(arith::round_by_draw(-0x1p-149f, 0xffffffu) == 0); // its fraction rounds to 1
    BOOST_TEST(arith::round_by_draw(0x1p-149f, 0) == 1);
    BOOST_TEST(arith::round_by_draw(-0.0f, 0) == 0);
}

// The first five numbers of SplitMix64 with seed 1234567, as its implementations publish them.
BOOST_AUTO_TEST_CASE(the_generator_is_splitmix64) {
    constexpr std::array<std::uint64_t, 5> expected{6457827717110365317u, 3203168211198807973u,
                                                    9817491932198370423u, 4593380528125082431u,
                                                    16408922859458223821u};
    for (std::size_t i = 0; i < expected.size(); ++i)
        BOOST_TEST(arith::splitmix64(1234567, i) == expected[i]);
}

BOOST_AUTO_TEST_SUITE_END()
