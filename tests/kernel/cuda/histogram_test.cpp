// SPDX-License-Identifier: Apache-2.0
#include "kernel/cuda/launch.hpp"
#include "support/random.hpp"

#include <quantal/kernel/cuda/histogram.hpp>

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <limits>

using namespace quantal;
using namespace quantal::cuda;

namespace {

constexpr std::size_t places = places_of_counts;
using tallies = support::array<std::uint64_t>;

/// Values of all magnitudes up to about `largest`, with zeros of both signs, powers of two and
/// denormal numbers.
support::array<float> values_up_to(std::mt19937& g, std::size_t count, float largest) {
    std::uniform_real_distribution<float> uniform(-1.0f, 1.0f);
    std::uniform_int_distribution<int> shift(0, 40);
    support::array<float> x(count);
    for (std::size_t i = 0; i < count; ++i) {
        x[i] = largest * uniform(g);
        if (i % 3 == 1) x[i] = std::ldexp(x[i], -shift(g));
        if (i % 7 == 2) x[i] = std::ldexp(i % 2 ? 1.0f : -1.0f, std::ilogb(x[i]));
        if (i % 11 == 3) x[i] = i % 2 ? 0.0f : -0.0f;
        if (i % 13 == 4) x[i] = (i % 2 ? 3 : -5) * std::numeric_limits<float>::denorm_min();
    }
    return x;
}

/// The documented formula: bin `trunc(|x| / 2^exponent)` of its sign.
tallies counted(const support::array<float>& x, int exponent) {
    tallies all(places);
    for (const float v : x) {
        const auto bin = static_cast<int>(std::abs(double{v}) * std::ldexp(1.0, -exponent));
        const int place = v == 0.0f  ? place_of_zeros
                          : v < 0.0f ? bins_a_side - 1 - bin
                                     : bins_a_side + bin;
        ++all.at(static_cast<std::size_t>(place));
    }
    return all;
}

/// The least exponent by which all values fit.
int exponent_of(const support::array<float>& x) {
    int exponent = no_exponent;
    for (const float v : x)
        while (std::abs(double{v}) >= bins_a_side * std::ldexp(1.0, exponent))
            exponent = exponent == no_exponent ? -165 : exponent + 1;
    return exponent;
}

template <class T>
std::span<const T> readable(const support::array<T>& v) {
    return v;
}

tallies by_kernel(const support::array<float>& x, int exponent, int blocks, unsigned seed) {
    tallies all(places);
    const support::array<std::int32_t> width{exponent};
    support::launch(histogram_kernel{x.data(), std::ssize(x), width.data(), all.data()},
                    {blocks, 1}, {readable(x), readable(width), std::span(all)}, seed);
    return all;
}

extent extent_of_all(const support::array<float>& x) {
    const auto [lo, hi] = std::minmax_element(x.begin(), x.end());
    return {{*lo, *hi}};
}

/// What widening makes of tallies, and the new exponent.
std::pair<tallies, int> widened(const tallies& from, int exponent, const extent& seen, int blocks,
                                unsigned seed) {
    tallies to(places);
    const support::array<std::int32_t> before{exponent};
    support::array<std::int32_t> after(1);
    const support::array<extent> values{seen};
    support::launch(
        widen_kernel{from.data(), before.data(), values.data(), to.data(), after.data()},
        {blocks, 1},
        {readable(from), readable(before), readable(values), std::span(to), std::span(after)},
        seed);
    return {to, after[0]};
}

} // namespace

BOOST_AUTO_TEST_SUITE(cuda_histogram)

BOOST_AUTO_TEST_CASE(counts_are_those_of_the_formula) {
    auto g = support::generator();
    unsigned seed = 0;
    for (const std::size_t count : {1u, 255u, 1031u, 4099u})
        for (const float largest : {1.0f, 3.7e-40f, 2.5e-5f, 3.4e38f})
            for (const int blocks : {1, 3}) {
                const auto x = values_up_to(g, count, largest);
                for (const int coarser : {0, 1, 9}) {
                    const int exponent = exponent_of(x) + coarser;
                    BOOST_TEST((by_kernel(x, exponent, blocks, ++seed) == counted(x, exponent)));
                }
            }
}

BOOST_AUTO_TEST_CASE(counts_add_up) {
    auto g = support::generator();
    const auto x = values_up_to(g, 700, 1.0f);
    tallies all(places);
    const support::array<std::int32_t> exponent{exponent_of(x)};
    for (unsigned launch = 0; launch < 3; ++launch)
        support::launch(histogram_kernel{x.data(), std::ssize(x), exponent.data(), all.data()},
                        {2, 1}, {readable(x), readable(exponent), std::span(all)}, launch);
    tallies expected = counted(x, exponent[0]);
    for (std::uint64_t& c : expected)
        c *= 3;
    BOOST_TEST((all == expected));
}

BOOST_AUTO_TEST_CASE(wider_bins_count_what_fell_into_the_narrow_ones) {
    auto g = support::generator();
    const auto x = values_up_to(g, 2003, 1.0f);
    const int exponent = exponent_of(x);
    const tallies before = counted(x, exponent);
    int blocks = 0;
    for (const float largest : {0.5f, 1.0f, 2.0f, 3.9f, 1e3f, 1e9f, 3.4e38f}) {
        support::array<float> more = x;
        more.push_back(-largest);
        blocks = blocks % 3 + 1;
        const auto [after, wider] =
            widened(before, exponent, extent_of_all(more), blocks, static_cast<unsigned>(blocks));
        BOOST_TEST(wider == exponent_of(more));
        BOOST_TEST((after == counted(x, wider)));
    }
}

BOOST_AUTO_TEST_CASE(the_first_values_say_how_wide_bins_are) {
    const tallies none(places);
    const float least = std::numeric_limits<float>::denorm_min();
    for (const float largest : {least, 3 * least, 1e-38f, 1.0f, 0x1.fffffep0f, 3.4e38f})
        BOOST_TEST(widened(none, no_exponent, {{-largest / 2, largest}}, 2, 1).second ==
                   exponent_of({largest}));
    BOOST_TEST(widened(none, no_exponent, {{0.0f, -0.0f}}, 1, 1).second == no_exponent);
}

BOOST_AUTO_TEST_SUITE_END()
