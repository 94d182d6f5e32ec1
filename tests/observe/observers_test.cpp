// SPDX-License-Identifier: Apache-2.0
/// The observers that quantal ships, and how a program names them.
#include "observe/observers.hpp"

#include "support/random.hpp"

#include <quantal/observe/by_name.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>

using namespace quantal;
using observe::minmax;
using observe::moving_average;
using support::merged;
using support::observed;
using support::updates;

namespace {

constexpr quantal::range constant_minmax() {
    minmax o, later;
    o.observe(std::array{1.0f, -2.0f});
    later.observe(std::array{0.5f, 3.0f});
    o.merge(later);
    return o.range();
}
static_assert(constant_minmax() == quantal::range{-2.0f, 3.0f});

struct no_merge {
    void observe(std::span<const float>) {}
    [[nodiscard]] quantal::range range() const { return {}; }
};
struct no_observe {
    void merge(const no_observe&) {}
    [[nodiscard]] quantal::range range() const { return {}; }
};
struct no_range {
    void observe(std::span<const float>) {}
    void merge(const no_range&) {}
};
struct range_is_a_number : no_range {
    [[nodiscard]] float range() const { return 1.0f; }
};
struct range_for_a_spec : no_range {
    [[nodiscard]] quantal::range range(qspec) const { return {}; }
};
static_assert(observer<minmax> && observer<moving_average> && observer<range_for_a_spec>);
static_assert(!observer<no_merge> && !observer<no_observe> && !observer<no_range> &&
              !observer<range_is_a_number> && !observer<int>);

/// Observing in two parts and merging them is observing at once, for every split; merging is
/// associative.
template <observer O>
void check_merge(const O& fresh) {
    auto g = support::generator();
    for (std::size_t count = 1; count <= 12; ++count) {
        const updates data = support::random_updates(g, count);
        const quantal::range at_once = observed(fresh, data).range();
        const auto part = [&](std::size_t from, std::size_t to) {
            return observed(fresh, updates(data.begin() + static_cast<std::ptrdiff_t>(from),
                                           data.begin() + static_cast<std::ptrdiff_t>(to)));
        };
        for (std::size_t i = 0; i <= count; ++i)
            for (std::size_t j = i; j <= count; ++j) {
                const O a = part(0, i), b = part(i, j), c = part(j, count);
                BOOST_TEST(merged(merged(a, b), c).range() == at_once);
                BOOST_TEST(merged(a, merged(b, c)).range() == at_once);
            }
    }
}

} // namespace

BOOST_AUTO_TEST_SUITE(observers)

BOOST_AUTO_TEST_CASE(minmax_by_hand) {
    minmax o;
    o.observe(std::array{3.0f});
    BOOST_TEST(o.range() == (quantal::range{3.0f, 3.0f})); // 0 is added by calibrate only
    o.observe(std::array{-1.0f, 2.0f, 0.0f});
    BOOST_TEST(o.range() == (quantal::range{-1.0f, 3.0f}));
    o.observe(std::array{0.0f});
    BOOST_TEST(o.range() == (quantal::range{-1.0f, 3.0f}));
    BOOST_TEST(observed(minmax{}, {{-4.0f, -8.0f}}).range() == (quantal::range{-8.0f, -4.0f}));
}

BOOST_AUTO_TEST_CASE(minmax_takes_the_extrema_of_everything_in_any_order) {
    auto g = support::generator();
    for (std::size_t count = 1; count <= 20; ++count) {
        updates data = support::random_updates(g, count);
        std::vector<float> all;
        for (const auto& values : data)
            all.insert(all.end(), values.begin(), values.end());
        const auto [lo, hi] = std::minmax_element(all.begin(), all.end());
        const quantal::range expected{*lo, *hi};
        BOOST_TEST(observed(minmax{}, data).range() == expected);
        BOOST_TEST(observed(minmax{}, {all}).range() == expected);
        std::shuffle(data.begin(), data.end(), g);
        BOOST_TEST(observed(minmax{}, data).range() == expected);
    }
}

BOOST_AUTO_TEST_CASE(merged_observers_are_one_observer_of_all_the_data) {
    check_merge(minmax{});
    check_merge(moving_average{});
    check_merge(moving_average{.weight_of_new = 0.7f});
    check_merge(observe::percentile{0.2});
}

