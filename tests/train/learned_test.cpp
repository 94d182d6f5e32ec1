// SPDX-License-Identifier: Apache-2.0
#include <quantal/train/dorefa.hpp>
#include <quantal/train/learned.hpp>

#include "support/random.hpp"

#include <boost/test/unit_test.hpp>

using namespace quantal;
using train::gradient_sums;

namespace {

/// `clamp(t, first, last)` with the fraction that rounding takes frozen at the values given: the
/// function whose true gradient a straight-through gradient is.
struct smooth {
    std::vector<double> x, gy, shift; ///< shift: r - t of the elements inside
    double first, last;

    smooth(const tensor<float>& data, const tensor<float>& gradient, const qparams& p)
        : x(data.values().begin(), data.values().end()),
          gy(gradient.values().begin(), gradient.values().end()),
          first(p.spec.qmin() - p.zero_point()), last(p.spec.qmax() - p.zero_point()) {
        for (const float v : data.values())
            shift.push_back(p.quantize(v) - p.zero_point() - double{v / p.scale()});
    }
    /// The sum of `gy * y(x)`, with `y` of a real scale and offset.
    [[nodiscard]] double loss(double scale, double offset) const {
        double sum = 0.0;
        for (std::size_t i = 0; i < x.size(); ++i) {
            const double t = (x[i] - offset) / scale, zero = -offset0 / scale0;
            const double lo = first + zero, hi = last + zero;
            const double r = t <= lo ? lo : t >= hi ? hi : t + shift[i];
            sum += gy[i] * (r * scale + offset);
        }
        return sum;
    }
    double offset0 = 0.0, scale0 = 1.0; ///< where the zero point is a code
};

/// The gradient of rule `Rule` with one row, found by `fake_quantize_gradient`.
template <class Rule>
train::row_gradient gradient(qspec s, const tensor<float>& x, const tensor<float>& gy, float first,
                             float second = 0.0f) {
    serial one;
    std::vector<float> gx(x.size());
    const qparams p = train::learned_params<Rule>(s, {&first, 1}, {&second, 1});
    const auto sums = train::fake_quantize_gradient(x.values(), gy.values(), p, gx, one);
    return Rule::gradient(s, sums[0], x.size(), first, second);
}

} // namespace

BOOST_AUTO_TEST_SUITE(train_learned)

BOOST_AUTO_TEST_CASE(a_scale_is_a_magnitude) {
    BOOST_TEST(train::lsq::params(w4, 0.25f, 0.0f).scale == 0.25f);
    BOOST_TEST(train::lsq::params(w4, -0.25f, 0.0f).scale == 0.25f);
    BOOST_TEST(train::lsq::params(w4, 0.0f, 0.0f).scale == arith::min_scale);
    for (const float bad :
         {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
        BOOST_CHECK_THROW((void)train::lsq::params(w4, bad, 0.0f), data_error);
        BOOST_CHECK_THROW((void)train::lsq_plus::params(a4, 1.0f, bad), data_error);
        BOOST_CHECK_THROW((void)train::straight_through::params(a4, 1.0f, bad), data_error);
    }
    const std::vector<float> scales(3, 0.25f), offsets(2, 0.0f);
    BOOST_CHECK_THROW((void)train::learned_params<train::lsq_plus>(w4, scales, offsets),
                      shape_error);
    const gradient_sums g{1.0, 2.0, 4.0};
    BOOST_TEST(train::lsq::gradient(w4, g, 7, 0.25f, 0.0f).first == 3.0 / 7.0);
    BOOST_TEST(train::lsq::gradient(w4, g, 7, -0.25f, 0.0f).first == -3.0 / 7.0);
    BOOST_TEST(train::pact::gradient(a4, g, 7, -6.0f, 0.0f).first == -2.0 / 15.0);
}

BOOST_AUTO_TEST_CASE(offsets_and_zero_points_are_one) {
    for (const qspec s : {a4, a8, qspec{.bits = 4, .kind = scheme::affine_signed}})
        for (int zero = s.qmin(); zero <= s.qmax(); ++zero) {
            const float scale = 0.0123f, offset = -scale * static_cast<float>(zero);
            BOOST_TEST(train::lsq_plus::params(s, scale, offset).zero_point == zero);
        }
    BOOST_TEST(train::lsq_plus::params(a4, 1.0f, 1e9f).zero_point == 0);
    BOOST_TEST(train::lsq_plus::params(a4, 1.0f, -1e9f).zero_point == 15);
}

BOOST_AUTO_TEST_CASE(a_bound_is_the_largest_code) {
    for (int bits = 2; bits <= 8; ++bits)
        for (const float alpha : {0.3f, 6.0f}) {
            const qspec a = activation_spec(bits), w = weight_spec(bits);
            const auto affine = train::pact::params(a, alpha, 0.0f);
            BOOST_TEST(affine.zero_point == 0);
            BOOST_TEST(affine.scale == alpha / static_cast<float>(a.qmax()));
            const auto symmetric = train::pact::params(w, alpha, 0.0f);
            BOOST_TEST(symmetric.zero_point == 0);
            BOOST_TEST(symmetric.scale == alpha / static_cast<float>(w.qmax()));
        }
    const qspec s{.bits = 4, .kind = scheme::affine_signed};
    BOOST_TEST(train::pact::params(s, 6.0f, 0.0f).zero_point == -8);
}

// With the rounding frozen y is smooth but where it clips: no element is within a step of there.
// The difference quotient loses the square of its step, here 2^-20; sums are float32.
BOOST_AUTO_TEST_CASE(gradients_are_those_of_finite_differences) {
    auto g = support::generator();
    const tensor<float> x = support::normal(g, {500}, 3.0f), gy = support::normal(g, {500});
    constexpr double step = 0x1p-20, tolerance = 500 * 0x1p-18;
    const auto slope = [&](auto&& f, double at) {
        return (f(at + step) - f(at - step)) / (2 * step);
    };
    for (const qspec s : {w2, w4, a4, a8}) {
        const float scale = 4.0f / static_cast<float>(s.qmax());
        const float zero = 0.0f;
        const smooth plain(x, gy, train::learned_params<train::lsq>(s, {&scale, 1}, {&zero, 1}));
        const double factor = train::gradient_scale(s, x.size());
        BOOST_TEST(std::abs(gradient<train::lsq>(s, x, gy, scale).first / factor -
                            slope([&](double v) { return plain.loss(v, 0.0); }, double{scale})) <
                   tolerance * s.qmax());
    }
    for (const qspec s : {a4, a8}) {
        const float scale = 8.0f / static_cast<float>(s.qmax()), offset = -scale * 5.0f;
        smooth both(x, gy, train::learned_params<train::lsq_plus>(s, {&scale, 1}, {&offset, 1}));
        both.offset0 = offset;
        both.scale0 = scale;
        const auto found = gradient<train::lsq_plus>(s, x, gy, scale, offset);
        const double factor = train::gradient_scale(s, x.size());
        BOOST_TEST(std::abs(found.first / factor -
                            slope([&](double v) { return both.loss(v, offset); }, scale)) <
                   tolerance * s.qmax());
        BOOST_TEST(std::abs(found.second / factor -
                            slope([&](double v) { return both.loss(scale, v); }, offset)) <
                   tolerance);
    }
}

// The paper: 1 for every x from alpha on, 0 below.
BOOST_AUTO_TEST_CASE(a_bound_gets_what_it_clips) {
    auto g = support::generator();
    const tensor<float> x = support::normal(g, {500}, 3.0f), gy = support::normal(g, {500});
    double above = 0.0, below = 0.0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        above += x[i] >= 2.5f ? double{gy[i]} : 0.0;
        below += x[i] <= -2.5f ? double{gy[i]} : 0.0;
    }
    constexpr double tolerance = 500 * 0x1p-20; // sums are float32
    BOOST_TEST(std::abs(gradient<train::pact>(a4, x, gy, 2.5f).first - above) < tolerance);
    BOOST_TEST(std::abs(gradient<train::pact>(w4, x, gy, 2.5f).first - (above - below)) <
               tolerance);
}

