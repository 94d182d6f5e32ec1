// SPDX-License-Identifier: Apache-2.0
/// A convolution in integers, as data: what the kernels prepare themselves for.
#ifndef QUANTAL_KERNEL_CPU_CONV_PROBLEM_HPP
#define QUANTAL_KERNEL_CPU_CONV_PROBLEM_HPP

#include <quantal/graph/op.hpp>
#include <quantal/kernel/cpu/finish.hpp>

#include <span>

namespace quantal {
inline namespace v0 {
namespace cpu {

/// Sizes and steps of a convolution of one image.
struct conv_shape {
    op::conv2d op; ///< `op.out_channels` counts all groups
    std::int64_t channels = 0;
    hw image = 1;

    [[nodiscard]] hw output() const {
        const auto& p = op.padding;
        return {outputs(image.h + p.top + p.bottom, op.kernel.h, op.dilation.h, op.stride.h),
                outputs(image.w + p.left + p.right, op.kernel.w, op.dilation.w, op.stride.w)};
    }
    [[nodiscard]] std::int64_t output_pixels() const { return output().h * output().w; }
    [[nodiscard]] std::int64_t positions() const { return op.kernel.h * op.kernel.w; }
    [[nodiscard]] std::int64_t group_in() const { return channels / op.groups; }
    [[nodiscard]] std::int64_t group_out() const { return op.out_channels / op.groups; }
    /// Weights of one output channel.
    [[nodiscard]] std::int64_t depth() const { return positions() * group_in(); }
    [[nodiscard]] bool is_depthwise() const { return group_in() == 1 && group_out() == 1; }
    /// Whether output pixel i reads input pixel i and nothing else.
    [[nodiscard]] bool is_pointwise() const {
        return op.kernel == hw(1) && op.stride == hw(1) && op.padding == quantal::padding(0);
    }

private:
    static std::int64_t outputs(std::int64_t size, std::int64_t kernel, std::int64_t dilation,
                                std::int64_t stride) {
        const std::int64_t room = size - dilation * (kernel - 1) - 1;
        return room < 0 ? 0 : room / stride + 1;
    }
};

/// `sum[o] = bias[o] + sum((u - zero_point) * w)` over the window, `u` the bytes `q - qmin` of the
/// activations, height x width x channels; then `rule`. Places outside the image hold the zero
/// point. A linear layer is a 1x1 convolution of one pixel. The caller has proved that every sum
/// fits int32 (it may wrap around on the way).
struct conv_problem {
    conv_shape shape;
    std::int32_t u_max = 255;              ///< bytes of activations are 0 ... u_max
    std::int32_t zero_point = 0;           ///< the byte of real 0
    std::span<const std::int16_t> weights; ///< [out, in/groups, kh, kw], less their zero point
    std::span<const std::int32_t> bias;    ///< one an output channel
    std::span<const float> multipliers;    ///< one an output channel; none for output_kind::sums
    finish_rule rule;
    std::int64_t batch = 1; ///< images that will run together, about: only the speed depends on it
};

/// `bias - zero_point * sum(w)` of an output channel, modulo 2^32: where its sum begins if the
/// bytes are multiplied as they are.
[[nodiscard]] inline std::int32_t folded_bias(const conv_problem& p, std::size_t channel) {
    const auto depth = static_cast<std::size_t>(p.shape.depth());
    auto sum = static_cast<std::uint32_t>(p.bias[channel]);
    for (const std::int16_t w : p.weights.subspan(channel * depth, depth))
        sum -= static_cast<std::uint32_t>(p.zero_point * w);
    return static_cast<std::int32_t>(sum);
}

/// Throws `shape_error` unless the pieces fit together.
inline void check(const conv_problem& p) {
    using quantal::detail::fail;
    const op::conv2d& o = p.shape.op;
    if (p.shape.channels < 1 || o.out_channels < 1 || o.groups < 1 ||
        p.shape.channels % o.groups != 0 || o.out_channels % o.groups != 0)
        fail<shape_error>("a convolution from ", p.shape.channels, " to ", o.out_channels,
                          " channels cannot have ", o.groups, " groups");
    for (const hw& size : {o.kernel, o.stride, o.dilation, p.shape.image})
        if (size.h < 1 || size.w < 1)
            fail<shape_error>("a convolution has a kernel, stride, dilation or image of ", size.h,
                              "x", size.w, "; all of them are at least 1x1");
    const auto out = static_cast<std::size_t>(o.out_channels);
    const auto each = static_cast<std::size_t>(p.shape.depth());
    const std::size_t multipliers = p.rule.kind == output_kind::sums ? 0 : out;
    if (p.weights.size() != out * each || p.bias.size() != out ||
        p.multipliers.size() != multipliers)
        fail<shape_error>("a convolution to ", out, " channels of ", each, " weights was given ",
                          p.weights.size(), " weights, ", p.bias.size(), " biases and ",
                          p.multipliers.size(), " multipliers");
}

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
