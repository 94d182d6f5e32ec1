// SPDX-License-Identifier: Apache-2.0
#include "kernel/cuda/launch.hpp"
#include "support/random.hpp"

#include <quantal/arith/subbyte.hpp>
#include <quantal/kernel/cuda/elementwise.hpp>
#include <quantal/kernel/cuda/min_max.hpp>
#include <quantal/spec/qspec.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <limits>

using namespace quantal;
using namespace quantal::cuda;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr std::size_t lengths[] = {0, 1, 3, 4, 1023, 1024, 1025, 2503};

/// Reals of all magnitudes, ties, infinities and NaN.
support::array<float> reals(std::mt19937& g, std::size_t count) {
    std::normal_distribution<float> normal;
    support::array<float> x(count);
    for (std::size_t i = 0; i < count; ++i) {
        x[i] = i % 5 == 0 ? 0.05f * static_cast<float>(i % 37) : normal(g);
        if (i % 97 == 13) x[i] = i % 2 ? infinity : -infinity;
        if (i % 101 == 17) x[i] = std::numeric_limits<float>::quiet_NaN();
    }
    return x;
}

template <class T>
std::span<const T> input(const support::array<T>& v) {
    return v;
}

/// Quantize, dequantize and fake-quantize against arith/, for codes of `s` in three slices, `run`
/// elements after `run` elements.
template <class Code>
void compare(std::mt19937& g, qspec s, std::size_t count, std::size_t run, grid_index grid,
             unsigned seed) {
    const std::int32_t lowest = arith::lowest_code(s.bits, s.is_signed());
    support::array<float> scales(3);
    support::array<std::int32_t> zeros(3);
    std::uniform_int_distribution<std::int32_t> zero(s.qmin(), s.qmax());
    for (std::size_t i = 0; i < 3; ++i) {
        scales[i] = 0.1f + 0.037f * static_cast<float>(i);
        zeros[i] = s.is_symmetric() ? -lowest : zero(g) - lowest;
    }
    const auto x = reals(g, count);
    support::array<Code> q(count);
    support::array<float> back(count), both(count);
    const code_grid codes{scales.data(),
                          zeros.data(),
                          {static_cast<std::int64_t>(run), 3},
                          s.qmin() - lowest,
                          s.qmax() - lowest};
    const auto n = static_cast<std::int64_t>(count);
    support::launch(quantize_kernel<Code>{x.data(), q.data(), n, {codes}}, grid,
                    {input(x), input(scales), input(zeros), std::span(q)}, seed);
    support::launch(dequantize_kernel<Code>{q.data(), back.data(), n, {codes}}, grid,
                    {input(q), input(scales), input(zeros), std::span(back)}, seed);
    support::launch(fake_quantize_kernel{x.data(), both.data(), n, {codes}}, grid,
                    {input(x), input(scales), input(zeros), std::span(both)}, seed);
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t k = i / run % 3;
        const auto code = arith::quantize(x[i], scales[k], zeros[k] + lowest, s.qmin(), s.qmax());
        BOOST_REQUIRE_EQUAL(q[i] + lowest, code);
        BOOST_REQUIRE_EQUAL(back[i], arith::dequantize(code, scales[k], zeros[k] + lowest));
        BOOST_REQUIRE_EQUAL(both[i], back[i]);
    }
}

/// Requantize against arith/, for sums of all magnitudes and multipliers on both sides of 1.
template <class Code>
void compare_requantize(std::mt19937& g, std::size_t count, std::int32_t hi, unsigned seed) {
    std::uniform_int_distribution<std::int32_t> any(std::numeric_limits<std::int32_t>::min());
    std::uniform_int_distribution<int> shift(0, 31);
    support::array<std::int32_t> sums(count);
    for (auto& sum : sums)
        sum = any(g) >> shift(g);
    const support::array<float> multipliers{0.0031f, 1.7f, 0x1p-20f};
    support::array<Code> q(count);
    const std::int32_t zero = hi / 3;
    const auto n = static_cast<std::int64_t>(count);
    support::launch(
        requantize_kernel<Code>{
            sums.data(), q.data(), n, {multipliers.data(), {5, 3}, zero, 1, hi}},
        {2, 1}, {input(sums), input(multipliers), std::span(q)}, seed);
    for (std::size_t i = 0; i < count; ++i)
        BOOST_REQUIRE_EQUAL(std::int32_t{q[i]},
                            arith::requantize(sums[i], multipliers[i / 5 % 3], zero, 1, hi));
}

