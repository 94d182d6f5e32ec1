// SPDX-License-Identifier: Apache-2.0
#include <quantal/ops/real_gemm.hpp>

#include "gemm_case.hpp"
#include "kernel/cpu/archs.hpp"
#include "specs.hpp"
#include "support/random.hpp"

#include <boost/test/unit_test.hpp>

using namespace quantal;
using support::pick;

namespace {

/// The sums of docs/arithmetic.md, 14.
tensor<float> expected(const tensor<float>& x, const any_qtensor& w, const std::vector<float>& b) {
    const auto depth = static_cast<std::size_t>(x.shape()[1]);
    const auto columns = static_cast<std::size_t>(w.shape()[0]);
    const tensor<float> weights = dequantize(w);
    tensor<float> y({x.shape()[0], w.shape()[0]});
    for (std::size_t i = 0; i < y.size(); ++i) {
        const std::size_t row = i / columns, c = i % columns;
        y[i] = b.empty() ? 0.0f : b[c];
        for (std::size_t k = 0; k < depth; ++k)
            y[i] += arith::product(x[row * depth + k], weights[c * depth + k]);
    }
    return y;
}

void compare(std::mt19937& g, const extents& x_shape, std::int64_t columns, qspec spec) {
    const tensor<float> x = support::normal(g, x_shape);
    const any_qtensor codes = support::random_codes(g, spec, {columns, x_shape[1]});
    std::vector<float> b;
    if (pick(g, 0, 1)) {
        const tensor<float> values = support::normal(g, {columns});
        b.assign(values.values().begin(), values.values().end());
    }
    const tensor<float> sums = expected(x, codes, b);
    tensor<float> clipped = sums;
    for (float& v : clipped.values())
        v = arith::clamp(v, 0.0f, 0.25f);
    const qparams y{a8, {0.01f}, {17}};
    for (const cpu::kernel_set* kernels : support::built_kernels())
        BOOST_TEST_CONTEXT(kernels->name << ", x " << x_shape << ", " << columns << " channels, \""
                                         << spec << '"') {
            const auto w = prepare_for_reals(codes, *kernels);
            BOOST_TEST(support::same_bits(gemm(x, w, chain(bias{b})).values(), sums.values()));
            BOOST_TEST(support::same_bits(gemm(x, w, chain(bias{b}, clip{0.0f, 0.25f})).values(),
                                          clipped.values()));
            BOOST_TEST((gemm(x, w, chain(bias{b}, clip{0.0f, 0.25f}, requantize<a8>{0.01f, 17})) ==
                        quantize(clipped, y)));
        }
}

} // namespace

BOOST_AUTO_TEST_SUITE(ops_real_gemm)

BOOST_AUTO_TEST_CASE(every_width_and_scheme) {
    auto g = support::generator();
    for (qspec spec : support::every_width_and_scheme())
        for (const auto grain : {per_tensor, per_channel, per_group}) {
            spec.grain = grain;
            spec.group_size = grain == per_group ? pick(g, 1, 20) : 0;
            compare(g, {pick(g, 1, 20), pick(g, 1, 70)}, pick(g, 1, 70), spec);
        }
}

BOOST_AUTO_TEST_CASE(every_size) {
    auto g = support::generator();
    for (const std::int64_t columns : {0, 1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 61})
        for (const std::int64_t depth : {0, 1, 2, 17})
            for (const std::int64_t rows : {0, 1, 5, 6, 7, 13}) {
                const qspec spec = depth == 0 ? qspec{.bits = 4} : w4;
                compare(g, {rows, depth}, columns, spec);
            }
    compare(g, {30, 20000}, 3, w2);
}

BOOST_AUTO_TEST_CASE(strides_and_shapes) {
    auto g = support::generator();
    const tensor<float> x = support::normal(g, {6, 4});
    const any_qtensor codes = support::random_codes(g, w4, {5, 3});
    tensor<float> some({3, 3});
    const view<const float> every_other(x.data(), {3, 3}, {8, 1});
    every_other.for_each([&](float v, std::size_t i) { some[i] = v; });
    const auto w = prepare_for_reals(codes);
    BOOST_TEST((gemm(every_other, w) == gemm(some, w)));
    BOOST_CHECK_THROW((void)gemm(x, w), shape_error);
    BOOST_CHECK_THROW((void)gemm(some, w, chain(bias{std::span(x.data(), 4)})), shape_error);
}

BOOST_AUTO_TEST_SUITE_END()
