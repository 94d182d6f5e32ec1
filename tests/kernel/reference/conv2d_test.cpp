// SPDX-License-Identifier: Apache-2.0
#include "support/random.hpp"

#include <quantal/kernel/reference/conv2d.hpp>
#include <quantal/kernel/reference/pool.hpp>

#include <boost/test/unit_test.hpp>

using namespace quantal;

namespace {

using integers = tensor<std::int32_t>;

integers random_integers(std::mt19937& g, const extents& shape, int reach) {
    std::uniform_int_distribution<int> distribution(-reach, reach);
    integers t(shape);
    for (auto& v : t.values())
        v = distribution(g);
    return t;
}

/// Element [c, y, x] of an image, 0 outside.
std::int32_t at(const integers& x, std::int64_t c, std::int64_t y, std::int64_t w) {
    const extents& s = x.shape();
    if (y < 0 || y >= s[1] || w < 0 || w >= s[2]) return 0;
    return x[static_cast<std::size_t>((c * s[1] + y) * s[2] + w)];
}

/// The definition of a grouped convolution, element by element in logical order.
integers definition(const op::conv2d& o, const integers& x, const integers& weight,
                    const extents& out) {
    integers y(out);
    const std::int64_t in = weight.shape()[1];
    std::size_t i = 0;
    for (std::int64_t c = 0; c < out[0]; ++c)
        for (std::int64_t h = 0; h < out[1]; ++h)
            for (std::int64_t w = 0; w < out[2]; ++w, ++i) {
                const std::int64_t first = c / (out[0] / o.groups) * in;
                for (std::int64_t ic = 0; ic < in; ++ic)
                    for (std::int64_t ky = 0; ky < o.kernel.h; ++ky)
                        for (std::int64_t kx = 0; kx < o.kernel.w; ++kx)
                            y[i] += at(x, first + ic,
                                       h * o.stride.h - o.padding.top + ky * o.dilation.h,
                                       w * o.stride.w - o.padding.left + kx * o.dilation.w) *
                                    weight[static_cast<std::size_t>(
                                        ((c * in + ic) * o.kernel.h + ky) * o.kernel.w + kx)];
            }
    return y;
}

integers to_image(const extents& shape, const integers& x, bool hwc) {
    integers y(shape);
    if (hwc)
        reference::to_hwc(shape, x.data(), y.data());
    else
        reference::to_chw(shape, x.data(), y.data());
    return y;
}

} // namespace

BOOST_AUTO_TEST_SUITE(reference_conv2d)

BOOST_AUTO_TEST_CASE(equals_the_definition) {
    auto g = support::generator();
    const auto any = [&](std::int64_t lo, std::int64_t hi) {
        return std::uniform_int_distribution<std::int64_t>(lo, hi)(g);
    };
    for (int round = 0; round < 300; ++round) {
        const std::int64_t groups = any(1, 4);
        const bool depthwise = any(0, 3) == 0;
        const std::int64_t in = groups * (depthwise ? 1 : any(1, 3));
        const std::int64_t out = groups * (depthwise ? 1 : any(1, 5));
        const op::conv2d o{.out_channels = out,
                           .kernel = {any(1, 3), any(1, 3)},
                           .stride = {any(1, 3), any(1, 3)},
                           .padding = {any(0, 2), any(0, 2), any(0, 2), any(0, 2)},
                           .dilation = {any(1, 2), any(1, 2)},
                           .groups = groups};
        graph net;
        const value image = net.input({in, any(5, 9), any(5, 9)});
        const extents& shape = net.at(net.conv2d("c", image, o)).shape;
        const extents in_shape = net.at(image).shape;
        const auto x = random_integers(g, in_shape, 255);
        const auto w = random_integers(g, {out, in / groups, o.kernel.h, o.kernel.w}, 127);
        const auto weights = reference::arrange<std::int16_t>(
            w.shape(), groups, [&](std::size_t i) { return static_cast<std::int16_t>(w[i]); });
        const auto hwc = to_image(in_shape, x, true);
        integers y(shape);
        const std::vector<std::int32_t> start(static_cast<std::size_t>(out), 0);
        reference::conv2d(reference::window_of(o, in_shape, shape), hwc.data(), weights,
                          std::span<const std::int32_t>(start),
                          [&](std::int64_t position, std::span<const std::int32_t> sums) {
                              std::copy(sums.begin(), sums.end(), y.data() + position * out);
                          });
        BOOST_TEST_CONTEXT("round " << round)
        BOOST_TEST((to_image(shape, y, false) == definition(o, x, w, shape)));
    }
}

BOOST_AUTO_TEST_CASE(pools_and_shortcut) {
    const integers x({1, 3, 3}, {1, -5, 3, 4, -2, 6, -9, 8, -7});
    const op::max_pool o{.kernel = 2, .stride = 2, .padding = 1};
    const reference::window w = reference::window_of(o, {{1, 3, 3}}, {{1, 2, 2}});
    std::vector<std::int32_t> y(4);
    reference::max_pool(w, 1, -100, x.data(), y.data());
    BOOST_TEST(y == (std::vector<std::int32_t>{1, 3, 4, 8}), boost::test_tools::per_element());
    reference::sum_pool(w, 1, 1, x.data(), [&](std::int64_t p, std::span<const std::int32_t> s) {
        y[static_cast<std::size_t>(p)] = s[0];
    });
    // one, two, two and four elements inside, each less 1
    BOOST_TEST(y == (std::vector<std::int32_t>{0, -4, -7, 1}), boost::test_tools::per_element());
    // the same windows, when only what lies inside is counted
    const op::average_pool mean{.kernel = 2, .stride = 2, .padding = 1, .counts_padding = false};
    for (std::int64_t p = 0; p < 4; ++p)
        BOOST_TEST(reference::divisor(mean, w, p) ==
                   (std::vector{1, 2, 2, 4}[static_cast<std::size_t>(p)]));
    BOOST_TEST(reference::divisor(op::average_pool{.kernel = 2, .stride = 2, .padding = 1}, w, 0) ==
               4);
    std::vector<std::int32_t> s(12);
    reference::shortcut({.stride = 2, .channels_before = 1, .channels_after = 1}, {{1, 3, 3}},
                        {{3, 2, 2}}, 7, x.data(), s.data());
    BOOST_TEST(s == (std::vector<std::int32_t>{7, 1, 7, 7, 3, 7, 7, -9, 7, 7, -7, 7}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
