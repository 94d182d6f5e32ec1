// SPDX-License-Identifier: Apache-2.0
#include <quantal/io/half.hpp>

#include <boost/test/unit_test.hpp>

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace io = quantal::io;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr std::uint32_t all_codes = 0x10000;

/// The value of a code by the definition of the formats: a sign, `exponent_bits`, then a fraction.
double by_definition(std::uint32_t code, int exponent_bits) {
    const int fraction_bits = 15 - exponent_bits;
    const int bias = (1 << (exponent_bits - 1)) - 1;
    const int exponent = static_cast<int>(code >> fraction_bits) & ((1 << exponent_bits) - 1);
    const int fraction = static_cast<int>(code & ((1u << fraction_bits) - 1));
    const double sign = (code & 0x8000u) != 0 ? -1.0 : 1.0;
    if (exponent == (1 << exponent_bits) - 1)
        return fraction != 0 ? std::numeric_limits<double>::quiet_NaN()
                             : sign * std::numeric_limits<double>::infinity();
    const int significand = exponent == 0 ? fraction : fraction + (1 << fraction_bits);
    return sign * std::ldexp(significand, (exponent == 0 ? 1 : exponent) - bias - fraction_bits);
}

/// Equal, with the same sign of zero, or both NaN.
bool same(float found, double expected) {
    if (std::isnan(expected)) return std::isnan(found);
    return static_cast<double>(found) == expected && std::signbit(found) == std::signbit(expected);
}

constexpr std::uint16_t half(float x) {
    return io::to_float16(x);
}

/// Both signs of one rounding.
void check_rounding(float x, std::uint32_t expected) {
    BOOST_TEST(half(x) == expected);
    BOOST_TEST(half(-x) == (expected | 0x8000u));
}

constexpr std::array samples{0.0f,     -0.0f,    1.0f,     -1.5f,       65504.0f,
                             65519.0f, 65520.0f, 1e30f,    -1e-30f,     0x1p-24f,
                             0x1p-25f, 0x3p-25f, 0x1p-14f, 0.1f,        -infinity,
                             3.14159f, 2049.0f,  2051.0f,  0x1.ffcp-15f};

constexpr auto convert(const std::array<float, samples.size()>& inputs) {
    std::array<std::uint32_t, 3 * samples.size()> bits{};
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        const std::uint16_t code = io::to_float16(inputs[i]);
        bits[3 * i] = code;
        bits[3 * i + 1] = std::bit_cast<std::uint32_t>(io::from_float16(code));
        bits[3 * i + 2] = std::bit_cast<std::uint32_t>(io::from_bfloat16(code));
    }
    return bits;
}

} // namespace

BOOST_AUTO_TEST_SUITE(io_half)

BOOST_AUTO_TEST_CASE(every_float16_has_the_value_of_its_definition) {
    for (std::uint32_t code = 0; code < all_codes; ++code) {
        const float found = io::from_float16(static_cast<std::uint16_t>(code));
        BOOST_TEST(same(found, by_definition(code, 5)), "code " << code << " gives " << found);
    }
}

BOOST_AUTO_TEST_CASE(every_float16_comes_back_and_nan_stays_nan) {
    for (std::uint32_t code = 0; code < all_codes; ++code) {
        const std::uint32_t back = half(io::from_float16(static_cast<std::uint16_t>(code)));
        const bool is_nan = (code & 0x7fffu) > 0x7c00u;
        BOOST_TEST((is_nan ? (back & 0x7fffu) > 0x7c00u : back == code),
                   "code " << code << " comes back as " << back);
        BOOST_TEST((back & 0x8000u) == (code & 0x8000u));
    }
}

BOOST_AUTO_TEST_CASE(every_bfloat16_has_the_value_of_its_definition) {
    for (std::uint32_t code = 0; code < all_codes; ++code) {
        const float found = io::from_bfloat16(static_cast<std::uint16_t>(code));
        BOOST_TEST(same(found, by_definition(code, 8)), "code " << code << " gives " << found);
    }
}

BOOST_AUTO_TEST_CASE(nan_of_any_payload_becomes_no_infinity) {
    for (const std::uint32_t bits : {0x7f800001u, 0x7f801000u, 0x7fc00000u, 0x7fffffffu})
        for (const std::uint32_t sign : {0u, 0x80000000u}) {
            const std::uint32_t code = half(std::bit_cast<float>(bits | sign));
            BOOST_TEST((code & 0x7fffu) > 0x7c00u);
            BOOST_TEST((code & 0x8000u) == sign >> 16);
        }
}

BOOST_AUTO_TEST_CASE(every_midpoint_goes_to_even_and_its_neighbours_to_the_nearest) {
    constexpr std::uint32_t largest_finite = 0x7bff;
    for (std::uint32_t code = 0; code < largest_finite; ++code) {
        // Exact: the sum of two neighbours has 12 significant bits.
        const auto middle =
            static_cast<float>((by_definition(code, 5) + by_definition(code + 1, 5)) / 2);
        check_rounding(middle, code % 2 == 0 ? code : code + 1);
        check_rounding(std::nextafter(middle, 0.0f), code);
        check_rounding(std::nextafter(middle, infinity), code + 1);
    }
}

BOOST_AUTO_TEST_CASE(beyond_65519_everything_is_infinity) {
    check_rounding(65504.0f, 0x7bff);
    check_rounding(65519.99f, 0x7bff);
    check_rounding(std::nextafter(65520.0f, 0.0f), 0x7bff);
    check_rounding(65520.0f, 0x7c00);
    check_rounding(65535.996f, 0x7c00);
    check_rounding(65536.0f, 0x7c00);
    check_rounding(std::numeric_limits<float>::max(), 0x7c00);
    check_rounding(infinity, 0x7c00);
}

BOOST_AUTO_TEST_CASE(floats_too_small_become_zero_of_their_sign) {
    for (const float x : {0.0f, 0x1p-149f, 0x1p-126f, 0x1p-26f, 0x1p-25f})
        check_rounding(x, 0);
    check_rounding(0x1.000002p-25f, 1);
}

BOOST_AUTO_TEST_CASE(constant_evaluation_equals_run_time) {
    static constexpr auto constant = convert(samples);
    std::array<float, samples.size()> inputs{};
    for (std::size_t i = 0; i < samples.size(); ++i) {
        volatile float hidden = samples[i];
        inputs[i] = hidden;
    }
    BOOST_TEST(convert(inputs) == constant, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
