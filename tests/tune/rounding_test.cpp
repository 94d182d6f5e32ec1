// SPDX-License-Identifier: Apache-2.0
/// Ways of choosing steps, beside all the steps that there are.
#include "support/random.hpp"

#include <quantal/tune/by_name.hpp>

#include <boost/test/unit_test.hpp>

using namespace quantal;
using tune::rounding_problem;
using tune::step_counts;

namespace {

/// Weights of 3 bits over inputs that depend on each other: moments of `3 * depth` random images,
/// and outputs that are those of the weights.
rounding_problem random_problem(std::mt19937& g, std::size_t rows, std::size_t depth) {
    const auto n = static_cast<std::int64_t>(depth);
    const tensor<float> mixed = support::normal(g, {3 * n, n}), mixer = support::normal(g, {n, n});
    std::vector<float> x(mixed.size());
    for (std::size_t s = 0; s < 3 * depth; ++s)
        for (std::size_t k = 0; k < depth; ++k)
            for (std::size_t j = 0; j < depth; ++j)
                x[s * depth + k] += mixed[s * depth + j] * mixer[j * depth + k];
    rounding_problem p{
        rows, depth, std::vector<double>(depth * depth), std::vector<double>(rows * depth), {}, {},
        {},   {}};
    for (std::size_t s = 0; s < 3 * depth; ++s)
        for (std::size_t i = 0; i < depth; ++i)
            for (std::size_t j = 0; j < depth; ++j)
                p.moments[i * depth + j] += double{x[s * depth + i]} * x[s * depth + j];
    const auto weights = support::normal(g, {static_cast<std::int64_t>(rows), n});
    p.weights.assign(weights.values().begin(), weights.values().end());
    for (std::size_t i = 0; i < p.size(); ++i) {
        p.scales.push_back(i / depth % 2 == 0 ? 0.75f : 0.5f);
        p.lo.push_back(-3);
        p.hi.push_back(3);
        for (std::size_t k = 0; k < depth; ++k)
            p.target[i / depth * depth + k] += p.weights[i] * p.moment(i % depth, k);
    }
    return p;
}

/// The least cost of a row over all steps from `lo` to `hi`.
double least_cost(const rounding_problem& p, std::size_t row, step_counts lo,
                  const step_counts& hi) {
    double least = p.cost(row, lo);
    step_counts steps = lo;
    for (std::size_t k = row * p.depth; k < (row + 1) * p.depth;) {
        if (steps[k] == hi[k]) {
            steps[k] = lo[k];
            ++k;
            continue;
        }
        ++steps[k];
        least = std::min(least, p.cost(row, steps));
        k = row * p.depth;
    }
    return least;
}

/// How much a method takes of what can be gained over the nearest steps, all rows of all problems
/// together; it checks that no row is worse and all steps are allowed.
template <tune::rounding_method R>
double share_of_gain(const R& method, std::size_t depth, int problems) {
    auto g = support::generator();
    thread_pool one(1), three(3);
    double gained = 0.0, possible = 0.0;
    for (int i = 0; i < problems; ++i) {
        const rounding_problem p = random_problem(g, 4, depth);
        const step_counts plain = tune::nearest{}(p, one), found = method(p, one);
        BOOST_TEST(found == method(p, three), boost::test_tools::per_element());
        for (std::size_t k = 0; k < p.size(); ++k)
            BOOST_TEST((found[k] >= p.lo[k] && found[k] <= p.hi[k]));
        for (std::size_t row = 0; row < p.rows; ++row) {
            const double before = p.cost(row, plain);
            // Costs are sums of some hundred products in float64.
            BOOST_TEST(p.cost(row, found) <= before + 1e-12 * std::abs(before));
            gained += before - p.cost(row, found);
            possible += before - least_cost(p, row, p.lo, p.hi);
        }
    }
    return gained / possible;
}

} // namespace

BOOST_AUTO_TEST_SUITE(tune_rounding)

