// SPDX-License-Identifier: Apache-2.0
/// What is solved from a sketch: never worse than min-max by its own measure, and what brute force
/// finds where there are few values.
#include "observe/observers.hpp"
#include "support/random.hpp"

#include <quantal/observe/aciq.hpp>
#include <quantal/observe/kl.hpp>
#include <quantal/observe/mse.hpp>
#include <quantal/observe/percentile.hpp>

#include <boost/test/unit_test.hpp>

using namespace quantal;
using observe::distribution;
using observe::sketch;
using observe::tally;
using support::observed;

namespace {

constexpr qspec symmetric(int bits) {
    return {.bits = bits};
}

/// Values with long tails: normal ones, the cube of some.
std::vector<float> long_tailed(std::mt19937& g, std::size_t count, bool rectified) {
    std::normal_distribution<float> distribution(0.2f);
    std::vector<float> values(count);
    for (float& v : values) {
        v = distribution(g);
        if (g() % 8 == 0) v = v * v * v;
        if (rectified) v = std::max(v, 0.0f);
    }
    return values;
}

qparams params_of(qspec s, quantal::range r) {
    return make_qparams(s, {&r, 1}, "test");
}

/// Checks the range that `Solver` gives for every kind of data and spec: its loss is not above that
/// of min-max, nor above that of any range which the search may take, one end free at a time.
template <class Solver, class Loss>
void check_search(Loss&& loss) {
    auto g = support::generator();
    for (const std::size_t count : {std::size_t{5}, std::size_t{200}, std::size_t{20000}})
        for (const bool rectified : {false, true})
            for (const qspec s : {symmetric(2), symmetric(4), symmetric(8), a4, a8,
                                  qspec{3, scheme::affine_signed}}) {
                const Solver seen = observed(Solver{}, {long_tailed(g, count, rectified)});
                const auto [lo, hi] = static_cast<const sketch&>(seen).range();
                const std::vector<tally> values = seen.tallies();
                const quantal::range found = seen.range(s);
                const double least = loss(values, params_of(s, found));
                const bool both_at_once = s.is_symmetric() || rectified;
                for (int i = observe::range_steps; i > 0; --i) {
                    const float f = static_cast<float>(i) / observe::range_steps;
                    BOOST_TEST(least <= loss(values, params_of(s, {lo * f, hi * f})));
                    if (both_at_once) continue;
                    BOOST_TEST(least <= loss(values, params_of(s, {lo * f, found.hi})));
                    BOOST_TEST(least <= loss(values, params_of(s, {found.lo, hi * f})));
                }
            }
}

} // namespace

BOOST_AUTO_TEST_SUITE(observe_solvers)

BOOST_AUTO_TEST_CASE(mse_is_what_brute_force_finds) {
    check_search<observe::mse>(observe::squared_error);
}

BOOST_AUTO_TEST_CASE(kl_is_what_brute_force_finds) {
    check_search<observe::kl>(observe::divergence);
}

BOOST_AUTO_TEST_CASE(mse_clips_an_outlier_that_costs_more_than_it_is_worth) {
    std::vector<float> values(1000);
    for (std::size_t i = 0; i < values.size(); ++i)
        values[i] = static_cast<float>(i) / 1000.0f;
    values.push_back(8.0f);
    const observe::mse seen = observed(observe::mse{}, {values});
    BOOST_TEST(seen.range(activation_spec(8)).hi == 8.0f);
    BOOST_TEST(seen.range(activation_spec(3)).hi < 7.0f);
}

BOOST_AUTO_TEST_CASE(mse_of_zeros_and_of_one_value) {
    BOOST_TEST(observed(observe::mse{}, {{0.0f, 0.0f}}).range(a8) == (quantal::range{0.0f, 0.0f}));
    BOOST_TEST(observed(observe::mse{}, {{5.0f}}).range(a8).hi == 5.0f);
    BOOST_TEST(observed(observe::kl{}, {{0.0f, 0.0f}}).range(a8).hi == 0.0f);
}

