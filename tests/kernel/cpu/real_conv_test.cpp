// SPDX-License-Identifier: Apache-2.0
#include "archs.hpp"

#include <quantal/graph/infer_shape.hpp>
#include <quantal/kernel/cpu/real_conv.hpp>
#include <quantal/kernel/reference/conv2d.hpp>

#include "support/random.hpp"

#include <boost/test/unit_test.hpp>

using namespace quantal;
using reference::image_shape;

namespace {

/// Small integers: float32 adds them without rounding, so every order gives the same bits.
std::vector<float> integers(std::size_t count, std::mt19937& g) {
    std::vector<float> values(count);
    for (float& v : values)
        v = static_cast<float>(std::uniform_int_distribution<>(-8, 8)(g));
    return values;
}

struct problem {
    op::conv2d op;
    image_shape in{extents{1}}, out{extents{1}};
    std::int64_t batch;
};

/// Any kernel, stride, padding, dilation, groups; channels around the registers' widths.
problem any_problem(std::mt19937& g) {
    const auto pick = [&](std::int64_t lo, std::int64_t hi) {
        return std::uniform_int_distribution<std::int64_t>(lo, hi)(g);
    };
    const std::int64_t groups = pick(0, 2) ? 1 : pick(1, 37);
    const std::int64_t in = groups * (groups > 4 ? pick(1, 2) : pick(1, 35));
    op::conv2d o{.out_channels = groups * (groups > 4 ? pick(1, 2) : pick(1, 70)),
                 .kernel = {pick(1, 4), pick(1, 4)},
                 .stride = {pick(1, 3), pick(1, 3)},
                 .padding = {pick(0, 3), pick(0, 3), pick(0, 3), pick(0, 3)},
                 .dilation = {pick(1, 2), pick(1, 2)},
                 .groups = groups};
    if (pick(0, 2) == 0) o.kernel = o.stride = o.dilation = 1, o.padding = 0;
    const extents image{in, pick(7, 12), pick(7, 12)};
    return {o, image, detail::shape_rules("conv", {image})(o), pick(1, 3)};
}

std::vector<float> run(const cpu::real_conv& layer, const problem& p, const std::vector<float>& x) {
    const auto outputs = static_cast<std::size_t>(p.batch * p.out.pixels() * p.out.channels);
    std::vector<float> y(outputs, 1e9f);
    cpu::aligned_vector<std::byte> workspace(layer.workspace_bytes());
    for (std::size_t task = layer.task_count(p.batch); task-- > 0;)
        layer.run_task(task, p.batch, x.data(), y.data(), workspace.data());
    return y;
}

std::vector<float> run_reference(const problem& p, const std::vector<float>& weights,
                                 const std::vector<float>& bias, const std::vector<float>& x) {
    const extents shape{p.op.out_channels, p.in.channels / p.op.groups, p.op.kernel.h,
                        p.op.kernel.w};
    const auto arranged =
        reference::arrange<float>(shape, p.op.groups, [&](std::size_t i) { return weights[i]; });
    std::vector<float> y;
    for (std::int64_t i = 0; i < p.batch; ++i)
        reference::conv2d(
            reference::window_of(p.op, p.in, p.out), x.data() + i * p.in.pixels() * p.in.channels,
            arranged, std::span<const float>(bias), [&](std::int64_t, std::span<const float> sums) {
                y.insert(y.end(), sums.begin(), sums.end());
            });
    return y;
}

} // namespace

BOOST_AUTO_TEST_SUITE(real_conv)

BOOST_AUTO_TEST_CASE(exact_sums_are_the_references) {
    auto g = support::generator();
    for (int repeat = 0; repeat < 150; ++repeat) {
        const problem p = any_problem(g);
        const auto each =
            static_cast<std::size_t>(p.in.channels / p.op.groups * p.op.kernel.h * p.op.kernel.w);
        const auto out = static_cast<std::size_t>(p.op.out_channels);
        const auto weights = integers(out * each, g);
        const auto bias = integers(out, g);
        const auto x =
            integers(static_cast<std::size_t>(p.batch * p.in.pixels() * p.in.channels), g);
        auto expected = run_reference(p, weights, bias, x);
        cpu::real_bounds bounds;
        if (repeat % 2) bounds = {-3.0f, 20.0f, true};
        if (bounds.active)
            for (float& y : expected)
                y = std::clamp(y, bounds.lo, bounds.hi);
        for (const cpu::kernel_set* kernels : support::built_kernels()) {
            const cpu::real_conv layer({p.op, p.in.channels, {p.in.height, p.in.width}}, weights,
                                       bias, bounds, kernels->arrays);
            BOOST_TEST_CONTEXT(kernels->name << ", " << p.in.channels << " to " << p.op.out_channels
                                             << " channels in " << p.op.groups << " groups")
            BOOST_TEST((run(layer, p, x) == expected));
        }
    }
}

BOOST_AUTO_TEST_CASE(no_bias_is_zero) {
    const image_shape pixel(extents{2});
    const std::vector<float> weights{2.0f, 3.0f}, x{5.0f, 7.0f};
    const cpu::real_conv layer({{.out_channels = 1}, 2}, weights, {}, {},
                               cpu::default_kernels().arrays);
    BOOST_TEST(run(layer, {{.out_channels = 1}, pixel, extents{1}, 1}, x) ==
                   std::vector<float>{31.0f},
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
