// SPDX-License-Identifier: Apache-2.0
/// The values: every code of every spec, and the reals between and beyond them.
#include "ops/specs.hpp"

#include "support/random.hpp"

#include <quantal/ops/quantize.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

using namespace quantal;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();

/// Whether codes that are dequantized, quantized, packed and unpacked are the codes they were.
bool survives(const qparams& p, const extents& shape, const std::vector<std::int32_t>& codes) {
    const any_qtensor before(p, shape, codes);
    const any_qtensor after = quantize(dequantize(before), p);
    return std::ranges::equal(before.codes().values(), codes) && after == before;
}

/// `n / 16` to the nearest integer, ties to even, without a float.
constexpr std::int32_t nearest(std::int32_t n) {
    const std::int32_t floor = n >> 4;
    const std::int32_t rest = n & 15;
    return floor + (rest > 8 || (rest == 8 && floor % 2 != 0) ? 1 : 0);
}

/// Calls `f` with parameters of every width, scheme and zero point, one scale a tensor: one of
/// `scales_of(spec)`.
void for_all_params(std::size_t scale_index, const auto& f) {
    for (const qspec& s : support::every_width_and_scheme())
        for (const std::int32_t zero : support::zero_points_of(s)) {
            const float scale = support::scales_of(s)[scale_index];
            BOOST_TEST_CONTEXT(s << " scale " << scale << " zero point " << zero)
            f(qparams{s, {scale}, {zero}});
        }
}

/// Reals from a little below the range of the codes to a little above, ascending, some three a
/// code.
tensor<float> sweep(const qparams& p) {
    const std::int64_t count = 999 + (p.spec.bits > 8 ? 3 * (p.spec.qmax() - p.spec.qmin()) : 0);
    tensor<float> x({count});
    const float first = p.dequantize(p.spec.qmin()) - 2 * p.scale();
    const float last = p.dequantize(p.spec.qmax()) + 2 * p.scale();
    for (std::size_t i = 0; i < x.size(); ++i)
        x[i] = first + (last - first) * (static_cast<float>(i) / static_cast<float>(count - 1));
    return x;
}

/// Codes of every width and scheme for reals around the range: once a constant, once at run time.
constexpr std::array inputs{0.0f,      -0.0f, 0.05f, 0.15f,  -0.25f,   0.35f,    1.249f, -3.2f,
                            6.35f,     12.7f, 25.5f, -12.8f, -12.85f,  1e9f,     -1e30f, 0.45f,
                            0x1p-149f, 0.65f, -0.7f, 3.05f,  infinity, -infinity};
using code_table = std::array<std::int32_t, 9 * 4 * inputs.size()>;

constexpr code_table evaluate(const std::array<float, inputs.size()>& values) {
    code_table table{};
    std::size_t next = 0;
    for (const int bits : {1, 2, 3, 4, 5, 6, 7, 8, 16})
        for (const scheme kind :
             {scheme::symmetric, scheme::symmetric_full, scheme::affine, scheme::affine_signed})
            for (const float v : values) {
                const qspec s{.bits = bits, .kind = kind};
                const std::int32_t zero = s.is_symmetric() ? 0 : (s.qmin() + s.qmax()) / 2;
                const auto q = arith::quantize(v, 0.1f, zero, s.qmin(), s.qmax());
                const float back = arith::dequantize(q, values[4], zero);
                table[next++] = q * 1000 + static_cast<std::int32_t>(back * 4); // a quarter each
            }
    return table;
}

} // namespace

BOOST_AUTO_TEST_SUITE(ops_quantize)

BOOST_AUTO_TEST_CASE(every_code_of_every_spec_survives_a_round_trip_per_tensor) {
    for (std::size_t scale = 0; scale < 5; ++scale)
        for_all_params(scale, [](const qparams& p) {
            const auto codes = support::codes_of(p.spec);
            BOOST_TEST(survives(p, {static_cast<std::int64_t>(codes.size())}, codes));
        });
}

BOOST_AUTO_TEST_CASE(every_code_of_every_spec_survives_a_round_trip_per_channel) {
    constexpr std::size_t channels = 7;
    for (const qspec& s : support::every_width_and_scheme()) {
        const auto codes = support::codes_of(s);
        const auto count = static_cast<std::int64_t>(codes.size());
        std::vector<std::int32_t> rows, columns; // all codes in each channel
        for (std::size_t c = 0; c < channels; ++c)
            rows.insert(rows.end(), codes.begin(), codes.end());
        for (const std::int32_t code : codes)
            columns.insert(columns.end(), channels, code);
        BOOST_TEST_CONTEXT(s) {
            BOOST_TEST(survives(support::channel_params(s, 0, channels), {channels, count}, rows));
            BOOST_TEST(
                survives(support::channel_params(s, 1, channels), {count, channels}, columns));
        }
    }
}

