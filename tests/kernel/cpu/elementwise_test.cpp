// SPDX-License-Identifier: Apache-2.0
#include "archs.hpp"

#include <quantal/arith/requantize.hpp>

#include "support/random.hpp"

#include <boost/test/unit_test.hpp>

#include <bit>
#include <cstring>

using namespace quantal;
using cpu::byte_codes;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

/// Lengths around the registers of every width, and one that goes past the caches.
std::vector<std::size_t> lengths() {
    std::vector<std::size_t> all{0, 1, 2, 3, 5, 7, 31, 61, 251};
    for (const std::size_t lanes : {4u, 8u, 16u})
        for (const std::size_t near : {lanes - 1, lanes, lanes + 1, 4 * lanes, 5 * lanes + 3})
            all.push_back(near);
    all.push_back(cpu::stream_bytes + 77);
    return all;
}

/// Reals that matter to rounding to codes of this scale: ties and their neighbours, both zeros, the
/// smallest and the largest numbers, infinities, NaN; then random ones, some of them far outside.
std::vector<float> reals(std::size_t count, float scale, std::mt19937& g) {
    std::vector<float> x{
        0.0f,      -0.0f,      infinity,        -infinity,       std::nanf(""), -std::nanf("1"),
        0x1p-149f, -0x1p-149f, 0x1.fffffep127f, -0x1.fffffep127f};
    for (int half = -600; half <= 600; ++half) {
        const float tie = scale * (static_cast<float>(half) / 2.0f);
        x.insert(x.end(), {tie, std::nextafter(tie, infinity), std::nextafter(tie, -infinity)});
    }
    std::shuffle(x.begin(), x.end(), g);
    std::normal_distribution<float> normal(0.0f, 200.0f * scale);
    while (x.size() < count)
        x.push_back(normal(g));
    x.resize(count);
    return x;
}

std::vector<std::uint8_t> bytes(std::size_t count, std::mt19937& g) {
    std::vector<std::uint8_t> q(count);
    for (auto& b : q)
        b = static_cast<std::uint8_t>(g());
    return q;
}

byte_codes any_codes(std::mt19937& g) {
    const auto pick = [&](int lo, int hi) { return std::uniform_int_distribution<>(lo, hi)(g); };
    const int lo = pick(0, 255), hi = pick(lo, 255);
    return {pick(0, 255), lo, hi};
}

float any_scale(std::mt19937& g) {
    const float scales[] = {arith::min_scale, 0x1p-20f, 0.0123f, 1.0f, 3.7f, 1e30f};
    return scales[g() % 6] * (1.0f + static_cast<float>(g() % 1000) / 1000.0f);
}

/// Runs `check(kernels, count)` for every instruction set and length.
template <class F>
void for_all(F&& check) {
    for (const cpu::kernel_set* kernels : support::built_kernels())
        for (const std::size_t count : lengths())
            BOOST_TEST_CONTEXT(kernels->name << ", " << count << " elements")
    check(kernels->arrays, count);
}

/// How many elements differ from `expected(i)`, and whether those behind the end are as before.
template <class T, class F>
void check_equal(const std::vector<T>& y, std::size_t count, T guard, F&& expected) {
    std::size_t differing = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const T e = expected(i);
        differing += std::memcmp(&y[i], &e, sizeof e) != 0;
    }
    BOOST_TEST(differing == 0u);
    BOOST_TEST(
        std::all_of(y.begin() + std::ptrdiff_t(count), y.end(), [&](T v) { return v == guard; }));
}

} // namespace

BOOST_AUTO_TEST_SUITE(elementwise)

BOOST_AUTO_TEST_CASE(quantize_is_arith) {
    auto g = support::generator();
    for_all([&](const cpu::array_kernels& k, std::size_t count) {
        const float scale = any_scale(g);
        const byte_codes c = any_codes(g);
        const auto x = reals(count, scale, g);
        std::vector<std::uint8_t> q(count + 9, 99);
        k.quantize(x.data(), count, scale, c, q.data());
        check_equal(q, count, std::uint8_t{99}, [&](std::size_t i) {
            return static_cast<std::uint8_t>(
                arith::quantize(x[i], scale, c.zero_point, c.lo, c.hi));
        });
    });
}

BOOST_AUTO_TEST_CASE(dequantize_is_arith) {
    auto g = support::generator();
    for_all([&](const cpu::array_kernels& k, std::size_t count) {
        const float scale = any_scale(g);
        const auto zero = static_cast<std::int32_t>(g() % 256);
        const auto q = bytes(count, g);
        std::vector<float> x(count + 9, 99.0f);
        k.dequantize(q.data(), count, scale, zero, x.data());
        check_equal(x, count, 99.0f,
                    [&](std::size_t i) { return arith::dequantize(q[i], scale, zero); });
    });
}

BOOST_AUTO_TEST_CASE(fake_quantize_is_quantize_then_dequantize) {
    auto g = support::generator();
    for_all([&](const cpu::array_kernels& k, std::size_t count) {
        const float scale = any_scale(g);
        const byte_codes wide{static_cast<std::int32_t>(g() % 65536), 0, 65535};
        const byte_codes c = g() % 2 ? any_codes(g) : wide;
        const auto x = reals(count, scale, g);
        std::vector<float> y(count + 9, 99.0f);
        k.fake_quantize(x.data(), count, scale, c, y.data());
        const auto expected = [&](std::size_t i) {
            return arith::dequantize(arith::quantize(x[i], scale, c.zero_point, c.lo, c.hi), scale,
                                     c.zero_point);
        };
        check_equal(y, count, 99.0f, expected);
        y.assign(x.begin(), x.end()); // in place
        k.fake_quantize(y.data(), count, scale, c, y.data());
        check_equal(y, count, 99.0f, expected);
    });
}

