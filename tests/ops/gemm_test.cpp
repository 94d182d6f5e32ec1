// SPDX-License-Identifier: Apache-2.0
#include <quantal/ops/gemm.hpp>

#include "gemm_case.hpp"
#include "kernel/cpu/archs.hpp"
#include "specs.hpp"
#include "support/random.hpp"

#include <boost/test/unit_test.hpp>

using namespace quantal;
using support::gemm_case;
using support::pick;

namespace {

struct size {
    std::int64_t rows, columns, depth;
};

gemm_case random_case(std::mt19937& g, qspec x, qspec w, const size& s, bool extreme = false) {
    gemm_case c{support::random_codes(g, x, {s.rows, s.depth}, extreme),
                support::random_codes(g, w, {s.columns, s.depth}, extreme),
                {}};
    if (pick(g, 0, 2))
        for (std::int64_t n = 0; n < s.columns; ++n)
            c.bias.push_back(std::uniform_real_distribution<float>(-1.0f, 1.0f)(g));
    if (pick(g, 0, 1)) {
        c.has_activation = true;
        c.hi = pick(g, 0, 1) ? 6.0f : std::numeric_limits<float>::infinity();
    }
    return c;
}

template <class Out>
auto epilogue_of(const gemm_case& c, Out out) {
    return epilogue<Out>{c.bias, c.has_activation, {c.lo, c.hi}, out};
}

/// A scale that puts about a third of the outputs inside the codes.
qparams output_of(std::mt19937& g, const gemm_case& c, qspec s) {
    float most = 0.001f;
    for (const float v : c.reals())
        most = std::max(most, std::abs(v));
    const float scale = most / static_cast<float>(s.qmax() - s.qmin());
    return {s, {scale}, {s.is_symmetric() ? 0 : pick(g, s.qmin(), s.qmax())}};
}

void compare_sums(const gemm_case& c, const any_prepared& w) {
    const std::vector<std::int64_t> want = c.sums();
    const auto wide = gemm(c.x, w, chain(bias{c.bias}, wide_sums{}));
    BOOST_TEST((std::vector(wide.values().begin(), wide.values().end()) == want));
    if (c.x.spec().bits == 16) return;
    const auto y = gemm(c.x, w, chain(bias{c.bias}, sums{}));
    BOOST_TEST((std::vector<std::int64_t>(y.values().begin(), y.values().end()) == want));
}

/// Every output of a case on every instruction set, packed in every way.
void compare(std::mt19937& g, const gemm_case& c) {
    const auto bits = std::vector<int>{1, 2, 3, 4, 5, 6, 7, 8, 8, 8, 16};
    const int y_bits = bits[static_cast<std::size_t>(pick(g, 0, 10))];
    const auto kind = y_bits == 1 ? scheme::affine : static_cast<scheme>(pick(g, 0, 3));
    const qparams y = output_of(g, c, {.bits = y_bits, .kind = kind});
    const any_qtensor codes = c.codes(y);
    const std::vector<float> reals = c.reals();
    const auto rows = static_cast<gemm_rows>(pick(g, 0, 2));
    for (const cpu::kernel_set* kernels : support::built_kernels())
        BOOST_TEST_CONTEXT(kernels->name << ", M " << c.rows() << ", N " << c.columns() << ", K "
                                         << c.depth() << ", x \"" << c.x.spec() << "\", w \""
                                         << c.w.spec() << "\", y \"" << y.spec << "\", packed for "
                                         << static_cast<int>(rows)) {
            const auto w = prepare(c.w, {c.x.spec().bits, rows}, *kernels);
            BOOST_TEST((gemm(c.x, w, epilogue_of(c, requantize_to{y})) == codes));
            const auto real = gemm(c.x, w, epilogue_of(c, quantal::reals{}));
            BOOST_TEST(support::same_bits(real.values(), reals));
            if (!c.is_grouped()) compare_sums(c, w);
        }
}

qspec random_weights(std::mt19937& g, int bits) {
    qspec s{.bits = bits, .kind = bits == 1 ? scheme::affine : static_cast<scheme>(pick(g, 0, 3))};
    const int grain = pick(g, 0, 2);
    if (grain == 1) s.grain = per_channel;
    if (grain == 2) {
        s.grain = per_group;
        s.group_size = pick(g, 1, 40);
    }
    return s;
}

} // namespace

BOOST_AUTO_TEST_SUITE(ops_gemm)

