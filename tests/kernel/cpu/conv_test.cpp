// SPDX-License-Identifier: Apache-2.0
#include "archs.hpp"

#include <quantal/arith/requantize.hpp>
#include <quantal/kernel/cpu/prepare_conv.hpp>
#include <quantal/kernel/cpu/winograd_conv.hpp>
#include <quantal/kernel/reference/conv2d.hpp>

#include "support/random.hpp"

#include <boost/test/unit_test.hpp>

#include <cstring>

using namespace quantal;
using cpu::conv_problem;
using cpu::output_kind;

namespace {

/// Owns what a conv_problem refers to.
struct layer {
    conv_problem p;
    std::int64_t batch = 1;
    std::vector<std::int16_t> weights;
    std::vector<std::int32_t> bias;
    std::vector<float> multipliers;
    std::vector<std::uint8_t> x, other;

    [[nodiscard]] std::size_t outputs() const {
        return static_cast<std::size_t>(batch * p.shape.output_pixels() * p.shape.op.out_channels);
    }
};

struct range {
    int lo, hi;
};

int pick(std::mt19937& g, range r) {
    return std::uniform_int_distribution<>(r.lo, r.hi)(g);
}

/// Values all over the range, or all at its ends.
int pick(std::mt19937& g, range r, bool extreme) {
    if (!extreme) return pick(g, r);
    return pick(g, {0, 9}) == 0 ? r.lo : r.hi;
}

layer make_layer(std::mt19937& g, const cpu::conv_shape& shape, int x_bits, range w,
                 output_kind kind, bool extreme) {
    layer l;
    l.p.shape = shape;
    l.batch = pick(g, {1, 5});
    l.p.u_max = (1 << x_bits) - 1;
    l.p.zero_point = extreme ? 0 : pick(g, {0, l.p.u_max});
    const auto out = static_cast<std::size_t>(shape.op.out_channels);
    for (std::size_t i = 0; i < out * static_cast<std::size_t>(shape.depth()); ++i)
        l.weights.push_back(static_cast<std::int16_t>(pick(g, w, extreme)));
    for (std::size_t o = 0; o < out; ++o) {
        l.bias.push_back(pick(g, {-100000, 100000}));
        if (kind != output_kind::sums)
            l.multipliers.push_back(std::uniform_real_distribution<float>(0.00001f, 0.01f)(g));
    }
    const auto pixels = static_cast<std::size_t>(l.batch * shape.image.h * shape.image.w);
    for (std::size_t i = 0; i < pixels * static_cast<std::size_t>(shape.channels); ++i)
        l.x.push_back(static_cast<std::uint8_t>(pick(g, {0, l.p.u_max}, extreme)));
    for (std::size_t i = 0; i < l.outputs(); ++i)
        l.other.push_back(static_cast<std::uint8_t>(pick(g, {0, 255})));
    const int zero = pick(g, {0, 255});
    l.p.rule = {kind,
                {zero, pick(g, {0, zero}), pick(g, {zero, 255})},
                {0.013f, 0.021f, 0.017f, zero, pick(g, {0, 255}), {101, 3, 250}}};
    l.p.weights = l.weights;
    l.p.bias = l.bias;
    l.p.multipliers = l.multipliers;
    return l;
}

/// The outputs by plain loops and the formulas of arith/, as bits.
std::vector<std::int32_t> expected(const layer& l) {
    const conv_problem& p = l.p;
    const auto& op = p.shape.op;
    const hw out = p.shape.output();
    const extents shape{op.out_channels, p.shape.group_in(), op.kernel.h, op.kernel.w};
    const auto weights = reference::arrange<std::int16_t>(
        shape, op.groups, [&](std::size_t i) { return l.weights[i]; });
    const reference::window window{
        p.shape.image, out, op.kernel, op.stride, op.dilation, op.padding.top, op.padding.left};
    const auto each = static_cast<std::int64_t>(l.x.size()) / l.batch;
    std::vector<std::int32_t> result;
    for (std::int64_t image = 0; image < l.batch; ++image) {
        std::vector<std::int32_t> x(l.x.begin() + image * each, l.x.begin() + (image + 1) * each);
        for (auto& u : x)
            u -= p.zero_point;
        reference::conv2d(
            window, x.data(), weights, p.bias,
            [&](std::int64_t, std::span<const std::int32_t> acc) {
                for (std::size_t c = 0; c < acc.size(); ++c) {
                    const auto& y = p.rule.codes;
                    const auto& add = p.rule.add;
                    std::int32_t v = acc[c];
                    if (p.rule.kind == output_kind::reals) {
                        const float real = arith::product(static_cast<float>(v), l.multipliers[c]);
                        std::memcpy(&v, &real, sizeof v);
                    } else if (p.rule.kind != output_kind::sums) {
                        v = arith::requantize(v, l.multipliers[c], y.zero_point, y.lo, y.hi);
                    }
                    if (p.rule.kind == output_kind::added_codes)
                        v = arith::residual_add({v, add.a_scale, add.a_zero},
                                                {l.other[result.size()], add.b_scale, add.b_zero},
                                                add.y_scale, add.y.zero_point, add.y.lo, add.y.hi);
                    result.push_back(v);
                }
            });
    }
    return result;
}

/// The same by the kernels, tasks in any order.
std::vector<std::int32_t> computed(const layer& l, const cpu::conv_layer& conv,
                                   std::int64_t workers) {
    const std::size_t bytes = cpu::element_bytes(l.p.rule.kind);
    std::vector<std::byte> y(l.outputs() * bytes + 1, std::byte{0xa5});
    cpu::aligned_vector<std::byte> workspace(conv.workspace_bytes());
    const cpu::conv_call call{l.batch, l.x.data(), y.data(), l.other.data(), workers};
    for (std::size_t task = conv.task_count(call); task-- > 0;)
        conv.run_task(task, call, workspace.data());
    BOOST_TEST((y.back() == std::byte{0xa5})); // nothing behind the output
    std::vector<std::int32_t> result(l.outputs());
    for (std::size_t i = 0; i < result.size(); ++i)
        std::memcpy(&result[i], y.data() + i * bytes, bytes);
    return result;
}

void compare(const layer& l) {
    const std::vector<std::int32_t> want = expected(l);
    const auto& s = l.p.shape;
    for (const cpu::kernel_set* kernels : support::built_kernels())
        BOOST_TEST_CONTEXT(kernels->name
                           << ", " << s.channels << " to " << s.op.out_channels << " channels in "
                           << s.op.groups << " groups, image " << s.image.h << "x" << s.image.w
                           << ", kernel " << s.op.kernel.h << "x" << s.op.kernel.w << ", batch "
                           << l.batch << ", output kind " << static_cast<int>(l.p.rule.kind)
                           << ", u_max " << l.p.u_max) {
            const auto check = [&](const cpu::conv_layer& conv) {
                for (const std::int64_t workers : {1, 2, 5})
                    BOOST_TEST((computed(l, conv, workers) == want));
            };
            const auto check_both = [&]<int Outputs>(auto plan) {
                if (!plan) return;
                check(cpu::winograd_conv<Outputs>(l.p, *plan, *kernels));
                plan->transform_on_the_fly(l.p, 8); // several parts from 17 or 33 channels on
                check(cpu::winograd_conv<Outputs>(l.p, *plan, *kernels));
            };
            check(*cpu::prepare_conv(l.p, *kernels));
            check_both.template operator()<2>(cpu::winograd_plan<2>::make(l.p, *kernels));
            check_both.template operator()<4>(cpu::winograd_plan<4>::make(l.p, *kernels));
        }
}

constexpr output_kind kinds[] = {output_kind::sums, output_kind::reals, output_kind::codes,
                                 output_kind::added_codes};

range weights_of(int bits, bool centred) {
    if (centred) return {-(1 << bits) + 1, (1 << bits) - 1}; // affine codes less a zero point
    return {-(1 << (bits - 1)), std::max((1 << (bits - 1)) - 1, 1)};
}

} // namespace