BOOST_AUTO_TEST_CASE(add_of_codes_is_residual_add) {
    auto g = support::generator();
    for_all([&](const cpu::array_kernels& k, std::size_t count) {
        const auto a = bytes(count, g), b = bytes(count, g);
        cpu::residual r{0.01f + 0.001f * static_cast<float>(g() % 100),
                        0.02f,
                        0.03f,
                        static_cast<std::int32_t>(g() % 256),
                        static_cast<std::int32_t>(g() % 256),
                        any_codes(g)};
        if (g() % 2) r.a_scale = r.b_scale = r.y_scale = 0.5f; // many ties
        std::vector<std::uint8_t> y(count + 9, 99);
        k.add_codes(a.data(), b.data(), count, r, y.data());
        check_equal(y, count, std::uint8_t{99}, [&](std::size_t i) {
            return static_cast<std::uint8_t>(
                arith::residual_add({a[i], r.a_scale, r.a_zero}, {b[i], r.b_scale, r.b_zero},
                                    r.y_scale, r.y.zero_point, r.y.lo, r.y.hi));
        });
    });
}

BOOST_AUTO_TEST_CASE(products_of_codes_are_requantized) {
    auto g = support::generator();
    for_all([&](const cpu::array_kernels& k, std::size_t count) {
        const auto a = bytes(count, g), b = bytes(count, g);
        cpu::code_product p{any_scale(g), static_cast<std::int32_t>(g() % 256),
                            static_cast<std::int32_t>(g() % 256), any_codes(g)};
        if (g() % 2) p.multiplier = 0x1p-9f; // many ties
        std::vector<std::uint8_t> y(count + 9, 99);
        k.multiply_codes(a.data(), b.data(), count, p, y.data());
        check_equal(y, count, std::uint8_t{99}, [&](std::size_t i) {
            return static_cast<std::uint8_t>(
                arith::requantize((a[i] - p.a_zero) * (b[i] - p.b_zero), p.multiplier,
                                  p.y.zero_point, p.y.lo, p.y.hi));
        });
    });
}

BOOST_AUTO_TEST_CASE(clamp_and_arithmetic_of_reals) {
    auto g = support::generator();
    for_all([&](const cpu::array_kernels& k, std::size_t count) {
        const auto q = bytes(count, g);
        std::vector<std::uint8_t> y(count + 9, 99);
        k.clamp_codes(q.data(), count, 17, 200, y.data());
        check_equal(y, count, std::uint8_t{99},
                    [&](std::size_t i) { return arith::clamp<std::uint8_t>(q[i], 17, 200); });
        const auto x = reals(count, 0.01f, g);
        std::vector<float> sum(count + 9, 99.0f);
        k.clamp_reals(x.data(), count, -0.5f, 1.0f, sum.data());
        check_equal(sum, count, 99.0f,
                    [&](std::size_t i) { return arith::clamp(x[i], -0.5f, 1.0f); });
        k.add_reals(x.data(), x.data(), count, sum.data());
        std::size_t differing = 0; // as numbers: NaN has many forms
        for (std::size_t i = 0; i < count; ++i)
            differing += !(sum[i] == x[i] + x[i] || std::isnan(x[i]));
        k.multiply_reals(x.data(), x.data(), count, sum.data());
        for (std::size_t i = 0; i < count; ++i)
            differing += !(sum[i] == x[i] * x[i] || std::isnan(x[i]));
        BOOST_TEST(differing == 0u);
    });
}

BOOST_AUTO_TEST_CASE(min_max_of_numbers) {
    auto g = support::generator();
    for_all([&](const cpu::array_kernels& k, std::size_t count) {
        auto x = reals(count, 1.0f, g);
        std::erase_if(x, [](float v) { return std::isnan(v); });
        if (g() % 2) std::erase_if(x, [](float v) { return std::isinf(v); });
        const auto found = k.min_max(x.data(), x.size());
        float lo = infinity, hi = -infinity;
        for (const float v : x) {
            lo = std::min(lo, v);
            hi = std::max(hi, v);
        }
        BOOST_TEST(found.lo == lo);
        BOOST_TEST(found.hi == hi);
    });
}

// One in 977 of all float32: exponents and fractions in steps that are no power of two, so that
// each bit takes both values beside every other.
BOOST_AUTO_TEST_CASE(quantize_all_over_float32) {
    constexpr std::uint32_t stride = 977;
    std::vector<float> x;
    for (std::uint64_t bits = 0; bits < std::uint64_t{1} << 32; bits += stride)
        x.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
    std::vector<std::uint8_t> q(x.size());
    const byte_codes c{100, 3, 250};
    for (const cpu::kernel_set* kernels : support::built_kernels())
        for (const float scale : {0.037f, 1e-19f, 2e30f}) {
            kernels->arrays.quantize(x.data(), x.size(), scale, c, q.data());
            std::size_t differing = 0;
            for (std::size_t i = 0; i < x.size(); ++i)
                differing += q[i] != arith::quantize(x[i], scale, c.zero_point, c.lo, c.hi);
            BOOST_TEST_CONTEXT(kernels->name << ", scale " << scale) BOOST_TEST(differing == 0u);
        }
}

BOOST_AUTO_TEST_SUITE_END()