BOOST_AUTO_TEST_CASE(each_channel_has_its_own_scale_and_zero_point) {
    // Codes of 10 under three sets of parameters, along each axis.
    const std::vector<float> scales{0.5f, 1.0f, 4.0f};
    const std::vector<std::int32_t> zeros{0, 20, 3};
    const std::array<std::int32_t, 3> expected{20, 30, 5}; // 2.5 is a tie
    const tensor<float> rows({3, 2}, std::vector<float>(6, 10.0f));
    const tensor<float> columns({2, 3}, std::vector<float>(6, 10.0f));
    const auto by_row = quantize(rows, qparams{{8, scheme::affine, per_channel, 0}, scales, zeros});
    const auto by_column =
        quantize(columns, qparams{{8, scheme::affine, per_channel, 1}, scales, zeros});
    for (std::size_t i = 0; i < 6; ++i) {
        BOOST_TEST(by_row.code(i) == expected[i / 2]);
        BOOST_TEST(by_column.code(i) == expected[i % 3]);
    }
    BOOST_TEST(dequantize(by_row)[5] == 8.0f);
    BOOST_TEST(dequantize(by_column)[1] == 10.0f);
}

BOOST_AUTO_TEST_CASE(each_group_has_its_own_scale_and_the_last_may_be_shorter) {
    static constexpr qspec w3{.bits = 3, .grain = per_group, .group_size = 2};
    // Groups of 2, 2 and 1 columns in each row; the largest magnitude of each gets code 3.
    const tensor<float> x({2, 5}, {3.0f, 1.0f, -6.0f, 2.0f, 9.0f, //
                                   0.3f, 0.3f, 1.5f, 0.5f, -12.0f});
    const qtensor<w3> codes = quantize<w3>(x);
    const std::vector<float> scales{1.0f, 2.0f, 3.0f, 0.3f / 3.0f, 0.5f, 4.0f};
    BOOST_TEST(codes.params().scales == scales, boost::test_tools::per_element());
    BOOST_TEST(codes.codes().values() ==
                   (std::vector<std::int32_t>{3, 1, -3, 1, 3, 3, 3, 3, 1, -3}),
               boost::test_tools::per_element());
    BOOST_TEST(dequantize(codes)[9] == -12.0f);
    BOOST_TEST(codes.packed().size() == 4u); // 30 bits
}

BOOST_AUTO_TEST_CASE(a_group_of_a_convolutions_weights_holds_whole_kernels) {
    auto g = support::generator();
    const tensor<float> x = support::normal(g, {3, 5, 2, 2});
    const qparams p =
        calibrate({.bits = 4, .grain = per_group, .group_size = 3}, x, observe::minmax{});
    BOOST_REQUIRE(p.scales.size() == 6u); // 3 channels of 2 groups, of 12 and 8 elements
    for (std::size_t c = 0; c < 3; ++c)
        for (std::size_t group = 0; group < 2; ++group) {
            float amax = 0.0f;
            for (std::size_t i = c * 20 + group * 12; i < c * 20 + (group == 0 ? 12 : 20); ++i)
                amax = std::max(amax, std::abs(x[i]));
            BOOST_TEST(p.scale(c * 2 + group) == amax / 7.0f);
        }
}

BOOST_AUTO_TEST_CASE(values_between_codes_go_to_the_nearest_and_ties_to_even) {
    for_all_params(1, [](const qparams& p) {
        const qspec s = p.spec;
        tensor<float> x({(s.qmax() - s.qmin() + 5) * 16});
        std::vector<std::int32_t> expected;
        for (std::size_t i = 0; i < x.size(); ++i) {
            const auto sixteenths =
                static_cast<std::int32_t>(i) + 16 * (s.qmin() - 2 - p.zero_point());
            x[i] = static_cast<float>(sixteenths) / 64.0f; // exact, and so is its quotient
            expected.push_back(
                std::clamp(nearest(sixteenths) + p.zero_point(), s.qmin(), s.qmax()));
        }
        BOOST_TEST(std::ranges::equal(quantize(x, p).codes().values(), expected));
    });
}