BOOST_AUTO_TEST_SUITE(cpu_conv)

BOOST_AUTO_TEST_CASE(every_width_of_weights_and_activations) {
    auto g = support::generator();
    for (int w_bits = 1; w_bits <= 8; ++w_bits)
        for (int x_bits = 1; x_bits <= 8; ++x_bits)
            for (const bool centred : {false, true})
                for (const bool extreme : {false, true}) {
                    cpu::conv_shape s{{.out_channels = pick(g, {1, 40}), .kernel = 3, .padding = 1},
                                      pick(g, {1, 40}),
                                      {5, 4}};
                    compare(make_layer(g, s, x_bits, weights_of(w_bits, centred),
                                       kinds[pick(g, {0, 3})], extreme));
                }
}

BOOST_AUTO_TEST_CASE(odd_numbers_of_channels_and_pixels) {
    auto g = support::generator();
    constexpr std::int64_t sizes[] = {1,  2,  3,  4,  5,  7,  8,  9,  15,
                                      16, 17, 31, 32, 33, 63, 64, 65, 97};
    for (const std::int64_t out : sizes)
        for (const std::int64_t in : sizes) {
            const std::int64_t width = sizes[pick(g, {0, 15})];
            compare(make_layer(g, {{.out_channels = out}, in, {1, width}}, 8, {-128, 127},
                               kinds[pick(g, {0, 3})], false));
            compare(make_layer(g, {{.out_channels = out}, in, {1, width}}, 4, {-8, 7},
                               kinds[pick(g, {0, 3})], false));
        }
}

