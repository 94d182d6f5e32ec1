// SPDX-License-Identifier: Apache-2.0
/// The gradients of a convolution in float32, which are convolutions themselves.
#ifndef QUANTAL_KERNEL_CPU_CONV_GRADIENT_HPP
#define QUANTAL_KERNEL_CPU_CONV_GRADIENT_HPP

#include <quantal/kernel/cpu/dispatch.hpp>
#include <quantal/kernel/cpu/real_conv.hpp>
#include <quantal/runtime/thread_pool.hpp>

#include <vector>

namespace quantal {
inline namespace v0 {
namespace cpu {

/// A convolution of a batch of images of height x width x channels, by `real_conv`.
[[nodiscard]] inline std::vector<float> convolve(const conv_shape& shape,
                                                 std::span<const float> weights,
                                                 std::span<const float> bias,
                                                 std::span<const float> x, parallel_ref parallel) {
    const real_conv layer(shape, weights, bias, {}, default_kernels().arrays);
    const std::int64_t batch =
        static_cast<std::int64_t>(x.size()) / (shape.image.h * shape.image.w * shape.channels);
    std::vector<float> y(
        static_cast<std::size_t>(batch * shape.output_pixels() * shape.op.out_channels));
    const std::size_t bytes = whole_lines(layer.workspace_bytes());
    aligned_vector<std::byte> workspaces(bytes * parallel.workers());
    auto task = [&](std::size_t i, std::size_t worker) {
        layer.run_task(i, batch, x.data(), y.data(), workspaces.data() + worker * bytes);
    };
    parallel.run(layer.task_count(batch), task);
    return y;
}

namespace detail {

/// Images with `stride - 1` rows and columns of zeros between theirs.
[[nodiscard]] inline std::vector<float> spread(std::span<const float> images, hw size, hw stride,
                                               std::int64_t channels) {
    const hw wide{(size.h - 1) * stride.h + 1, (size.w - 1) * stride.w + 1};
    const std::int64_t batch =
        static_cast<std::int64_t>(images.size()) / (size.h * size.w * channels);
    std::vector<float> result(static_cast<std::size_t>(batch * wide.h * wide.w * channels));
    const float* from = images.data();
    for (std::int64_t i = 0; i < batch; ++i)
        for (std::int64_t y = 0; y < size.h; ++y)
            for (std::int64_t x = 0; x < size.w; ++x, from += channels)
                std::copy_n(from, channels,
                            result.data() +
                                ((i * wide.h + y * stride.h) * wide.w + x * stride.w) * channels);
    return result;
}

/// What lies behind an axis of `size` so that a window of `kernel` places, `dilation` apart and
/// `stride` on from one output to the next, has `outputs` places; negative: so much goes unread.
[[nodiscard]] constexpr std::int64_t padding_behind(std::int64_t outputs, std::int64_t stride,
                                                    std::int64_t kernel, std::int64_t dilation,
                                                    std::int64_t size, std::int64_t before) {
    return (outputs - 1) * stride + (kernel - 1) * dilation + 1 - size - before;
}

} // namespace detail

/// The gradient of the input: that of the output, `gy`, spread by the stride, convolved with the
/// weights turned round.
[[nodiscard]] inline std::vector<float> input_gradient(const conv_shape& s,
                                                       std::span<const float> weights,
                                                       std::span<const float> gy,
                                                       parallel_ref parallel) {
    const op::conv2d& o = s.op;
    const hw out = s.output();
    const hw wide{(out.h - 1) * o.stride.h + 1, (out.w - 1) * o.stride.w + 1};
    const std::int64_t top = o.dilation.h * (o.kernel.h - 1) - o.padding.top;
    const std::int64_t left = o.dilation.w * (o.kernel.w - 1) - o.padding.left;
    const conv_shape turned{
        {.out_channels = s.channels,
         .kernel = o.kernel,
         .padding = {top, left,
                     detail::padding_behind(s.image.h, 1, o.kernel.h, o.dilation.h, wide.h, top),
                     detail::padding_behind(s.image.w, 1, o.kernel.w, o.dilation.w, wide.w, left)},
         .dilation = o.dilation,
         .groups = o.groups},
        o.out_channels,
        wide};
    std::vector<float> w(weights.size());
    for (std::int64_t row = 0, i = 0; row < o.out_channels; ++row)
        for (std::int64_t c = 0; c < s.group_in(); ++c)
            for (std::int64_t k = s.positions(); k-- > 0; ++i) {
                const std::int64_t group = row / s.group_out(), inside = row % s.group_out();
                const std::int64_t channel = group * s.group_in() + c;
                w[static_cast<std::size_t>((channel * s.group_out() + inside) * s.positions() +
                                           k)] = weights[static_cast<std::size_t>(i)];
            }
    if (o.stride == hw(1)) return convolve(turned, w, {}, gy, parallel);
    return convolve(turned, w, {}, detail::spread(gy, out, o.stride, o.out_channels), parallel);
}

/// The gradient of the weights, [out, in/groups, kernel h, kernel w]: channels as images, images as
/// channels, and the gradient of the output, `gy`, as the kernel.
[[nodiscard]] inline std::vector<float> weight_gradient(const conv_shape& s,
                                                        std::span<const float> x,
                                                        std::span<const float> gy,
                                                        parallel_ref parallel) {
    const op::conv2d& o = s.op;
    const hw out = s.output();
    const std::int64_t pixels = s.image.h * s.image.w;
    const std::int64_t batch = static_cast<std::int64_t>(x.size()) / (pixels * s.channels);
    const conv_shape turned{
        {.out_channels = s.group_out(),
         .kernel = out,
         .stride = o.dilation,
         .padding = {o.padding.top, o.padding.left,
                     detail::padding_behind(o.kernel.h, o.dilation.h, out.h, o.stride.h, s.image.h,
                                            o.padding.top),
                     detail::padding_behind(o.kernel.w, o.dilation.w, out.w, o.stride.w, s.image.w,
                                            o.padding.left)},
         .dilation = o.stride},
        batch,
        s.image};
    /// [count][pixels][batch] or [count][batch][pixels] of the channels from `first` on.
    const auto take = [batch](std::span<const float> from, std::int64_t channels,
                              std::int64_t first, std::int64_t count, std::int64_t per_image,
                              bool images_last) {
        std::vector<float> to(static_cast<std::size_t>(count * per_image * batch));
        for (std::int64_t i = 0; i < batch; ++i)
            for (std::int64_t p = 0; p < per_image; ++p)
                for (std::int64_t c = 0; c < count; ++c)
                    to[static_cast<std::size_t>(images_last ? (c * per_image + p) * batch + i
                                                            : (c * batch + i) * per_image + p)] =
                        from[static_cast<std::size_t>((i * per_image + p) * channels + first + c)];
        return to;
    };
    std::vector<float> result;
    for (std::int64_t g = 0; g < o.groups; ++g) {
        const auto images = take(x, s.channels, g * s.group_in(), s.group_in(), pixels, true);
        const auto kernel =
            take(gy, o.out_channels, g * s.group_out(), s.group_out(), out.h * out.w, false);
        const auto found = convolve(turned, kernel, {}, images, parallel);
        for (std::int64_t row = 0; row < s.group_out(); ++row)
            for (std::int64_t i = 0; i < s.depth(); ++i)
                result.push_back(found[static_cast<std::size_t>(i * s.group_out() + row)]);
    }
    return result;
}

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
