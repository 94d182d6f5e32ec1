// SPDX-License-Identifier: Apache-2.0
/// The algebra of Winograd's filtering and the bounds that keep it exact. (That its convolutions
/// are the reference's is tested with all others in conv_test.cpp.)
#include "archs.hpp"

#include <quantal/kernel/cpu/prepare_conv.hpp>
#include <quantal/kernel/cpu/winograd_conv.hpp>

#include "support/random.hpp"

#include <boost/test/unit_test.hpp>

using namespace quantal;
using cpu::winograd;

namespace {

/// y of one tile of one dimension, through the transforms, as 32-bit words.
template <int Outputs>
std::vector<std::int32_t> filtered(const std::vector<std::int32_t>& x, const std::int32_t (&w)[3]) {
    using rule = winograd<Outputs>;
    std::uint32_t in[rule::inputs], t[rule::inputs], m[rule::inputs], out[Outputs];
    for (std::size_t i = 0; i < rule::inputs; ++i)
        in[i] = static_cast<std::uint32_t>(x[i]);
    rule::input(in, t);
    cpu::repeat<rule::inputs>([&](auto i) {
        m[i] = t[i] * static_cast<std::uint32_t>(rule::template weight<i>(w[0], w[1], w[2]));
    });
    rule::output(m, out);
    std::vector<std::int32_t> y;
    for (const std::uint32_t v : out)
        y.push_back(static_cast<std::int32_t>(v));
    return y;
}

template <int Outputs>
void check_algebra(std::int32_t factor) {
    auto g = support::generator();
    std::uniform_int_distribution<> any(-255, 255);
    for (int round = 0; round < 1000; ++round) {
        const std::int32_t w[3] = {any(g), any(g), any(g)};
        std::vector<std::int32_t> x;
        for (int i = 0; i < winograd<Outputs>::inputs; ++i)
            x.push_back(any(g));
        const auto y = filtered<Outputs>(x, w);
        for (std::size_t i = 0; i < Outputs; ++i)
            BOOST_TEST(y[i] == factor * (x[i] * w[0] + x[i + 1] * w[1] + x[i + 2] * w[2]));
    }
}

/// The largest operands of the transforms of one dimension, squared for two: sums of the positive
/// and of the negative coefficients apart, since inputs have one sign.
template <int Outputs>
std::pair<std::int64_t, std::int64_t> gains() {
    using rule = winograd<Outputs>;
    std::int64_t above[rule::inputs] = {}, below[rule::inputs] = {}, weights[rule::inputs] = {};
    for (int k = 0; k < rule::inputs; ++k) {
        std::uint32_t unit[rule::inputs] = {}, t[rule::inputs];
        unit[k] = 1;
        rule::input(unit, t);
        for (int i = 0; i < rule::inputs; ++i) {
            const auto v = static_cast<std::int32_t>(t[i]);
            (v > 0 ? above : below)[i] += v > 0 ? v : -v;
        }
    }
    for (int k = 0; k < 3; ++k) {
        std::int32_t unit[3] = {};
        unit[k] = 1;
        cpu::repeat<rule::inputs>([&](auto i) {
            weights[i] += std::abs(rule::template weight<i>(unit[0], unit[1], unit[2]));
        });
    }
    std::int64_t input = 0, weight = 0;
    for (int i = 0; i < rule::inputs; ++i)
        for (int j = 0; j < rule::inputs; ++j) {
            input = std::max({input, above[i] * above[j] + below[i] * below[j],
                              above[i] * below[j] + below[i] * above[j]});
            weight = std::max(weight, weights[i] * weights[j]);
        }
    return {input, weight};
}

/// A problem of `channels` to one, all its weights `w`.
struct uniform_problem {
    std::vector<std::int16_t> weights;
    std::vector<std::int32_t> bias{0};
    std::vector<float> multipliers;
    cpu::conv_problem p;

    uniform_problem(std::int64_t channels, int w, int zero_point = 0)
        : weights(static_cast<std::size_t>(9 * channels), static_cast<std::int16_t>(w)) {
        p.shape = {{.out_channels = 1, .kernel = 3, .padding = 1}, channels, 8};
        p.zero_point = zero_point;
        p.weights = weights;
        p.bias = bias;
        p.multipliers = multipliers;
    }
};

template <int Outputs>
bool can_do(const uniform_problem& of) {
    return cpu::winograd_plan<Outputs>::make(of.p, cpu::default_kernels()).has_value();
}

} // namespace

BOOST_AUTO_TEST_SUITE(cpu_winograd)

BOOST_AUTO_TEST_CASE(outcomes_are_the_stated_multiples) {
    check_algebra<2>(2);
    check_algebra<4>(24);
}

BOOST_AUTO_TEST_CASE(the_gains_are_those_of_the_coefficients) {
    BOOST_TEST(gains<2>().first == winograd<2>::input_gain);
    BOOST_TEST(gains<2>().second == winograd<2>::weight_gain);
    BOOST_TEST(gains<4>().first == winograd<4>::input_gain);
    BOOST_TEST(gains<4>().second == winograd<4>::weight_gain);
}

BOOST_AUTO_TEST_CASE(every_sum_below_the_bound_comes_back) {
    for (const std::int64_t y :
         {winograd<4>::bound - 1, 1 - winograd<4>::bound, std::int64_t{-1}}) {
        const auto outcome = static_cast<std::uint32_t>(576 * y);
        BOOST_TEST((static_cast<std::int32_t>(outcome * 0x38e38e39u) >> 6) == y);
    }
}

