// SPDX-License-Identifier: Apache-2.0
#include <quantal/observe/sketch.hpp>

#include "observe/observers.hpp"
#include "support/random.hpp"

#include <boost/test/unit_test.hpp>

#include <map>

using namespace quantal;
using observe::sketch;
using observe::tally;
using support::merged;
using support::observed;
using support::updates;

namespace quantal {
namespace observe {

std::ostream& boost_test_print_type(std::ostream& out, const tally& t) {
    return out << t.count << " x " << t.value;
}

} // namespace observe
} // namespace quantal

namespace {

/// Values of many magnitudes, both signs and zeros.
std::vector<float> many_values(std::mt19937& g, std::size_t count) {
    std::normal_distribution<float> distribution;
    std::vector<float> values(count);
    for (float& v : values)
        v = g() % 4 == 0 ? 0.0f : std::ldexp(distribution(g), static_cast<int>(g() % 40) - 30);
    return values;
}

/// The values cut into updates of up to `most` values.
updates cut(std::mt19937& g, const std::vector<float>& values, std::size_t most) {
    updates result;
    for (std::size_t first = 0; first < values.size();) {
        const std::size_t count = std::min(values.size() - first, 1 + g() % most);
        const float* begin = values.data() + first;
        result.emplace_back(begin, begin + count);
        first += count;
    }
    return result;
}

/// What the tallies have to be, from the sentence that defines them.
std::vector<tally> expected_bins(const std::vector<float>& values) {
    float amax = 0.0f;
    for (const float v : values)
        amax = std::max(amax, std::abs(v));
    const auto [lo, hi] = observe::extrema(values);
    double width = std::ldexp(1.0, -200);
    while (amax >= width * sketch::bins_a_side)
        width *= 2.0;
    std::map<float, std::uint64_t> bins;
    for (const float v : values) {
        const double centre = (std::floor(std::abs(double{v}) / width) + 0.5) * width;
        ++bins[v == 0.0f ? 0.0f : std::clamp(static_cast<float>(std::copysign(centre, v)), lo, hi)];
    }
    std::vector<tally> result;
    for (const auto& [value, count] : bins)
        result.push_back({value, count});
    return result;
}

} // namespace

BOOST_AUTO_TEST_SUITE(observe_sketch)

BOOST_AUTO_TEST_CASE(few_values_are_kept_as_they_are) {
    const sketch seen = observed(sketch{}, {{3.0f, -1.0f, 0.0f}, {3.0f, -0.0f, 2.5f}});
    const std::vector<tally> expected{{-1.0f, 1}, {0.0f, 2}, {2.5f, 1}, {3.0f, 2}};
    BOOST_TEST(seen.tallies() == expected, boost::test_tools::per_element());
    BOOST_TEST(seen.reach() == 0.0f);
    BOOST_TEST(seen.range() == (quantal::range{-1.0f, 3.0f}));
    BOOST_TEST(seen.updates().size() == 2u);
    BOOST_TEST(seen.updates()[1] == (quantal::range{-0.0f, 3.0f}));
}

BOOST_AUTO_TEST_CASE(many_values_become_bins_of_the_written_width) {
    auto g = support::generator();
    for (const std::size_t count : {sketch::most_values + 1, std::size_t{50000}}) {
        const std::vector<float> values = many_values(g, count);
        const sketch seen = observed(sketch{}, {values});
        BOOST_TEST(seen.tallies() == expected_bins(values), boost::test_tools::per_element());
        const auto [lo, hi] = seen.range();
        const float amax = std::max(-lo, hi);
        BOOST_TEST(seen.reach() <= amax / sketch::bins_a_side);
        BOOST_TEST(seen.reach() > amax / (4 * sketch::bins_a_side));
    }
}

BOOST_AUTO_TEST_CASE(tallies_depend_on_the_values_only) {
    auto g = support::generator();
    for (const std::size_t count : {std::size_t{100}, sketch::most_values, std::size_t{40000}}) {
        std::vector<float> values = many_values(g, count);
        const std::vector<tally> expected = observed(sketch{}, {values}).tallies();
        for (const std::size_t most : {std::size_t{7}, std::size_t{1000}, std::size_t{30000}}) {
            std::shuffle(values.begin(), values.end(), g);
            const updates data = cut(g, values, most);
            BOOST_TEST((observed(sketch{}, data).tallies() == expected));
            sketch total;
            for (std::size_t first = 0; first < data.size(); first += 3) {
                const auto begin = data.begin() + static_cast<std::ptrdiff_t>(first);
                const auto size =
                    static_cast<std::ptrdiff_t>(std::min<std::size_t>(3, data.size() - first));
                total.merge(observed(sketch{}, updates(begin, begin + size)));
            }
            BOOST_TEST((total.tallies() == expected));
            BOOST_TEST(total.updates().size() == data.size());
        }
    }
}

BOOST_AUTO_TEST_CASE(growing_ranges_and_zeros_end_where_all_at_once_does) {
    // Each update is larger than the one before; the first ones hold nothing but zeros.
    const std::vector<float> zeros(sketch::most_values + 1, 0.0f);
    updates data{zeros, zeros};
    std::vector<float> all;
    for (int exponent = -149; exponent < 128; ++exponent)
        data.push_back({std::ldexp(1.0f, exponent), -std::ldexp(1.0f, exponent - 3)});
    for (const auto& values : data)
        all.insert(all.end(), values.begin(), values.end());
    const std::vector<tally> expected = observed(sketch{}, {all}).tallies();
    BOOST_TEST((observed(sketch{}, data).tallies() == expected));
    const updates backwards(data.rbegin(), data.rend());
    BOOST_TEST((observed(sketch{}, backwards).tallies() == expected));
    BOOST_TEST((observed(sketch{}, {zeros}).tallies() == std::vector<tally>{{0.0f, zeros.size()}}));
}

BOOST_AUTO_TEST_SUITE_END()