BOOST_AUTO_TEST_CASE(squared_error_by_hand) {
    const qparams p{activation_spec(2), {1.0f}, {0}}; // 0, 1, 2, 3
    const std::vector<tally> values{{-1.0f, 2}, {0.0f, 9}, {1.25f, 4}, {5.0f, 1}};
    BOOST_TEST(observe::squared_error(values, p) == 2.0 * 1.0 + 4.0 * 0.0625 + 4.0);
}

BOOST_AUTO_TEST_CASE(divergence_by_hand) {
    // Codes 0 to 3: 0.75 and 1.25 share a code, 9 is beyond the outermost bin that is inside, 3.
    const qparams p{activation_spec(2), {1.0f}, {0}};
    const std::vector<tally> values{{0.0f, 100}, {0.75f, 1}, {1.25f, 3}, {3.0f, 2}, {9.0f, 2}};
    const double expected = 1.0 / 8 * std::log(1.0 / 8 / (2.0 / 6)) +
                            3.0 / 8 * std::log(3.0 / 8 / (2.0 / 6)) +
                            4.0 / 8 * std::log(4.0 / 8 / (2.0 / 6));
    BOOST_TEST(observe::divergence(values, p) == expected, boost::test_tools::tolerance(1e-12));
    BOOST_TEST(observe::divergence(std::vector<tally>{{9.0f, 2}}, p) == HUGE_VAL);
}

BOOST_AUTO_TEST_CASE(percentile_by_hand) {
    std::vector<float> values;
    for (int i = 1; i <= 100; ++i)
        values.push_back(static_cast<float>(i - 50));
    const auto range_of_share = [&](double share) {
        return observed(observe::percentile{share}, {values}).range();
    };
    BOOST_TEST(range_of_share(0.0) == (quantal::range{-49.0f, 50.0f}));
    BOOST_TEST(range_of_share(0.0099) == (quantal::range{-49.0f, 50.0f}));
    BOOST_TEST(range_of_share(0.01) == (quantal::range{-48.0f, 49.0f}));
    BOOST_TEST(range_of_share(0.25) == (quantal::range{-24.0f, 25.0f}));
    BOOST_TEST(observed(observe::percentile{0.4}, {{7.0f}}).range() ==
               (quantal::range{7.0f, 7.0f}));
}

BOOST_AUTO_TEST_CASE(percentile_is_that_of_the_sorted_values_within_one_bin) {
    auto g = support::generator();
    for (const double share : {0.0, 1e-4, 1e-3, 0.1}) {
        std::vector<float> values = long_tailed(g, 50000, false);
        const observe::percentile seen = observed(observe::percentile{share}, {values});
        const auto [lo, hi] = seen.range();
        std::sort(values.begin(), values.end());
        const auto cut = static_cast<std::size_t>(share * 50000);
        const float width = 2 * seen.reach(), exact_lo = values[cut],
                    exact_hi = values[49999 - cut];
        BOOST_TEST(lo <= exact_lo);
        BOOST_TEST(lo >= exact_lo - width);
        BOOST_TEST(hi >= exact_hi);
        BOOST_TEST(hi <= exact_hi + width);
    }
}

BOOST_AUTO_TEST_CASE(sketched_ranges_are_the_exact_ones_within_one_bin) {
    auto g = support::generator();
    // As many values as are kept, four times each: the sketch has bins of what the other keeps.
    for (const bool rectified : {false, true}) {
        const std::vector<float> values = long_tailed(g, sketch::most_values, rectified);
        for (const qspec s : {a4, a8, symmetric(4)}) {
            const auto kept = observed(observe::mse{}, {values});
            const auto binned = observed(observe::mse{}, {values, values, values, values});
            BOOST_TEST(kept.reach() == 0.0f);
            BOOST_TEST(binned.reach() > 0.0f);
            // The losses of neighbouring candidates differ by less than what bins hide.
            const double error =
                observe::squared_error(kept.tallies(), params_of(s, binned.range(s)));
            const double least =
                observe::squared_error(kept.tallies(), params_of(s, kept.range(s)));
            BOOST_TEST(error <= 1.01 * least);
        }
    }
}

