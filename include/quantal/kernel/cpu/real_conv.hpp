// SPDX-License-Identifier: Apache-2.0
/// A convolution in float32 that is ready to run: weights packed for one instruction set, work cut
/// into tasks.
#ifndef QUANTAL_KERNEL_CPU_REAL_CONV_HPP
#define QUANTAL_KERNEL_CPU_REAL_CONV_HPP

#include <quantal/kernel/cpu/aligned.hpp>
#include <quantal/kernel/cpu/array_kernels.hpp>
#include <quantal/kernel/cpu/conv_problem.hpp>

#include <algorithm>
#include <span>

namespace quantal {
inline namespace v0 {
namespace cpu {

/// `y = bias + sum over the window of x * w`, then the bounds of an activation, for a batch of
/// images of height x width x channels. Weights: [out, in/groups, kernel h, kernel w].
class real_conv {
public:
    real_conv(const conv_shape& shape, std::span<const float> weights, std::span<const float> bias,
              const real_bounds& bounds, const array_kernels& kernels)
        : shape_(shape), out_(shape.output()), bounds_(bounds), kernels_(kernels),
          zeros_(static_cast<std::size_t>(shape.channels)) {
        if (shape_.is_depthwise())
            pack_depthwise(weights, bias);
        else
            pack_panels(weights, bias);
    }

    [[nodiscard]] const char* describe() const {
        return shape_.is_depthwise() ? "float32 depthwise" : "float32";
    }
    [[nodiscard]] std::size_t weight_bytes() const { return weights_.size() * sizeof(float); }
    /// Scratch of one task: its rows, or the pixels of one window.
    [[nodiscard]] std::size_t workspace_bytes() const {
        if (shape_.is_depthwise())
            return static_cast<std::size_t>(shape_.positions()) * sizeof(const float*);
        return static_cast<std::size_t>(block_rows() * shape_.depth()) * sizeof(float);
    }
    [[nodiscard]] std::size_t task_count(std::int64_t batch) const {
        return static_cast<std::size_t>(row_blocks(batch) * column_blocks());
    }

    /// One task of a batch; tasks are independent of each other.
    void run_task(std::size_t task, std::int64_t batch, const float* x, float* y,
                  std::byte* workspace) const noexcept {
        const std::int64_t row_block = static_cast<std::int64_t>(task) / column_blocks();
        const std::int64_t first = row_block * block_rows();
        const std::int64_t last = std::min(first + block_rows(), batch * shape_.output_pixels());
        if (shape_.is_depthwise())
            return run_depthwise(first, last, x, y, reinterpret_cast<const float**>(workspace));
        const std::int64_t column_block = static_cast<std::int64_t>(task) % column_blocks();
        const std::int64_t panels_a_block = (panel_count() + column_blocks() - 1) / column_blocks();
        const std::int64_t panel = column_block * panels_a_block;
        run_panels(first, last, panel, std::min(panel + panels_a_block, panel_count()), x, y,
                   reinterpret_cast<float*>(workspace));
    }

private:
    /// Panels of one group.
    [[nodiscard]] std::int64_t panel_count() const {
        return (shape_.group_out() + kernels_.real_columns - 1) / kernels_.real_columns;
    }
    /// Output pixels of a task: as many tiles as keep its rows within half of a second-level cache
    /// of 512 KB, so that the weights, which stream by, are read seldom.
    [[nodiscard]] std::int64_t block_rows() const {
        constexpr std::int64_t floats = 65536, most = 8;
        if (shape_.is_depthwise()) return 64;
        const std::int64_t tile = kernels_.real_rows;
        return tile * std::clamp<std::int64_t>(floats / (shape_.depth() * tile), 1, most);
    }
    /// Layers of few pixels are cut along their output channels too.
    [[nodiscard]] std::int64_t column_blocks() const {
        constexpr std::int64_t few = 64, most = 16;
        return !shape_.is_depthwise() && shape_.op.groups == 1 && shape_.output_pixels() < few
                   ? std::min(panel_count(), most)
                   : 1;
    }
    [[nodiscard]] std::int64_t row_blocks(std::int64_t batch) const {
        return (batch * shape_.output_pixels() + block_rows() - 1) / block_rows();
    }

    /// Columns of a panel in memory: whole registers.
    [[nodiscard]] std::int64_t padded_columns(std::int64_t panel) const {
        const std::int64_t left = shape_.group_out() - panel * kernels_.real_columns;
        const std::int64_t lanes = kernels_.real_columns / real_panel_registers;
        return left > lanes ? kernels_.real_columns : lanes;
    }
    void pack_panels(std::span<const float> weights, std::span<const float> bias) {
        const std::int64_t padded =
            (panel_count() - 1) * kernels_.real_columns + padded_columns(panel_count() - 1);
        weights_.resize(static_cast<std::size_t>(shape_.op.groups * padded * shape_.depth()));
        bias_.resize(static_cast<std::size_t>(shape_.op.groups * padded));
        group_columns_ = padded;
        for (std::int64_t o = 0; o < shape_.op.out_channels; ++o) {
            const std::int64_t group = o / shape_.group_out(), column = o % shape_.group_out();
            const std::int64_t panel = column / kernels_.real_columns;
            const std::int64_t inside = column % kernels_.real_columns;
            if (!bias.empty())
                bias_[static_cast<std::size_t>(group * padded + column)] =
                    bias[static_cast<std::size_t>(o)];
            for (std::int64_t c = 0; c < shape_.group_in(); ++c)
                for (std::int64_t k = 0; k < shape_.positions(); ++k) {
                    const std::int64_t row = k * shape_.group_in() + c;
                    const std::int64_t place = group * padded * shape_.depth() +
                                               panel * kernels_.real_columns * shape_.depth() +
                                               row * padded_columns(panel) + inside;
                    weights_[static_cast<std::size_t>(place)] = weights[static_cast<std::size_t>(
                        (o * shape_.group_in() + c) * shape_.positions() + k)];
                }
        }
    }
    void pack_depthwise(std::span<const float> weights, std::span<const float> bias) {
        const std::int64_t lanes = kernels_.real_columns / real_panel_registers;
        group_columns_ = (shape_.channels + lanes - 1) / lanes * lanes;
        weights_.resize(static_cast<std::size_t>(group_columns_ * shape_.positions()));
        bias_.resize(static_cast<std::size_t>(group_columns_));
        std::copy(bias.begin(), bias.end(), bias_.begin());
        for (std::int64_t c = 0; c < shape_.channels; ++c)
            for (std::int64_t k = 0; k < shape_.positions(); ++k)
                weights_[static_cast<std::size_t>(k * group_columns_ + c)] =
                    weights[static_cast<std::size_t>(c * shape_.positions() + k)];
    }

    /// Calls `f(position, input pixel or zeros)` for the window of an output pixel of the batch.
    template <class F>
    void for_window(std::int64_t pixel, const float* x, F&& f) const {
        const std::int64_t inside = pixel % shape_.output_pixels();
        const float* image =
            x + pixel / shape_.output_pixels() * shape_.image.h * shape_.image.w * shape_.channels;
        const std::int64_t y0 = inside / out_.w * shape_.op.stride.h - shape_.op.padding.top;
        const std::int64_t x0 = inside % out_.w * shape_.op.stride.w - shape_.op.padding.left;
        for (std::int64_t ky = 0, k = 0; ky < shape_.op.kernel.h; ++ky)
            for (std::int64_t kx = 0; kx < shape_.op.kernel.w; ++kx, ++k) {
                const std::int64_t iy = y0 + ky * shape_.op.dilation.h,
                                   ix = x0 + kx * shape_.op.dilation.w;
                const bool within =
                    iy >= 0 && iy < shape_.image.h && ix >= 0 && ix < shape_.image.w;
                f(k, within ? image + (iy * shape_.image.w + ix) * shape_.channels : zeros_.data());
            }
    }
    void run_depthwise(std::int64_t first, std::int64_t last, const float* x, float* y,
                       const float** window) const noexcept {
        for (std::int64_t pixel = first; pixel < last; ++pixel) {
            for_window(pixel, x, [&](std::int64_t k, const float* from) { window[k] = from; });
            kernels_.real_depthwise({window, shape_.positions(), shape_.channels, weights_.data(),
                                     group_columns_, bias_.data(), bounds_,
                                     y + pixel * shape_.channels});
        }
    }
    void run_panels(std::int64_t first, std::int64_t last, std::int64_t first_panel,
                    std::int64_t last_panel, const float* x, float* y, float* rows) const noexcept {
        for (std::int64_t group = 0; group < shape_.op.groups; ++group) {
            const std::int64_t channel = group * shape_.group_in();
            if (!shape_.is_pointwise())
                for (std::int64_t pixel = first; pixel < last; ++pixel)
                    for_window(pixel, x, [&](std::int64_t k, const float* from) {
                        std::copy_n(from + channel, shape_.group_in(),
                                    rows + (pixel - first) * shape_.depth() +
                                        k * shape_.group_in());
                    });
            real_panel_call call{
                .rows = shape_.is_pointwise() ? x + first * shape_.channels + channel : rows,
                .stride = shape_.is_pointwise() ? shape_.channels : shape_.depth(),
                .count = last - first,
                .panel = nullptr,
                .depth = shape_.depth(),
                .columns = 0,
                .bias = nullptr,
                .bounds = bounds_,
                .y = nullptr,
                .pitch = shape_.op.out_channels,
            };
            for (std::int64_t panel = first_panel; panel < last_panel; ++panel) {
                const std::int64_t column = panel * kernels_.real_columns;
                call.panel = weights_.data() + (group * group_columns_ + column) * shape_.depth();
                call.columns =
                    std::min<std::int64_t>(shape_.group_out() - column, kernels_.real_columns);
                call.bias = bias_.data() + group * group_columns_ + column;
                call.y = y + first * shape_.op.out_channels + group * shape_.group_out() + column;
                kernels_.multiply_real_panel(call);
            }
        }
    }

    conv_shape shape_;
    hw out_;
    real_bounds bounds_;
    const array_kernels& kernels_;
    aligned_vector<float> zeros_, weights_, bias_;
    std::int64_t group_columns_ = 0; ///< of one group, in whole registers
};

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
