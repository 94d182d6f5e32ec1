// SPDX-License-Identifier: Apache-2.0
/// A convolution in float32 that is ready to run: weights packed for one instruction set, work cut
/// into tasks.
#ifndef QUANTAL_KERNEL_CPU_REAL_CONV_HPP
#define QUANTAL_KERNEL_CPU_REAL_CONV_HPP

#include <quantal/kernel/cpu/aligned.hpp>
#include <quantal/kernel/cpu/array_kernels.hpp>
#include <quantal/kernel/reference/geometry.hpp>

#include <algorithm>
#include <span>

namespace quantal {
inline namespace v0 {
namespace cpu {

/// `y = bias + sum over the window of x * w`, then the bounds of an activation, for a batch of
/// images of height x width x channels. Weights: [out, in/groups, kernel h, kernel w].
class real_conv {
public:
    real_conv(const op::conv2d& o, const reference::image_shape& in,
              const reference::image_shape& out, std::span<const float> weights,
              std::span<const float> bias, const real_bounds& bounds, const array_kernels& kernels)
        : win_(reference::window_of(o, in, out)), channels_(in.channels),
          out_channels_(out.channels), groups_(o.groups), bounds_(bounds), kernels_(kernels),
          zeros_(static_cast<std::size_t>(in.channels)) {
        if (is_depthwise())
            pack_depthwise(weights, bias);
        else
            pack_panels(weights, bias);
    }

    [[nodiscard]] const char* describe() const {
        return is_depthwise() ? "float32 depthwise" : "float32";
    }
    [[nodiscard]] std::size_t weight_bytes() const { return weights_.size() * sizeof(float); }
    /// Scratch of one task: its rows, or the pixels of one window.
    [[nodiscard]] std::size_t workspace_bytes() const {
        if (is_depthwise()) return static_cast<std::size_t>(positions()) * sizeof(const float*);
        return static_cast<std::size_t>(block_rows() * depth()) * sizeof(float);
    }
    [[nodiscard]] std::size_t task_count(std::int64_t batch) const {
        return static_cast<std::size_t>(row_blocks(batch) * column_blocks());
    }

    /// One task of a batch; tasks are independent of each other.
    void run_task(std::size_t task, std::int64_t batch, const float* x, float* y,
                  std::byte* workspace) const noexcept {
        const std::int64_t row_block = static_cast<std::int64_t>(task) / column_blocks();
        const std::int64_t first = row_block * block_rows();
        const std::int64_t last = std::min(first + block_rows(), batch * pixels());
        if (is_depthwise())
            return run_depthwise(first, last, x, y, reinterpret_cast<const float**>(workspace));
        const std::int64_t column_block = static_cast<std::int64_t>(task) % column_blocks();
        const std::int64_t panels_a_block = (panel_count() + column_blocks() - 1) / column_blocks();
        const std::int64_t panel = column_block * panels_a_block;
        run_panels(first, last, panel, std::min(panel + panels_a_block, panel_count()), x, y,
                   reinterpret_cast<float*>(workspace));
    }

private:
    [[nodiscard]] std::int64_t group_in() const { return channels_ / groups_; }
    [[nodiscard]] std::int64_t group_out() const { return out_channels_ / groups_; }
    [[nodiscard]] bool is_depthwise() const { return group_in() == 1 && group_out() == 1; }
    [[nodiscard]] std::int64_t positions() const { return win_.kernel.h * win_.kernel.w; }
    [[nodiscard]] std::int64_t depth() const { return positions() * group_in(); }
    [[nodiscard]] std::int64_t pixels() const { return win_.out.h * win_.out.w; }
    /// Panels of one group.
    [[nodiscard]] std::int64_t panel_count() const {
        return (group_out() + kernels_.real_columns - 1) / kernels_.real_columns;
    }
    /// Output pixels of a task: as many tiles as keep its rows within half of a second-level cache
    /// of 512 KB, so that the weights, which stream by, are read seldom.
    [[nodiscard]] std::int64_t block_rows() const {
        constexpr std::int64_t floats = 65536, most = 8;
        if (is_depthwise()) return 64;
        const std::int64_t tile = kernels_.real_rows;
        return tile * std::clamp<std::int64_t>(floats / (depth() * tile), 1, most);
    }
    /// Layers of few pixels are cut along their output channels too.
    [[nodiscard]] std::int64_t column_blocks() const {
        constexpr std::int64_t few = 64, most = 16;
        return !is_depthwise() && groups_ == 1 && pixels() < few ? std::min(panel_count(), most)
                                                                 : 1;
    }
    [[nodiscard]] std::int64_t row_blocks(std::int64_t batch) const {
        return (batch * pixels() + block_rows() - 1) / block_rows();
    }

    /// Columns of a panel in memory: whole registers.
    [[nodiscard]] std::int64_t padded_columns(std::int64_t panel) const {
        const std::int64_t left = group_out() - panel * kernels_.real_columns;
        const std::int64_t lanes = kernels_.real_columns / real_panel_registers;
        return left > lanes ? kernels_.real_columns : lanes;
    }
    void pack_panels(std::span<const float> weights, std::span<const float> bias) {
        const std::int64_t padded =
            (panel_count() - 1) * kernels_.real_columns + padded_columns(panel_count() - 1);
        weights_.resize(static_cast<std::size_t>(groups_ * padded * depth()));
        bias_.resize(static_cast<std::size_t>(groups_ * padded));
        group_columns_ = padded;
        for (std::int64_t o = 0; o < out_channels_; ++o) {
            const std::int64_t group = o / group_out(), column = o % group_out();
            const std::int64_t panel = column / kernels_.real_columns;
            const std::int64_t inside = column % kernels_.real_columns;
            if (!bias.empty())
                bias_[static_cast<std::size_t>(group * padded + column)] =
                    bias[static_cast<std::size_t>(o)];
            for (std::int64_t c = 0; c < group_in(); ++c)
                for (std::int64_t k = 0; k < positions(); ++k) {
                    const std::int64_t row = k * group_in() + c;
                    const std::int64_t place = group * padded * depth() +
                                               panel * kernels_.real_columns * depth() +
                                               row * padded_columns(panel) + inside;
                    weights_[static_cast<std::size_t>(place)] =
                        weights[static_cast<std::size_t>((o * group_in() + c) * positions() + k)];
                }
        }
    }
    void pack_depthwise(std::span<const float> weights, std::span<const float> bias) {
        const std::int64_t lanes = kernels_.real_columns / real_panel_registers;
        group_columns_ = (channels_ + lanes - 1) / lanes * lanes;
        weights_.resize(static_cast<std::size_t>(group_columns_ * positions()));
        bias_.resize(static_cast<std::size_t>(group_columns_));
        std::copy(bias.begin(), bias.end(), bias_.begin());
        for (std::int64_t c = 0; c < channels_; ++c)
            for (std::int64_t k = 0; k < positions(); ++k)
                weights_[static_cast<std::size_t>(k * group_columns_ + c)] =
                    weights[static_cast<std::size_t>(c * positions() + k)];
    }

    /// Calls `f(position, input pixel or zeros)` for the window of an output pixel of the batch.
    template <class F>
    void for_window(std::int64_t pixel, const float* x, F&& f) const {
        const std::int64_t inside = pixel % pixels();
        const float* image = x + pixel / pixels() * win_.in.h * win_.in.w * channels_;
        const std::int64_t y0 = inside / win_.out.w * win_.stride.h - win_.top;
        const std::int64_t x0 = inside % win_.out.w * win_.stride.w - win_.left;
        for (std::int64_t ky = 0, k = 0; ky < win_.kernel.h; ++ky)
            for (std::int64_t kx = 0; kx < win_.kernel.w; ++kx, ++k) {
                const std::int64_t iy = y0 + ky * win_.dilation.h, ix = x0 + kx * win_.dilation.w;
                const bool within = iy >= 0 && iy < win_.in.h && ix >= 0 && ix < win_.in.w;
                f(k, within ? image + (iy * win_.in.w + ix) * channels_ : zeros_.data());
            }
    }
    void run_depthwise(std::int64_t first, std::int64_t last, const float* x, float* y,
                       const float** window) const noexcept {
        for (std::int64_t pixel = first; pixel < last; ++pixel) {
            for_window(pixel, x, [&](std::int64_t k, const float* from) { window[k] = from; });
            kernels_.real_depthwise({window, positions(), channels_, weights_.data(),
                                     group_columns_, bias_.data(), bounds_, y + pixel * channels_});
        }
    }
    /// A 1x1 convolution of stride 1 reads its rows where they are.
    [[nodiscard]] bool reads_in_place() const {
        return positions() == 1 && win_.stride == hw(1) && win_.in == win_.out;
    }
    void run_panels(std::int64_t first, std::int64_t last, std::int64_t first_panel,
                    std::int64_t last_panel, const float* x, float* y, float* rows) const noexcept {
        for (std::int64_t group = 0; group < groups_; ++group) {
            const std::int64_t channel = group * group_in();
            if (!reads_in_place())
                for (std::int64_t pixel = first; pixel < last; ++pixel)
                    for_window(pixel, x, [&](std::int64_t k, const float* from) {
                        std::copy_n(from + channel, group_in(),
                                    rows + (pixel - first) * depth() + k * group_in());
                    });
            real_panel_call call{
                .rows = reads_in_place() ? x + first * channels_ + channel : rows,
                .stride = reads_in_place() ? channels_ : depth(),
                .count = last - first,
                .panel = nullptr,
                .depth = depth(),
                .columns = 0,
                .bias = nullptr,
                .bounds = bounds_,
                .y = nullptr,
                .pitch = out_channels_,
            };
            for (std::int64_t panel = first_panel; panel < last_panel; ++panel) {
                const std::int64_t column = panel * kernels_.real_columns;
                call.panel = weights_.data() + (group * group_columns_ + column) * depth();
                call.columns = std::min<std::int64_t>(group_out() - column, kernels_.real_columns);
                call.bias = bias_.data() + group * group_columns_ + column;
                call.y = y + first * out_channels_ + group * group_out() + column;
                kernels_.multiply_real_panel(call);
            }
        }
    }

    reference::window win_;
    std::int64_t channels_, out_channels_, groups_;
    real_bounds bounds_;
    const array_kernels& kernels_;
    aligned_vector<float> zeros_, weights_, bias_;
    std::int64_t group_columns_ = 0; ///< of one group, in whole registers
};

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
