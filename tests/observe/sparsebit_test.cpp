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

BOOST_AUTO_TEST_SUITE_END()