BOOST_AUTO_TEST_CASE(the_quotient_is_not_a_product_with_the_reciprocal) {
    // A quotient of two floats rounded to double and then to float is rounded once (53 >= 2*24+2).
    int differences = 0;
    for (const float scale : {0.1f, 0.0073f, 0.3f, 0.7f, 1.0f / 3.0f, 1.3e-5f}) {
        tensor<float> ties({255});
        for (std::size_t i = 0; i < ties.size(); ++i)
            ties[i] = (static_cast<float>(i) + 0.5f) * scale;
        const any_qtensor found = quantize(ties, qparams{a8, {scale}, {0}});
        for (std::size_t i = 0; i < ties.size(); ++i) {
            const auto quotient = static_cast<float>(double{ties[i]} / double{scale});
            BOOST_TEST(found.code(i) == std::min(255L, std::lrint(quotient)));
            differences += std::lrint(ties[i] * (1.0f / scale)) != std::lrint(quotient) ? 1 : 0;
        }
    }
    BOOST_TEST(differences > 0); // the data tells the two apart
}

BOOST_AUTO_TEST_CASE(inside_the_range_the_error_is_half_a_scale) {
    for (const std::size_t scale : {0u, 2u, 4u})
        for_all_params(scale, [](const qparams& p) {
            // The quotient, of a magnitude up to the number of steps, is rounded once, which may
            // choose the further of two codes by 2^-24 of it; the product is rounded once, by as
            // much.
            const double half = 0.5 + (p.spec.qmax() - p.spec.qmin()) * 0x1p-23;
            const tensor<float> x = sweep(p);
            const tensor<float> y = dequantize(quantize(x, p));
            const float lowest = p.dequantize(p.spec.qmin());
            const float highest = p.dequantize(p.spec.qmax());
            double worst = 0.0;
            for (std::size_t i = 0; i < x.size(); ++i) {
                const float inside = std::clamp(x[i], lowest, highest); // clamps as codes do
                worst = std::max(worst, std::abs(double{y[i]} - inside) / p.scale());
            }
            BOOST_TEST(worst <= half);
            BOOST_TEST(worst >= 0.25); // the sweep does go between the codes
        });
}

BOOST_AUTO_TEST_CASE(codes_rise_with_values_and_all_are_taken) {
    for_all_params(4, [](const qparams& p) {
        const tensor<std::int32_t> codes = quantize(sweep(p), p).codes();
        BOOST_TEST(std::ranges::is_sorted(codes.values()));
        const auto expected = support::codes_of(p.spec);
        std::vector<std::int32_t> distinct(codes.values().begin(), codes.values().end());
        distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
        BOOST_TEST(distinct == expected, boost::test_tools::per_element());
    });
}

BOOST_AUTO_TEST_CASE(zero_is_exact_for_calibrated_ranges_of_every_sign) {
    auto g = support::generator();
    for (const qspec& s : support::every_width_and_scheme())
        for (const float shift : {-5.0f, -0.3f, 0.0f, 0.3f, 5.0f}) {
            tensor<float> data = support::normal(g, {50});
            for (float& v : data.values())
                v += shift;
            const qparams p = calibrate(s, data, observe::minmax{});
            const tensor<float> zeros({2}, {0.0f, -0.0f});
            BOOST_TEST_CONTEXT(s << " shift " << shift) {
                BOOST_TEST(quantize(zeros, p).code(0) == p.zero_point());
                BOOST_TEST(quantize(zeros, p).code(1) == p.zero_point());
                BOOST_TEST(support::same_bits(dequantize(quantize(zeros, p)).values(),
                                              std::array{0.0f, 0.0f}));
            }
        }
}

BOOST_AUTO_TEST_CASE(fake_quantize_is_dequantize_of_quantize_bit_by_bit) {
    auto g = support::generator();
    for (const qspec& s : support::every_width_and_scheme()) {
        const tensor<float> x = support::normal(g, {5, 6, 7}, 3.0f);
        const qparams whole{s, {0.1f}, {support::zero_points_of(s).back()}};
        for (const qparams& p :
             {whole, support::channel_params(s, 0, 5), support::channel_params(s, 1, 6),
              support::channel_params(s, 2, 7)}) {
            const tensor<float> expected = dequantize(quantize(x, p));
            const tensor<float> found = fake_quantize(x, p);
            BOOST_TEST(found.shape() == x.shape());
            BOOST_TEST(support::same_bits(found.values(), expected.values()));
        }
    }
}