BOOST_AUTO_TEST_CASE(every_width_and_scheme) {
    auto g = support::generator();
    for (int bits = 1; bits <= 8; ++bits)
        for (const qspec x : support::every_width_and_scheme())
            for (const bool extreme : {false, true})
                compare(g, random_case(g, x, random_weights(g, bits),
                                       {pick(g, 1, 7), pick(g, 1, 40), pick(g, 1, 70)}, extreme));
}

BOOST_AUTO_TEST_CASE(every_size) {
    auto g = support::generator();
    const std::vector<std::int64_t> sizes{0, 1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 61, 64, 65};
    for (const std::int64_t columns : sizes)
        for (const std::int64_t depth : sizes) {
            const std::int64_t rows = sizes[static_cast<std::size_t>(pick(g, 0, 12))];
            compare(g, random_case(g, a8, w8, {rows, columns, depth}));
            compare(g,
                    random_case(g, a4, random_weights(g, pick(g, 2, 8)), {rows, columns, depth}));
        }
}

BOOST_AUTO_TEST_CASE(groups_of_every_size) {
    auto g = support::generator();
    for (const int group : {1, 2, 3, 4, 5, 8, 16, 31, 32, 64, 100, 128, 1000})
        for (const int bits : {2, 4, 8})
            for (const std::int64_t rows : {1, 3, 13}) {
                const qspec w{.bits = bits, .grain = per_group, .group_size = group};
                compare(g, random_case(g, a8, w, {rows, pick(g, 1, 70), pick(g, 100, 300)}));
            }
}

BOOST_AUTO_TEST_CASE(blocks_of_rows_and_steps) {
    auto g = support::generator();
    compare(g, random_case(g, a8, w8, {600, 33, 601}));
    compare(g, random_case(g, a8, w8, {5, 17, 21000}));
    compare(g, random_case(g, a8, w4, {67, 50, 2303}, true));
    compare(g, random_case(g, a4, w2, {19, 17, 4096}, true));
}

BOOST_AUTO_TEST_CASE(threads_do_not_change_a_bit) {
    auto g = support::generator();
    const gemm_case c = random_case(g, a8, w4, {50, 130, 40});
    for (const gemm_rows rows : {gemm_rows::few, gemm_rows::many}) {
        const auto w = prepare(c.w, {.rows = rows});
        bound_gemm product(w, c.x.params(), chain(bias{c.bias}));
        tensor<float> one({50, 130}), three({50, 130});
        product.run(c.x.packed().data(), 50, one.data());
        thread_pool pool(3);
        product.run(c.x.packed().data(), 50, three.data(), pool);
        BOOST_TEST(support::same_bits(one.values(), three.values()));
    }
}

BOOST_AUTO_TEST_CASE(types_say_what_comes_out) {
    auto g = support::generator();
    const qtensor<a8> x(support::random_codes(g, a8, {3, 20}));
    const qtensor<w4> w(support::random_codes(g, w4, {5, 20}));
    const auto codes = gemm<20>(x, prepare(w), chain(relu{}, requantize<a4>{0.5f, 3}));
    static_assert(std::is_same_v<decltype(codes), const qtensor<a4>>);
    BOOST_TEST((codes == gemm(x, prepare(static_cast<const any_qtensor&>(w)),
                              chain(clip{}, requantize_to{{a4, {0.5f}, {3}}}))));
    static_assert(std::is_same_v<decltype(gemm(x, prepare(w))), tensor<float>>);
    BOOST_CHECK_THROW((void)gemm<21>(x, prepare(w)), shape_error);
}

BOOST_AUTO_TEST_CASE(depths_of_several_blocks_and_all_widths_of_panels) {
    auto g = support::generator();
    for (const std::int64_t columns : {7, 33, 70, 130})
        for (const qspec& x : {a8, a4}) {
            compare(g, random_case(g, x, w8, {13, columns, 2503}));
            qspec grouped = w8;
            grouped.grain = per_group;
            grouped.group_size = 1100;
            compare(g, random_case(g, x, grouped, {13, columns, 2503}));
        }
}

BOOST_AUTO_TEST_CASE(depth_that_types_allow) {
    static_assert(max_depth(a8, w8) == ((1 << 30) - 1) / (255 * 127));
    static_assert(max_depth(a4, w2) == ((1 << 30) - 1) / 15);
    const auto depth = max_depth(a8, w8);
    const std::vector<std::int32_t> x(static_cast<std::size_t>(depth), 255), w(x.size(), 127);
    const auto sum = gemm(any_qtensor({a8, {1.0f}, {0}}, {1, depth}, x),
                          prepare(any_qtensor({w8, {1.0f}, {0}}, {1, depth}, w)), chain(sums{}));
    BOOST_TEST(sum[0] == 255 * 127 * depth);
}

