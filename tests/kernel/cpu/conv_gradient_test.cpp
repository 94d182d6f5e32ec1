// SPDX-License-Identifier: Apache-2.0
#include <quantal/kernel/cpu/conv_gradient.hpp>

#include "support/random.hpp"

#include <quantal/kernel/reference/geometry.hpp>

using namespace quantal;
using cpu::conv_shape;

namespace {

/// Small whole numbers, so that every sum is exact.
std::vector<float> whole_numbers(std::mt19937& g, std::int64_t count) {
    std::uniform_int_distribution<int> values(-4, 4);
    std::vector<float> result(static_cast<std::size_t>(count));
    for (float& v : result)
        v = static_cast<float>(values(g));
    return result;
}

/// Calls `f(place in y, place in w, place in x)` for every product of a convolution.
template <class F>
void for_each_product(const conv_shape& s, std::int64_t batch, F&& f) {
    const hw out = s.output();
    const reference::window window{
        s.image, out, s.op.kernel, s.op.stride, s.op.dilation, s.op.padding.top, s.op.padding.left};
    for (std::int64_t i = 0; i < batch; ++i)
        window.for_each_output([&](std::int64_t pixel, std::int64_t oy, std::int64_t ox) {
            window.for_each(oy, ox, [&](std::int64_t from, std::int64_t k) {
                for (std::int64_t o = 0; o < s.op.out_channels; ++o)
                    for (std::int64_t c = 0; c < s.group_in(); ++c)
                        f((i * out.h * out.w + pixel) * s.op.out_channels + o,
                          (o * s.group_in() + c) * s.positions() + k,
                          (i * s.image.h * s.image.w + from) * s.channels +
                              o / s.group_out() * s.group_in() + c);
            });
        });
}

const conv_shape shapes[] = {
    {{.out_channels = 5, .kernel = 3, .padding = 1}, 4, {6, 7}},
    {{.out_channels = 3, .kernel = 1}, 7, 1},
    {{.out_channels = 4, .kernel = {3, 2}, .stride = {2, 3}, .padding = {1, 0, 2, 1}}, 3, {9, 8}},
    {{.out_channels = 6, .kernel = 2, .stride = 2, .dilation = {1, 3}, .groups = 3}, 6, {8, 7}},
    {{.out_channels = 5, .kernel = 3, .stride = 2, .padding = 1, .groups = 5}, 5, {7, 8}},
    {{.out_channels = 2, .kernel = 1, .padding = 1}, 2, {3, 4}},
};

} // namespace

BOOST_AUTO_TEST_SUITE(kernel_cpu_conv_gradient)

BOOST_AUTO_TEST_CASE(gradients_are_the_sums_of_their_products) {
    auto g = support::generator();
    thread_pool pool(2);
    for (const conv_shape& s : shapes)
        for (const std::int64_t batch : {1, 3}) {
            const auto x = whole_numbers(g, batch * s.image.h * s.image.w * s.channels);
            const auto w = whole_numbers(g, s.op.out_channels * s.depth());
            const auto gy = whole_numbers(g, batch * s.output_pixels() * s.op.out_channels);
            std::vector<float> y(gy.size()), gx(x.size()), gw(w.size());
            for_each_product(s, batch, [&](std::int64_t iy, std::int64_t iw, std::int64_t ix) {
                const auto at_y = static_cast<std::size_t>(iy), at_w = static_cast<std::size_t>(iw),
                           at_x = static_cast<std::size_t>(ix);
                y[at_y] += w[at_w] * x[at_x];
                gx[at_x] += w[at_w] * gy[at_y];
                gw[at_w] += x[at_x] * gy[at_y];
            });
            BOOST_TEST_CONTEXT("shape " << &s - shapes << ", batch " << batch) {
                const boost::test_tools::per_element each;
                BOOST_TEST(cpu::convolve(s, w, {}, x, pool) == y, each);
                BOOST_TEST(cpu::input_gradient(s, w, gy, pool) == gx, each);
                BOOST_TEST(cpu::weight_gradient(s, x, gy, pool) == gw, each);
            }
        }
}

BOOST_AUTO_TEST_SUITE_END()