BOOST_AUTO_TEST_CASE(cost_and_gradient_by_hand) {
    // Moments [2 1; 1 3], steps of 0.5, weights (1, -0.5): H w = (1.5, -0.5).
    const rounding_problem p{1,        2,     {2, 1, 1, 3}, {1, 0}, {0.9f, -0.4f}, {0.5f, 0.5f},
                             {-3, -3}, {3, 3}};
    const step_counts steps{2, -1};
    BOOST_TEST(p.half_gradient(0, steps) == (std::vector{0.5, -0.5}),
               boost::test_tools::per_element());
    BOOST_TEST(p.cost(0, steps) == (1.5 * 1.0 + -0.5 * -0.5) - 2.0 * 1.0);
}

BOOST_AUTO_TEST_CASE(nearest_rounds_to_even_and_clamps) {
    thread_pool one(1);
    const rounding_problem p{1,
                             4,
                             std::vector<double>(16),
                             std::vector<double>(4),
                             {0.25f, 0.75f, -9.0f, 0.3f},
                             {0.5f, 0.5f, 0.5f, 0.5f},
                             {-3, -3, -3, 1},
                             {3, 3, 3, 3}};
    BOOST_TEST(tune::nearest{}(p, one) == (step_counts{0, 2, -3, 1}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_weight_that_is_alone_has_its_nearest_step) {
    auto g = support::generator();
    thread_pool one(1);
    const rounding_problem p = random_problem(g, 50, 1);
    const step_counts plain = tune::nearest{}(p, one);
    BOOST_TEST(tune::descent{}(p, one) == plain, boost::test_tools::per_element());
    BOOST_TEST(tune::adaround{}(p, one) == plain, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(descent_takes_most_of_what_brute_force_gains) {
    BOOST_TEST(share_of_gain(tune::descent{}, 4, 20) > 0.7);
}

BOOST_AUTO_TEST_CASE(adaround_takes_most_of_what_brute_force_gains) {
    BOOST_TEST(share_of_gain(tune::adaround{}, 4, 20) > 0.8);
}

BOOST_AUTO_TEST_CASE(no_single_change_improves_what_descent_found) {
    auto g = support::generator();
    thread_pool one(1);
    const rounding_problem p = random_problem(g, 3, 20);
    step_counts steps = tune::descent{}(p, one);
    for (std::size_t row = 0; row < p.rows; ++row) {
        const double least = p.cost(row, steps);
        for (std::size_t i = row * p.depth; i < (row + 1) * p.depth; ++i)
            for (const std::int32_t other : {-3, -2, -1, 0, 1, 2, 3}) {
                const std::int32_t kept = std::exchange(steps[i], other);
                BOOST_TEST(p.cost(row, steps) >= least - 1e-9 * std::abs(least));
                steps[i] = kept;
            }
    }
}

BOOST_AUTO_TEST_CASE(inputs_that_never_move_leave_their_weights_nearest) {
    thread_pool one(1);
    rounding_problem p{1,        2,     {4, 0, 0, 0}, {4 * 0.7, 0}, {0.7f, 0.6f}, {1.0f, 1.0f},
                       {-3, -3}, {3, 3}};
    for (const step_counts& steps : {tune::descent{}(p, one), tune::adaround{}(p, one)})
        BOOST_TEST(steps == (step_counts{1, 1}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(names_of_ways_to_round) {
    const auto index = [](std::string_view text) {
        return tune::with_rounding(text, []<class R>(const R&) {
            return std::is_same_v<R, tune::nearest>    ? 0
                   : std::is_same_v<R, tune::descent>  ? 1
                   : std::is_same_v<R, tune::adaround> ? 2
                                                       : 3;
        });
    };
    BOOST_TEST(index("nearest") == 0);
    BOOST_TEST(index("descent") == 1);
    BOOST_TEST(index("adaround") == 2);
    BOOST_TEST(index("adaround:block") == 3);
    BOOST_CHECK_EXCEPTION(index("up"), spec_error, [](const spec_error& e) {
        return std::string(e.what()) ==
               "there is no rounding \"up\"; there are nearest, descent, adaround and "
               "adaround:block";
    });
}

BOOST_AUTO_TEST_SUITE_END()