BOOST_AUTO_TEST_CASE(arrays_have_the_codes_and_reals_of_the_formulas_one_by_one) {
    auto g = support::generator();
    for (const qspec& s : support::every_width_and_scheme())
        for (const std::int64_t rows : {1, 3, 1031}) { // also more than one block of codes
            const tensor<float> x = support::normal(g, {rows, 7}, 3.0f);
            const qparams whole{s, {0.1f}, {support::zero_points_of(s).front()}};
            qspec grouped = s;
            grouped.grain = per_group;
            grouped.group_size = 3;
            const auto groups = static_cast<std::size_t>(rows) * 3;
            const qparams by_group{
                grouped, std::vector<float>(groups, 0.3f),
                std::vector<std::int32_t>(groups, support::zero_points_of(s).back())};
            for (const qparams& p : {whole, support::channel_params(s, 1, 7), by_group}) {
                const slicing slice_of = slicing_of(p.spec, x.shape());
                const any_qtensor q = quantize(x, p);
                const tensor<float> back = dequantize(q);
                std::size_t wrong = 0;
                for (std::size_t i = 0; i < x.size(); ++i) {
                    const std::int32_t code = p.quantize(x[i], slice_of(i));
                    wrong += q.code(i) != code || back[i] != p.dequantize(code, slice_of(i));
                }
                BOOST_TEST(wrong == 0u, p.spec << ", " << rows << " rows");
            }
        }
}

BOOST_AUTO_TEST_CASE(nan_becomes_the_zero_point_and_infinities_clamp) {
    const tensor<float> x({4}, {not_a_number, infinity, -infinity, -not_a_number});
    for_all_params(0, [&](const qparams& p) {
        const std::vector<std::int32_t> expected{p.zero_point(), p.spec.qmax(), p.spec.qmin(),
                                                 p.zero_point()};
        BOOST_TEST(quantize(x, p).codes().values() == expected, boost::test_tools::per_element());
        const tensor<float> y = fake_quantize(x, p);
        BOOST_TEST(y[0] == 0.0f);
        BOOST_TEST(y[1] == p.dequantize(p.spec.qmax()));
        BOOST_TEST(y[2] == p.dequantize(p.spec.qmin()));
    });
}

BOOST_AUTO_TEST_CASE(a_policy_decides_how_quantizing_rounds) {
    const tensor<float> x({2, 3}, {0.5f, 1.5f, -2.5f, 0.49f, 300.0f, not_a_number});
    const qparams p{a8, {1.0f}, {10}};
    const auto codes = [&](const auto& round) {
        const any_qtensor q = quantize(x, p, round);
        BOOST_TEST(support::same_bits(fake_quantize(x, p, round).values(), dequantize(q).values()));
        const tensor<std::int32_t> unpacked = q.codes();
        return std::vector(unpacked.values().begin(), unpacked.values().end());
    };
    using ints = std::vector<std::int32_t>;
    BOOST_TEST(codes(rounding::half_even{}) == (ints{10, 12, 8, 10, 255, 10}),
               boost::test_tools::per_element());
    BOOST_TEST(codes(rounding::half_away{}) == (ints{11, 12, 7, 10, 255, 10}),
               boost::test_tools::per_element());
    ints expected;
    for (std::size_t i = 0; i < x.size(); ++i) // NaN is 0, and 300 is clamped before it is rounded
        expected.push_back(10 + rounding::stochastic{5}(i == 5 ? 0.0f : std::min(x[i], 245.0f), i));
    BOOST_TEST(codes(rounding::stochastic{5}) == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(stochastic_codes_do_not_depend_on_the_layout) {
    auto g = support::generator();
    const tensor<float> x = support::normal(g, {30, 40});
    tensor<float> transposed({40, 30});
    for (std::size_t i = 0; i < 30; ++i)
        for (std::size_t j = 0; j < 40; ++j)
            transposed[j * 30 + i] = x[i * 40 + j];
    const view<const float> strided(transposed.data(), {30, 40}, {1, 30});
    const qparams p = calibrate(a4, x, observe::minmax{});
    const rounding::stochastic round{17};
    BOOST_TEST((quantize(x, p, round) == quantize(strided, p, round)));
    BOOST_TEST((quantize<a4>(x, observe::minmax{}, round) == quantize(x, p, round)));
    BOOST_TEST((quantize(x, p, round) != quantize(x, p, rounding::stochastic{18})));
}

BOOST_AUTO_TEST_CASE(constant_evaluation_equals_run_time) {
    static constexpr code_table constant = evaluate(inputs);
    std::array<float, inputs.size()> hidden{};
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        volatile float v = inputs[i];
        hidden[i] = v;
    }
    BOOST_TEST(evaluate(hidden) == constant, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
