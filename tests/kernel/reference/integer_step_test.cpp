// SPDX-License-Identifier: Apache-2.0
#include "support/random.hpp"

#include <quantal/passes/place.hpp>
#include <quantal/runtime/calibrate.hpp>
#include <quantal/runtime/program.hpp>

#include <boost/test/unit_test.hpp>

using namespace quantal;

namespace {

/// A pool of 2 x 2 that is added to every second pixel of the image.
struct pool_and_add {
    plan p;
    table t;
    tensor<float> images;

    static constexpr value image = 0, pool = 1, sum = 3; // 2 chooses pixels

    pool_and_add(std::mt19937& g, const quantization& q)
        : images(support::normal(g, {4, 3, 6, 6})) {
        graph net;
        const value x = net.input({3, 6, 6});
        const value a = net.average_pool("pool", x, {.kernel = 2, .stride = 2});
        net.add("sum", a, net.shortcut("pixels", x, {.stride = 2}));
        p = place(std::move(net), q);
        t = calibrate(p, reference_executor(p.net), std::vector{images});
    }

    [[nodiscard]] const qparams& params(value v) const { return activation_params(p, t, v); }
};

/// `to_code(sum of a window less the zero points, s_x / (s_y * 4))` for every pooled pixel, and
/// `add(pooled, pixel)` for the codes of every sum, against what a program gave.
template <requantizer R, class ToCode, class Add>
void check_codes(const pool_and_add& c, ToCode&& to_code, Add&& add) {
    std::map<value, std::vector<std::int32_t>> codes;
    const auto keep = [&](value v, std::size_t, std::span<const std::int32_t> q) {
        codes[v].insert(codes[v].end(), q.begin(), q.end());
    };
    (void)lower(c.p, c.t, R{}).run(c.images, 1, keep);
    const float m = c.params(0).scale() / (c.params(1).scale() * 4.0f);
    for (std::size_t i = 0; i < 4 * 27; ++i) {
        const std::size_t corner = i / 9 * 36 + i % 9 / 3 * 12 + i % 3 * 2;
        const auto pixel = [&](std::size_t offset) {
            return codes[c.image][corner + offset] - c.params(c.image).zero_point();
        };
        BOOST_TEST(codes[c.pool][i] == to_code(pixel(0) + pixel(1) + pixel(6) + pixel(7), m));
        BOOST_TEST(codes[c.sum][i] ==
                   add(codes[c.pool][i] - c.params(c.pool).zero_point(), pixel(0)));
    }
}

} // namespace

BOOST_AUTO_TEST_SUITE(reference_integer_step)

BOOST_AUTO_TEST_CASE(pools_and_additions_in_float) {
    auto g = support::generator();
    for (const char* spec : {"a8", "a3", "a16", "8 symmetric", "6 affine signed pow2"}) {
        const pool_and_add c(g, {.activations = parse_spec(spec)});
        const qspec s = parse_spec(spec);
        const auto code = [&](float steps, value v) {
            const auto zero = static_cast<float>(c.params(v).zero_point());
            return static_cast<std::int32_t>(std::clamp(std::nearbyint(steps) + zero,
                                                        static_cast<float>(s.qmin()),
                                                        static_cast<float>(s.qmax())));
        };
        BOOST_TEST_CONTEXT(spec)
        check_codes<requantizers::in_float>(
            c,
            [&](std::int32_t sum, float m) {
                volatile float scaled = static_cast<float>(sum) * m;
                return code(scaled, c.pool);
            },
            [&](std::int32_t a, std::int32_t b) {
                volatile float real_a = static_cast<float>(a) * c.params(c.pool).scale();
                volatile float real_b = static_cast<float>(b) * c.params(c.image).scale();
                return code((real_a + real_b) / c.params(c.sum).scale(), c.sum);
            });
    }
}

BOOST_AUTO_TEST_CASE(pools_and_additions_in_fixed_point) {
    auto g = support::generator();
    for (const char* spec : {"a8", "a3", "a16", "8 symmetric"}) {
        const pool_and_add c(g, {.activations = parse_spec(spec)});
        const qspec s = parse_spec(spec);
        BOOST_TEST_CONTEXT(spec)
        check_codes<requantizers::in_fixed_point>(
            c,
            [&](std::int32_t sum, float m) {
                return arith::requantize(sum, arith::fixed_point(m), c.params(c.pool).zero_point(),
                                         s.qmin(), s.qmax());
            },
            [&](std::int32_t a, std::int32_t b) {
                const auto scales = arith::fixed_add(
                    c.params(c.pool).scale(), c.params(c.image).scale(), c.params(c.sum).scale());
                return arith::residual_add(a, b, scales, c.params(c.sum).zero_point(), s.qmin(),
                                           s.qmax());
            });
    }
}

BOOST_AUTO_TEST_SUITE_END()