BOOST_AUTO_TEST_CASE(moving_average_by_hand) {
    const moving_average fresh{.weight_of_new = 0.25f};
    BOOST_TEST(observed(fresh, {{4.0f, -8.0f}}).range() == (quantal::range{-8.0f, 4.0f}));
    BOOST_TEST(observed(fresh, {{4.0f, -8.0f}, {8.0f}}).range() == (quantal::range{-4.0f, 5.0f}));
    BOOST_TEST(observed(fresh, {{4.0f, -8.0f}, {8.0f}, {1.0f, 0.0f}}).range() ==
               (quantal::range{-3.0f, 4.0f}));
}

BOOST_AUTO_TEST_CASE(moving_average_starts_at_the_first_value_not_at_zero) {
    for (const float weight : {0.01f, 0.1f, 0.5f, 1.0f})
        BOOST_TEST(observed(moving_average{.weight_of_new = weight}, {{5.0f, 7.0f}}).range() ==
                   (quantal::range{5.0f, 7.0f}));
}

BOOST_AUTO_TEST_CASE(moving_average_counts_calls_not_values) {
    const moving_average fresh{.weight_of_new = 0.5f};
    const updates apart{{0.0f, 8.0f}, {0.0f, 4.0f}, {0.0f, 2.0f}};
    BOOST_TEST(observed(fresh, apart).range() == (quantal::range{0.0f, 4.0f}));
    BOOST_TEST(observed(fresh, {{0.0f, 8.0f, 4.0f, 2.0f}}).range() == (quantal::range{0.0f, 8.0f}));
}

BOOST_AUTO_TEST_CASE(moving_average_depends_on_the_order_of_the_data) {
    const moving_average fresh{.weight_of_new = 0.5f};
    const updates rising{{2.0f}, {4.0f}, {8.0f}};
    const updates falling{{8.0f}, {4.0f}, {2.0f}};
    BOOST_TEST(observed(fresh, rising).range() == (quantal::range{5.5f, 5.5f}));
    BOOST_TEST(observed(fresh, falling).range() == (quantal::range{4.0f, 4.0f}));
    const auto first = observed(fresh, {{2.0f}});
    const auto later = observed(fresh, {{8.0f}, {8.0f}});
    BOOST_TEST(merged(first, later).range() == (quantal::range{6.5f, 6.5f}));
    BOOST_TEST(merged(later, first).range() == (quantal::range{5.0f, 5.0f}));
}

BOOST_AUTO_TEST_CASE(moving_average_of_weight_one_is_the_last_update) {
    auto g = support::generator();
    const updates data = support::random_updates(g, 10);
    BOOST_TEST(observed(moving_average{.weight_of_new = 1.0f}, data).range() ==
               observed(minmax{}, {data.back()}).range());
}

BOOST_AUTO_TEST_CASE(moving_average_follows_the_formula_of_the_contract_bit_by_bit) {
    // docs/arithmetic.md, 11; volatile keeps the test's own products out of a fused multiply-add.
    auto g = support::generator();
    const updates data = support::random_updates(g, 100);
    const float a = 0.1f;
    float lo = 0.0f, hi = 0.0f;
    for (std::size_t i = 0; i < data.size(); ++i) {
        const auto [least, most] = std::minmax_element(data[i].begin(), data[i].end());
        const auto next = [&](float value, float seen) {
            const volatile float kept = value * (1.0f - a);
            const volatile float added = seen * a;
            return i == 0 ? seen : kept + added;
        };
        lo = next(lo, *least);
        hi = next(hi, *most);
    }
    BOOST_TEST(observed(moving_average{.weight_of_new = a}, data).range() ==
               (quantal::range{lo, hi}));
}