BOOST_AUTO_TEST_CASE(dorefa_weights_reach_from_minus_one_to_one) {
    auto g = support::generator();
    tensor<float> t = support::normal(g, {3, 20000}, 0.3f);
    for (float& v : t.values())
        v = std::tanh(v);
    for (const qspec s : {w2, w4, w8}) {
        const qparams p = train::dorefa_params(s, 3);
        const float size = train::divisor(t.values());
        std::vector<float> y(t.size()), expected;
        for (const float v : t.values())
            expected.push_back(p.dequantize(p.quantize(v / size)));
        serial one;
        train::dorefa(t.values(), p, y, one);
        BOOST_TEST((y == expected));
        BOOST_TEST(std::abs(y[train::largest(t.values())]) == 1.0f);
    }
    BOOST_CHECK_THROW((void)train::dorefa_params(a4, 1), spec_error);
}

// Of the unrounded tanh(w) / max|tanh|, in double; the analytic gradient is rounded to float32.
BOOST_AUTO_TEST_CASE(dorefa_gradients_are_those_of_finite_differences) {
    auto g = support::generator();
    const tensor<float> w = support::normal(g, {40}), gy = support::normal(g, {40});
    std::vector<float> t, gw(w.size());
    for (const float v : w.values())
        t.push_back(std::tanh(v));
    serial one;
    train::dorefa_gradient(t, gy.values(), gw, one);
    const auto loss = [&](std::size_t changed, double step) {
        double most = 0.0, sum = 0.0;
        for (std::size_t i = 0; i < w.size(); ++i)
            most = std::max(most, std::abs(std::tanh(w[i] + (i == changed ? step : 0.0))));
        for (std::size_t i = 0; i < w.size(); ++i)
            sum += gy[i] * std::tanh(w[i] + (i == changed ? step : 0.0)) / most;
        return sum;
    };
    for (std::size_t i = 0; i < w.size(); ++i) {
        const double slope = (loss(i, 0x1p-16) - loss(i, -0x1p-16)) / 0x1p-15;
        BOOST_TEST(std::abs(gw[i] - slope) < 1e-5);
    }
    const std::vector<float> zeros(3, 0.0f), ones(3, 1.0f);
    std::vector<float> result(3);
    train::dorefa_gradient(zeros, ones, result, one);
    BOOST_TEST((result == ones));
}

BOOST_AUTO_TEST_CASE(dorefa_does_not_depend_on_threads) {
    auto g = support::generator();
    const tensor<float> w = support::normal(g, {100000}, 0.2f), gy = support::normal(g, {100000});
    serial one;
    std::vector<float> expected(w.size()), found(w.size());
    train::dorefa_gradient(w.values(), gy.values(), expected, one);
    for (const std::size_t workers : {2u, 3u, 4u}) {
        thread_pool threads(workers);
        train::dorefa_gradient(w.values(), gy.values(), found, threads);
        BOOST_TEST((found == expected));
    }
}

BOOST_AUTO_TEST_SUITE_END()
