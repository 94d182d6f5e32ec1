// SPDX-License-Identifier: Apache-2.0
#include <quantal/observe/sparsebit.hpp>

#include "support/random.hpp"

#include <quantal/spec/text.hpp>

using namespace quantal;

namespace {

template <observer O>
range range_after(O o, const std::vector<float>& values, qspec spec = a8) {
    o.observe(values);
    return range_of(o, spec);
}

} // namespace

BOOST_AUTO_TEST_SUITE(observe_sparsebit)

BOOST_AUTO_TEST_CASE(percentile_is_the_kth_value_of_each_sign) {
    auto g = support::generator();
    for (const std::int64_t count : {1, 9, 1000, 5001}) {
        const tensor<float> x = support::normal(g, {count});
        std::vector<float> values(x.values().begin(), x.values().end());
        std::sort(values.begin(), values.end());
        const auto negative =
            std::count_if(values.begin(), values.end(), [](float v) { return v < 0.0f; });
        for (const double share : {0.001, 0.01, 0.2}) {
            const long top = std::lrint(static_cast<double>(count - negative) * share);
            const long low = std::max(std::lrint(static_cast<double>(negative) * share), 1l);
            const range r = range_after(observe::sparsebit_percentile(share), values);
            BOOST_TEST(
                r.hi ==
                (negative == count ? 0.0f : values[static_cast<std::size_t>(count - top - 1)]));
            BOOST_TEST(r.lo == (negative == 0 ? 0.0f : values[static_cast<std::size_t>(low - 1)]));
        }
    }
}

BOOST_AUTO_TEST_CASE(mse_by_hand) {
    // Codes of 2 bits: [0, 3] has them all; for many values at 1 and one at 3.3 the best step is
    // 1.001, which f = 0.91 gives.
    std::vector<float> values{0.0f, 1.0f, 2.0f, 3.0f};
    const qspec spec = parse_spec("a2");
    BOOST_TEST((range_after(observe::sparsebit_mse{}, values, spec) == range{0.0f, 3.0f}));
    values.assign(1000, 1.0f);
    values.push_back(3.3f);
    const range r = range_after(observe::sparsebit_mse{}, values, spec);
    BOOST_TEST(r.lo == 0.0f);
    BOOST_TEST(r.hi == 3.3f * (1.0f - 0.01f * 9.0f));
    // All below 0: the range goes on to 0.
    BOOST_TEST(
        (range_after(observe::sparsebit_mse{}, {-3.0f, -1.0f, -2.0f}, spec) == range{-3.0f, 0.0f}));
}

BOOST_AUTO_TEST_CASE(kl_is_a_share_of_the_largest) {
    const std::vector<float> values{-2.0f, 0.25f, 1.0f};
    BOOST_TEST(range_after(observe::sparsebit_kl{}, values, parse_spec("a8")).hi ==
               2.0f * 769.0f / 1024.0f);
    BOOST_TEST(range_after(observe::sparsebit_kl{}, values, parse_spec("a4")).lo ==
               -2.0f * 1009.0f / 1024.0f);
}

BOOST_AUTO_TEST_CASE(kl_refuses_more_than_8_bits) {
    BOOST_CHECK_EXCEPTION(range_after(observe::sparsebit_kl{}, {1.0f}, parse_spec("a16")),
                          spec_error, [](const spec_error& e) {
                              return e.what() == std::string("sparsebit:kl has no range for 16 "
                                                             "bits; it takes 1 to 8");
                          });
}

BOOST_AUTO_TEST_CASE(percentile_refuses_shares) {
    for (const double share : {-0.1, 0.5, std::nan("")}) {
        BOOST_CHECK_THROW(observe::sparsebit_percentile{share}, spec_error);
        BOOST_CHECK_THROW(observe::percentile{share}, spec_error);
    }
}

BOOST_AUTO_TEST_CASE(aciq_by_hand) {
    using observe::distribution;
    // Sparsebit's tables: (bits, Gauss, Laplace), of values of both signs.
    const std::vector<float> values{-1.0f, 0.0f, 1.0f, 4.0f};
    const double gauss = 5.0 * 0.5402 / std::sqrt(2.0 * std::log(4.0)); // its constant, rounded
    const double laplace = (2.0 + 1.0 + 0.0 + 3.0) / 4.0;
    for (const auto& [bits, of_gauss, of_laplace] :
         {std::tuple{2, 1.71, 2.83}, {4, 2.55, 5.03}, {8, 3.92, 9.89}})
        for (const bool is_symmetric : {false, true}) {
            const qspec spec = parse_spec((is_symmetric ? "w" : "a") + std::to_string(bits));
            const range g = range_after(observe::sparsebit_aciq{}, values, spec);
            const range l =
                range_after(observe::sparsebit_aciq{distribution::laplace}, values, spec);
            // Two digits of a table that cuts off the rest: up to 0.01 of 1.24 to 9.89.
            BOOST_TEST(double{g.hi} == gauss * of_gauss, boost::test_tools::tolerance(0.005));
            BOOST_TEST(double{l.hi} == laplace * of_laplace, boost::test_tools::tolerance(0.005));
            BOOST_TEST(g.lo == -g.hi);
            BOOST_TEST(l.lo == -l.hi);
        }
}

BOOST_AUTO_TEST_CASE(aciq_of_one_sign_counts_the_values_of_an_image) {
    observe::sparsebit_aciq o;
    o.observe(std::vector<float>{0.0f, 1.0f, 2.0f});
    o.observe(std::vector<float>{0.5f, 0.5f, 3.0f});
    const double spread = 3.0 * 0.5402 / std::sqrt(2.0 * std::log(3.0));
    BOOST_TEST(o.range(a8).lo == 0.0f);
    BOOST_TEST(double{o.range(a8).hi} == 4.2 * spread, boost::test_tools::tolerance(0.005));
    BOOST_TEST(double{o.range(parse_spec("w8")).hi} == 3.92 * spread,
               boost::test_tools::tolerance(0.005));
    // One value has no width.
    BOOST_TEST((range_after(observe::sparsebit_aciq{}, {2.0f}) == range{0.0f, 0.0f}));
}

BOOST_AUTO_TEST_SUITE_END()