/// The type of an observer that a program named, and its parameter.
struct name_of {
    std::string operator()(const minmax&) const { return "minmax"; }
    std::string operator()(const moving_average& o) const {
        return "moving average " + std::to_string(o.weight_of_new);
    }
    std::string operator()(const observe::percentile& o) const {
        return "percentile " + std::to_string(o.clipped());
    }
    std::string operator()(const observe::mse&) const { return "mse"; }
    std::string operator()(const observe::kl&) const { return "kl"; }
    std::string operator()(const observe::sparsebit_percentile&) const { return "s percentile"; }
    std::string operator()(const observe::sparsebit_mse&) const { return "s mse"; }
    std::string operator()(const observe::sparsebit_kl&) const { return "s kl"; }
    std::string operator()(const observe::sparsebit_aciq& o) const {
        return o.assumed() == observe::distribution::gauss ? "s aciq gauss" : "s aciq laplace";
    }
    std::string operator()(const observe::aciq& o) const {
        return o.assumed() == observe::distribution::gauss ? "aciq, Gauss" : "aciq, Laplace";
    }
};

BOOST_AUTO_TEST_CASE(names_of_observers) {
    const auto named = [](std::string_view text) {
        return observe::with_observer(text, name_of{});
    };
    BOOST_TEST(named("minmax") == "minmax");
    BOOST_TEST(named("mse") == "mse");
    BOOST_TEST(named("kl") == "kl");
    BOOST_TEST(named("aciq") == "aciq, Gauss");
    BOOST_TEST(named("aciq:gauss") == "aciq, Gauss");
    BOOST_TEST(named("aciq:laplace") == "aciq, Laplace");
    BOOST_TEST(named("moving_average") == "moving average 0.100000");
    BOOST_TEST(named("moving_average:0.25") == "moving average 0.250000");
    BOOST_TEST(named("moving_average:1") == "moving average 1.000000");
    BOOST_TEST(named("moving_average:1e-3") == "moving average 0.001000");
    BOOST_TEST(named("percentile") == "percentile 0.000100");
    BOOST_TEST(named("percentile:0.25") == "percentile 0.250000");
    BOOST_TEST(named("percentile:0") == "percentile 0.000000");
    BOOST_TEST(named("sparsebit:percentile") == "s percentile");
    BOOST_TEST(named("sparsebit:mse") == "s mse");
    BOOST_TEST(named("sparsebit:kl") == "s kl");
    BOOST_TEST(named("sparsebit:aciq") == "s aciq gauss");
    BOOST_TEST(named("sparsebit:aciq-laplace") == "s aciq laplace");
}

BOOST_AUTO_TEST_CASE(names_of_no_observer_are_refused_with_those_there_are) {
    const auto refusal = [](std::string_view text) {
        return support::message_of([&] { observe::with_observer(text, [](const auto&) {}); });
    };
    for (const std::string text :
         {"", "MinMax", "minmax:1", "moving", "moving_average2", "minmax ", "mse:", "kl:2",
          "aciq:", "aciq:normal", "sparsebit", ":", "percentiles"})
        BOOST_TEST(
            refusal(text) ==
            "there is no observer \"" + text +
                "\"; there are minmax, moving_average[:WEIGHT], percentile[:SHARE], mse, "
                "kl, aciq[:gauss|laplace] and sparsebit:percentile|mse|kl|aciq|aciq-laplace");
    for (const std::string weight :
         {"", "0", "-0.1", "1.0001", "nan", "inf", "0.1x", "x", " 0.1", "1e-60", "0,1"})
        BOOST_TEST(refusal("moving_average:" + weight) ==
                   "the weight of a moving average's new value is \"" + weight +
                       "\"; it lies above 0 and is at most 1");
    for (const std::string share : {"", "0.5", "-0.1", "nan", "0.1x", "1"})
        BOOST_TEST(refusal("percentile:" + share) ==
                   "the share that a percentile leaves out is \"" + share +
                       "\"; it is at least 0 and below 0.5");
}

BOOST_AUTO_TEST_CASE(every_observer_is_solved_from_one_sketch) {
    auto g = support::generator();
    const updates data = support::random_updates(g, 5000);
    const auto seen = observed(observe::sketch{}, data);
    for (const char* name :
         {"minmax", "moving_average:0.3", "percentile:0.01", "mse", "kl", "aciq", "aciq:laplace"})
        for (const qspec s : {a4, a8, qspec{.bits = 4}})
            observe::with_observer(name, [&](const auto& fresh) {
                BOOST_TEST(solve(fresh, seen, s) == range_of(observed(fresh, data), s));
            });
}

BOOST_AUTO_TEST_SUITE_END()