BOOST_AUTO_TEST_CASE(any_geometry) {
    auto g = support::generator();
    for (int i = 0; i < 200; ++i) {
        const std::int64_t groups = pick(g, {0, 2}) ? 1 : pick(g, {2, 5});
        const hw kernel{pick(g, {1, 7}), pick(g, {1, 7})};
        op::conv2d op{
            .out_channels = groups * pick(g, {1, 20}),
            .kernel = kernel,
            .stride = {pick(g, {1, 3}), pick(g, {1, 3})},
            .padding = {pick(g, {0, 3}), pick(g, {0, 3}), pick(g, {0, 3}), pick(g, {0, 3})},
            .dilation = {pick(g, {1, 2}), pick(g, {1, 3})},
            .groups = groups};
        compare(make_layer(g, {op, groups * pick(g, {1, 12}), {pick(g, {1, 15}), pick(g, {1, 15})}},
                           pick(g, {1, 8}), weights_of(pick(g, {1, 8}), pick(g, {0, 1})),
                           kinds[pick(g, {0, 3})], pick(g, {0, 1})));
    }
}

BOOST_AUTO_TEST_CASE(depthwise) {
    auto g = support::generator();
    for (const std::int64_t channels : {1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 65})
        for (const std::int64_t kernel : {1, 2, 3, 5})
            for (const bool extreme : {false, true}) {
                op::conv2d op{.out_channels = channels,
                              .kernel = kernel,
                              .stride = pick(g, {1, 2}),
                              .padding = kernel / 2,
                              .groups = channels};
                compare(make_layer(g, {op, channels, {9, 13}}, pick(g, {1, 8}),
                                   weights_of(pick(g, {1, 8}), pick(g, {0, 1})),
                                   kinds[pick(g, {0, 3})], extreme));
            }
}

BOOST_AUTO_TEST_CASE(depthwise_lines_in_pieces_and_dilated) {
    auto g = support::generator();
    for (const std::int64_t stride : {1, 2, 3})
        for (const std::int64_t dilation : {1, 2}) {
            op::conv2d op{.out_channels = 21,
                          .kernel = 3,
                          .stride = stride,
                          .padding = 1,
                          .dilation = dilation,
                          .groups = 21};
            compare(make_layer(g, {op, 21, {3, 131 * stride}}, 8, {-8, 7}, output_kind::codes,
                               dilation == 2));
        }
}