extent min_max(const support::array<float>& x, int blocks, unsigned seed) {
    support::array<extent> parts(static_cast<std::size_t>(blocks)), result(1);
    support::launch(
        min_max_kernel<float>{x.data(), static_cast<std::int64_t>(x.size()), parts.data()},
        {blocks, 1}, {input(x), std::span(parts)}, seed);
    support::launch(min_max_kernel<extent>{parts.data(), blocks, result.data()}, {1, 1},
                    {input(parts), std::span(result)}, seed);
    return result[0];
}

} // namespace

BOOST_AUTO_TEST_SUITE(cuda_elementwise)

BOOST_AUTO_TEST_CASE(equals_arith_at_every_width) {
    auto g = support::generator();
    unsigned seed = 0;
    for (const int bits : {1, 2, 3, 4, 5, 6, 7, 8, 16})
        for (const scheme kind :
             {scheme::symmetric, scheme::symmetric_full, scheme::affine, scheme::affine_signed}) {
            if (bits == 1 && kind != scheme::affine) continue;
            const qspec s{.bits = bits, .kind = kind};
            const auto count = lengths[++seed % std::size(lengths)];
            if (bits == 16)
                compare<std::uint16_t>(g, s, count, 7, {2, 1}, seed);
            else
                compare<std::uint8_t>(g, s, count, 7, {2, 1}, seed);
        }
}

BOOST_AUTO_TEST_CASE(any_length_grid_and_order) {
    auto g = support::generator();
    for (const std::size_t count : lengths)
        for (unsigned seed = 0; seed < 3; ++seed)
            compare<std::uint8_t>(g, a8, count, 1 + seed, {1 + static_cast<int>(seed), 1}, seed);
}

BOOST_AUTO_TEST_CASE(sums_to_codes) {
    auto g = support::generator();
    unsigned seed = 0;
    for (const std::size_t count : lengths) {
        compare_requantize<std::uint8_t>(g, count, 255, ++seed);
        compare_requantize<std::uint16_t>(g, count, 65535, ++seed);
    }
}

BOOST_AUTO_TEST_CASE(extrema_of_any_length) {
    auto g = support::generator();
    std::normal_distribution<float> normal;
    for (const std::size_t count : lengths)
        for (const int blocks : {1, 2, 11}) {
            support::array<float> x(count);
            float lo = infinity, hi = -infinity;
            for (float& v : x) {
                v = normal(g);
                lo = std::min(lo, v);
                hi = std::max(hi, v);
            }
            const extent seen = min_max(x, blocks, static_cast<unsigned>(count));
            BOOST_TEST(seen[0] == lo);
            BOOST_TEST(seen[1] == hi);
        }
}

BOOST_AUTO_TEST_CASE(extrema_of_several_rows) {
    auto g = support::generator();
    std::normal_distribution<float> normal;
    constexpr int rows = 3, blocks = 2;
    constexpr std::int64_t each = 301;
    support::array<float> x(rows * each);
    for (float& v : x)
        v = normal(g);
    support::array<extent> parts(rows * blocks), result(rows);
    support::launch(min_max_kernel<float>{x.data(), each, parts.data()}, {blocks, rows},
                    {input(x), std::span(parts)}, 1);
    support::launch(min_max_kernel<extent>{parts.data(), blocks, result.data()}, {1, rows},
                    {input(parts), std::span(result)}, 2);
    for (std::size_t row = 0; row < rows; ++row) {
        const auto [lo, hi] =
            std::minmax_element(x.begin() + static_cast<std::ptrdiff_t>(row) * each,
                                x.begin() + static_cast<std::ptrdiff_t>(row + 1) * each);
        BOOST_TEST(result[row][0] == *lo);
        BOOST_TEST(result[row][1] == *hi);
    }
}

BOOST_AUTO_TEST_SUITE_END()