BOOST_AUTO_TEST_CASE(cuts_of_aciq_are_the_published_ones) {
    // Banner et al. 2019, as tabulated by its authors: two decimals.
    const std::vector<double> gauss{1.24, 1.71, 2.15, 2.55, 2.93, 3.28, 3.61, 3.92};
    const std::vector<double> laplace{1.86, 2.83, 3.89, 5.03, 6.20, 7.41, 8.64, 9.89};
    for (std::size_t bits = 1; bits <= 8; ++bits) {
        BOOST_TEST(std::abs(observe::detail::best_cuts<distribution::gauss>[bits] -
                            gauss[bits - 1]) < 0.01);
        BOOST_TEST(std::abs(observe::detail::best_cuts<distribution::laplace>[bits] -
                            laplace[bits - 1]) < 0.01);
    }
}

BOOST_AUTO_TEST_CASE(cuts_of_aciq_are_the_least_of_the_expected_error) {
    const auto gauss = [](double a) {
        const double tail = std::erfc(a / std::sqrt(2.0)), density = std::exp(-a * a / 2);
        return (1 + a * a) * tail - std::sqrt(2 / std::acos(-1.0)) * a * density;
    };
    const auto laplace = [](double a) { return 2 * std::exp(-a); };
    for (int bits = 0; bits < 18; ++bits) {
        const auto check = [&](auto&& clipping, double a) {
            const auto error = [&](double x) {
                return clipping(x) + x * x / 3 / std::pow(4.0, bits);
            };
            for (const double factor : {0.5, 0.9, 0.99, 1.01, 1.1, 2.0})
                BOOST_TEST(error(a) < error(a * factor), bits << " bits, " << factor);
        };
        const auto i = static_cast<std::size_t>(bits);
        check(gauss, observe::detail::best_cuts<distribution::gauss>[i]);
        check(laplace, observe::detail::best_cuts<distribution::laplace>[i]);
    }
}

BOOST_AUTO_TEST_CASE(aciq_cuts_at_multiples_of_the_spread_and_never_beyond_the_values) {
    auto g = support::generator();
    std::vector<float> values = support::normal(g, {100000}, 2.0f).values();
    const auto range_under = [&](qspec s, distribution d = distribution::gauss) {
        return observed(observe::aciq{d}, {values}).range(s);
    };
    // 100,000 values: their deviation is that of the distribution within 1 %.
    BOOST_TEST(range_under(symmetric(4)).hi == 2.0f * 2.559f, boost::test_tools::tolerance(0.01f));
    BOOST_TEST(range_under(symmetric(4)).lo == -range_under(symmetric(4)).hi);
    BOOST_TEST(range_under(a4).hi == 2.0f * 2.559f, boost::test_tools::tolerance(0.01f));
    // The mean distance of Gauss's distribution is sqrt(2 / pi) deviations.
    BOOST_TEST(range_under(symmetric(2), distribution::laplace).hi == 2.0f * 0.79788f * 2.831f,
               boost::test_tools::tolerance(0.01f));
    const auto all = observed(sketch{}, {values}).range();
    BOOST_TEST(range_under(activation_spec(16)) == all);
    for (float& v : values)
        v = std::max(v, 0.0f);
    BOOST_TEST(range_under(a4).lo == 0.0f);
    BOOST_TEST(range_under(a4).hi == 2.0f * 2.936f, boost::test_tools::tolerance(0.01f));
    BOOST_TEST(observed(observe::aciq{}, {{0.0f, 0.0f}}).range(a4) == (quantal::range{0.0f, 0.0f}));
}

BOOST_AUTO_TEST_SUITE_END()