BOOST_AUTO_TEST_CASE(a_layer_whose_sums_could_leave_the_bound_is_refused) {
    // 255 * 9 * 127 = 291,465 a channel; 2^25 / 291,465 = 115.1
    BOOST_TEST(can_do<4>(uniform_problem(115, 127)));
    BOOST_TEST(!can_do<4>(uniform_problem(116, 127)));
    BOOST_TEST(!can_do<4>(uniform_problem(116, -127)));
    BOOST_TEST(can_do<2>(uniform_problem(116, 127)));
    // With the zero point in the middle, half of it.
    BOOST_TEST(can_do<4>(uniform_problem(229, 127, 127)));
    BOOST_TEST(!can_do<4>(uniform_problem(230, 127, 127)));
    // 2^29 / 291,465 = 1841.9
    BOOST_TEST(can_do<2>(uniform_problem(1841, 127)));
    BOOST_TEST(!can_do<2>(uniform_problem(1842, 127)));
}

BOOST_AUTO_TEST_CASE(few_bits_are_filtered_in_bytes) {
    const auto product = [](int u_max, int w) {
        uniform_problem one(4, w);
        one.p.u_max = u_max;
        return cpu::winograd_plan<2>::make(one.p, cpu::default_kernels())->product;
    };
    BOOST_TEST((product(64, 1) == cpu::form::words));  // 4 * 64 is no byte
    BOOST_TEST((product(63, 15) == cpu::form::words)); // nor is 9 * 15
    if (cpu::default_kernels().fast_dot4) {
        BOOST_TEST((product(63, 14) == cpu::form::bytes));
        BOOST_TEST((product(15, 7) == cpu::form::bytes));
    }
}

/// The layer of `channels` to as many as its plan would have it, and its weights in memory.
template <int Outputs>
std::pair<std::int64_t, std::size_t>
on_the_fly(std::int64_t channels, std::int16_t w, int u_max, std::int64_t size = 8,
           const cpu::kernel_set& kernels = cpu::default_kernels()) {
    const auto out = static_cast<std::size_t>(channels);
    uniform_problem one(channels * channels, w);
    one.bias.resize(out);
    one.p.shape.op.out_channels = channels;
    one.p.shape.channels = channels;
    one.p.shape.image = size;
    one.p.u_max = u_max;
    one.p.bias = one.bias;
    const auto plan = cpu::winograd_plan<Outputs>::make(one.p, kernels);
    const cpu::winograd_conv<Outputs> layer(one.p, *plan, kernels);
    BOOST_TEST((layer.describe().find("on the fly") != std::string::npos) ==
               (plan->steps_at_once > 0));
    return {plan->steps_at_once, layer.weight_bytes()};
}

BOOST_AUTO_TEST_CASE(many_weights_of_few_tiles_are_transformed_on_the_fly) {
    // 72 bytes of each pair of channels: 1.8 MB and 2.2 MB.
    BOOST_TEST(on_the_fly<4>(160, 1, 255).first == 0);
    const auto [steps, bytes] = on_the_fly<4>(176, 1, 255);
    BOOST_TEST(steps > 0);
    BOOST_TEST(bytes >= 176u * 176u * 9u);
    BOOST_TEST(bytes < 192u * 192u * 9u);                  // whole registers
    BOOST_TEST(on_the_fly<2>(272, 1, 255).first == 0);     // words of 2x2
    BOOST_TEST(on_the_fly<4>(176, 128, 1).first == 0);     // no bytes
    BOOST_TEST(on_the_fly<4>(176, 1, 255, 12).first == 0); // 9 tiles
    for (const cpu::kernel_set* kernels : support::built_kernels())
        if (kernels->fast_dot4 || kernels->multiply_panel[static_cast<int>(cpu::form::shorts)])
            BOOST_TEST(on_the_fly<2>(384, 1, 15, 8, *kernels).first > 0);
}

BOOST_AUTO_TEST_CASE(parts_on_the_fly_hold_whole_runs_of_sums_in_int16) {
    auto g = support::generator();
    uniform_problem one(200, 0);
    std::uniform_int_distribution<> any(-7, 7);
    for (std::int16_t& w : one.weights)
        w = static_cast<std::int16_t>(any(g));
    one.p.u_max = 15;
    for (const cpu::kernel_set* kernels : support::built_kernels()) {
        auto plan = cpu::winograd_plan<2>::make(one.p, *kernels);
        if (plan->product != cpu::form::shorts) continue;
        plan->transform_on_the_fly(one.p, 24);
        for (const std::int64_t steps : plan->short_steps)
            BOOST_TEST((steps > 0 && 24 % steps == 0));
    }
}

BOOST_AUTO_TEST_CASE(other_kernels_strides_and_groups_are_refused) {
    const auto refused = [](auto&& change) {
        uniform_problem one(4, 1);
        change(one.p.shape.op);
        return !can_do<2>(one) && !can_do<4>(one);
    };
    BOOST_TEST(!refused([](op::conv2d&) {}));
    BOOST_TEST(refused([](op::conv2d& o) { o.kernel = {3, 5}; }));
    BOOST_TEST(refused([](op::conv2d& o) { o.stride = 2; }));
    BOOST_TEST(refused([](op::conv2d& o) { o.dilation = 2; }));
    BOOST_TEST(refused([](op::conv2d& o) { o.groups = 2; }));
}

BOOST_AUTO_TEST_SUITE_END()