BOOST_AUTO_TEST_CASE(depthwise_windows_inside_and_at_the_borders) {
    auto g = support::generator();
    for (int i = 0; i < 40; ++i) {
        const std::int64_t channels = pick(g, {30, 100}); // whole blocks of most kernels, and more
        op::conv2d op{
            .out_channels = channels,
            .kernel = 3,
            .stride = {pick(g, {1, 2}), pick(g, {1, 3})},
            .padding = {pick(g, {0, 2}), pick(g, {0, 2}), pick(g, {0, 3}), pick(g, {0, 3})},
            .groups = channels};
        compare(make_layer(g, {op, channels, {pick(g, {3, 6}), pick(g, {3, 40})}}, pick(g, {1, 8}),
                           weights_of(pick(g, {1, 8}), pick(g, {0, 1})), kinds[pick(g, {0, 3})],
                           pick(g, {0, 1})));
    }
}

BOOST_AUTO_TEST_CASE(blocks_of_rows_and_ranges_of_panels) {
    auto g = support::generator();
    compare(make_layer(g, {{.out_channels = 130, .kernel = 3, .padding = 1}, 70, {23, 29}}, 8,
                       {-128, 127}, output_kind::codes, false));
    for (const std::int64_t stride : {1, 2, 3}) // blocks of several images, padded on one side
        compare(make_layer(
            g,
            {{.out_channels = 70, .kernel = {3, 2}, .stride = stride, .padding = {2, 0, 0, 1}},
             5,
             {9, 11}},
            8, {-128, 127}, output_kind::codes, false));
    compare(
        make_layer(g, {{.out_channels = 300}, 1000, 1}, 8, {-255, 255}, output_kind::reals, false));
}

BOOST_AUTO_TEST_CASE(blocks_of_steps_that_end_within_lines) {
    auto g = support::generator();
    compare(make_layer(g, {{.out_channels = 17, .kernel = {3, 2}, .padding = 1}, 3500, 2}, 8,
                       {-128, 127}, output_kind::codes, false));
}

BOOST_AUTO_TEST_CASE(linear_layers_of_every_width) {
    auto g = support::generator();
    for (int w_bits = 1; w_bits <= 8; ++w_bits)
        for (const std::int64_t in : {1, 3, 8, 16, 17, 63, 64, 257, 512})
            for (const bool centred : {false, true})
                for (const bool extreme : {false, true}) {
                    layer l =
                        make_layer(g, {{.out_channels = pick(g, {1, 150})}, in, 1}, pick(g, {1, 8}),
                                   weights_of(w_bits, centred), kinds[pick(g, {0, 3})], extreme);
                    compare(l);
                }
}

BOOST_AUTO_TEST_CASE(empty_batch_has_no_tasks) {
    auto g = support::generator();
    const layer l =
        make_layer(g, {{.out_channels = 4}, 4, 2}, 8, {-8, 7}, output_kind::sums, false);
    BOOST_TEST(cpu::prepare_conv(l.p)->task_count({0, nullptr, nullptr}) == 0u);
}

BOOST_AUTO_TEST_CASE(pieces_that_do_not_fit_are_refused) {
    auto g = support::generator();
    layer l = make_layer(g, {{.out_channels = 4}, 4, 2}, 8, {-8, 7}, output_kind::codes, false);
    l.p.multipliers = {};
    BOOST_CHECK_THROW((void)cpu::prepare_conv(l.p), shape_error);
    l.p.multipliers = l.multipliers;
    l.p.shape.op.groups = 3;
    BOOST_CHECK_THROW((void)cpu::prepare_conv(l.p), shape_error);
}

BOOST_AUTO_TEST_SUITE_END()
