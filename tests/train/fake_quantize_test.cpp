// SPDX-License-Identifier: Apache-2.0
#include <quantal/train/fake_quantize.hpp>

#include <quantal/ops/quantize.hpp>

#include "support/random.hpp"

#include <boost/test/unit_test.hpp>

#include <bit>

using namespace quantal;
using train::gradient_sums;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float nan = std::numeric_limits<float>::quiet_NaN();

struct sample {
    tensor<float> x, gy;
    qparams p;
};

/// Rows that reach past the codes, with the ends of the codes, infinities and NaN among them.
sample random_sample(std::mt19937& g, qspec s, std::int64_t rows, std::int64_t row_size) {
    const extents shape{rows, row_size};
    sample t{support::normal(g, shape), support::normal(g, shape), {s, {}, {}}};
    for (std::int64_t row = 0; row < (s.grain == per_channel ? rows : 1); ++row) {
        t.p.scales.push_back(std::uniform_real_distribution(0.5f, 2.0f)(g) /
                             static_cast<float>(s.qmax()));
        t.p.zero_points.push_back(
            s.is_symmetric() ? 0 : std::uniform_int_distribution(s.qmin(), s.qmax())(g));
    }
    const float first = t.p.scale() * static_cast<float>(s.qmin() - t.p.zero_point());
    const float last = t.p.scale() * static_cast<float>(s.qmax() - t.p.zero_point());
    std::size_t i = 0;
    for (const float special : {first, last, 0.0f, infinity, -infinity, nan})
        if (i < t.x.size()) t.x[7 * i++ % t.x.size()] = special;
    return t;
}

/// The definition, in double.
std::vector<gradient_sums> plain_gradient(const sample& t, std::vector<float>& gx) {
    const slicing slice_of = slicing_of(t.p.spec, t.x.shape());
    std::vector<gradient_sums> sums(t.p.scales.size());
    for (std::size_t i = 0; i < t.x.size(); ++i) {
        const std::size_t row = slice_of(i);
        const float ratio = t.x[i] / t.p.scale(row);
        const int zero = t.p.zero_point(row);
        const int r = t.p.quantize(t.x[i], row) - zero;
        const bool inside = ratio > static_cast<float>(t.p.spec.qmin() - zero) &&
                            ratio < static_cast<float>(t.p.spec.qmax() - zero);
        const double g = t.gy[i];
        gx.push_back(inside ? t.gy[i] : 0.0f);
        sums[row].rounding += inside ? g * (double(r) - double{ratio}) : 0.0;
        sums[row].steps += inside ? 0.0 : g * r;
        sums[row].clipped += inside ? 0.0 : g;
    }
    return sums;
}

const qspec specs[] = {w2,
                       w3,
                       w8,
                       a4,
                       a8,
                       activation_spec(2),
                       qspec{.bits = 4, .kind = scheme::affine_signed},
                       qspec{.bits = 8, .kind = scheme::symmetric_full}};

} // namespace

BOOST_AUTO_TEST_SUITE(train_fake_quantize)

BOOST_AUTO_TEST_CASE(forward_has_the_bits_of_fake_quantize) {
    auto g = support::generator();
    thread_pool threads(2);
    for (const qspec s : specs)
        for (const std::int64_t size : {1, 17, 40000}) {
            const sample t = random_sample(g, s, 3, size);
            tensor<float> y(t.x.shape());
            train::fake_quantize(t.x.values(), t.p, y.values(), threads);
            BOOST_TEST((y == fake_quantize(view<const float>(t.x), t.p)));
        }
}

// Each of up to 1024 terms of a lane is rounded twice, of a block's 16 lanes: 2^-23 times the sum
// of magnitudes, below 4 for a normal gradient and 2^b steps, bounds what is lost in an element.
BOOST_AUTO_TEST_CASE(backward_is_its_definition) {
    auto g = support::generator();
    serial one;
    for (const qspec s : specs)
        for (const std::int64_t size : {1, 15, 16, 17, 1000, 40000}) {
            const sample t = random_sample(g, s, 3, size);
            std::vector<float> gx(t.x.size()), expected;
            const auto found =
                train::fake_quantize_gradient(t.x.values(), t.gy.values(), t.p, gx, one);
            const auto sums = plain_gradient(t, expected);
            BOOST_TEST((gx == expected));
            BOOST_TEST_REQUIRE(found.size() == sums.size());
            for (std::size_t row = 0; row < sums.size(); ++row) {
                const double most = 4.0 * static_cast<double>(size) * 0x1p-20;
                BOOST_TEST(std::abs(found[row].rounding - sums[row].rounding) <= most);
                BOOST_TEST(std::abs(found[row].clipped - sums[row].clipped) <= most);
                BOOST_TEST(std::abs(found[row].steps - sums[row].steps) <= most * (1 << s.bits));
            }
        }
}

BOOST_AUTO_TEST_CASE(threads_and_instruction_sets_do_not_change_bits) {
    auto g = support::generator();
    for (const qspec s : {w4, a8}) {
        const sample t = random_sample(g, s, 2, 100000);
        std::vector<std::vector<gradient_sums>> all;
        std::vector<std::vector<float>> gx;
        for (const std::size_t workers : {1u, 2u, 3u, 4u}) {
            thread_pool threads(workers);
            gx.emplace_back(t.x.size());
            all.push_back(train::fake_quantize_gradient(t.x.values(), t.gy.values(), t.p, gx.back(),
                                                        threads));
            BOOST_TEST((all.back() == all.front()));
            BOOST_TEST((gx.back() == gx.front()));
        }
    }
    const sample t = random_sample(g, a8, 1, 1001);
    const cpu::byte_codes to{t.p.zero_point(), a8.qmin(), a8.qmax()};
    std::vector<float> gx(t.x.size());
    const auto sums = [&]<class A>(A) {
        return cpu::fake_quantize_gradient<A>(t.x.data(), t.gy.data(), t.x.size(), t.p.scale(), to,
                                              gx.data());
    };
    BOOST_TEST((sums(cpu::generic{}) == sums(cpu::best_arch{})));
}

BOOST_AUTO_TEST_SUITE_END()