BOOST_AUTO_TEST_CASE(largest_products_of_few_rows) {
    const std::int32_t depth = 67;
    const std::vector<std::int32_t> x(2 * depth, 255);
    std::vector<std::int32_t> w(x.size(), 127);
    std::fill(w.begin() + depth, w.end(), -128);
    w[5] = -128; // both columns have both extremes
    w.back() = 127;
    const std::int32_t sums_of[] = {255 * (127 * (depth - 1) - 128),
                                    255 * (127 - 128 * (depth - 1))};
    const qspec full{.bits = 8, .kind = scheme::symmetric_full};
    for (const cpu::kernel_set* kernels : support::built_kernels())
        for (const std::int64_t rows : {1, 2}) {
            const auto packed = prepare(any_qtensor({full, {1.0f}, {0}}, {2, depth}, w),
                                        {8, gemm_rows::few}, *kernels);
            const std::span codes = std::span(x).first(static_cast<std::size_t>(rows * depth));
            const auto y =
                gemm(any_qtensor({a8, {1.0f}, {0}}, {rows, depth}, codes), packed, chain(sums{}));
            for (std::size_t i = 0; i < y.values().size(); ++i)
                BOOST_TEST(y.values()[i] == sums_of[i % 2], kernels->name);
        }
}

BOOST_AUTO_TEST_CASE(sums_that_leave_int32_are_refused) {
    const std::int64_t depth = 70000;
    const std::vector<std::int32_t> x(static_cast<std::size_t>(depth), 0), w(x.size(), 127);
    const any_qtensor codes({a8, {1.0f}, {0}}, {1, depth}, x);
    const auto packed = prepare(any_qtensor({w8, {1.0f}, {0}}, {1, depth}, w));
    BOOST_CHECK_EXCEPTION((void)gemm(codes, packed), spec_error, [](const error& e) {
        return std::string(e.what()).find("channel 0") != std::string::npos;
    });
    // 16 bits have int64 sums.
    const any_qtensor wide({a16, {1.0f}, {0}}, {1, depth}, x);
    BOOST_TEST(gemm(wide, packed, chain(wide_sums{}))[0] == 0);
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_refused) {
    auto g = support::generator();
    const any_qtensor x = support::random_codes(g, a8, {2, 9});
    const any_qtensor codes = support::random_codes(g, w4, {3, 9});
    const auto w = prepare(codes);
    const std::vector<float> few(2), huge(3, 1e9f);
    BOOST_CHECK_THROW((void)gemm(x, w, chain(bias{few})), shape_error);
    BOOST_CHECK_THROW((void)gemm(x, w, chain(bias{huge})), spec_error);
    BOOST_CHECK_THROW((void)gemm(x, w, chain(relu{}, sums{})), spec_error);
    BOOST_CHECK_THROW((void)gemm(x, prepare(codes, {.activation_bits = 4})), spec_error);
    BOOST_CHECK_THROW((void)gemm(support::random_codes(g, a8, {2, 8}), w), shape_error);
    BOOST_CHECK_THROW((void)gemm(support::random_codes(g, a8, {18}), w), shape_error);
    BOOST_CHECK_THROW((void)gemm(support::random_codes(g, a16, {2, 9}), w, chain(sums{})),
                      spec_error);
    qspec channels = a8;
    channels.grain = per_channel;
    BOOST_CHECK_THROW((void)gemm(support::random_codes(g, channels, {2, 9}), w), spec_error);
    channels.axis = 1;
    BOOST_CHECK_THROW((void)prepare(support::random_codes(g, channels, {2, 9})), spec_error);
    BOOST_CHECK_THROW((void)prepare(support::random_codes(g, a16, {2, 9})), spec_error);
    BOOST_CHECK_THROW((void)prepare(support::random_codes(g, w4, {2, 9, 1})), shape_error);
    const auto grouped =
        prepare(support::random_codes(g, {.bits = 4, .grain = per_group, .group_size = 4}, {3, 9}));
    BOOST_CHECK_THROW((void)gemm(x, grouped, chain(sums{})), spec_error);
}

BOOST_AUTO_TEST_SUITE_END()
