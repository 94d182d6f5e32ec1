// SPDX-License-Identifier: Apache-2.0
/// Linear layers: few rows, every weight used once a row. Weights stay at their real width.
#ifndef QUANTAL_KERNEL_CPU_NARROW_CONV_HPP
#define QUANTAL_KERNEL_CPU_NARROW_CONV_HPP

#include <quantal/kernel/cpu/conv_layer.hpp>
#include <quantal/kernel/cpu/conv_problem.hpp>
#include <quantal/kernel/cpu/narrow_panels.hpp>

namespace quantal {
inline namespace v0 {
namespace cpu {

/// A pointwise convolution of one group whose image is one pixel: `x [batch, in] * w [out, in]`.
class narrow_conv : public conv_layer {
public:
    /// Whether a layer can be computed so: each channel's weights span at most 255.
    [[nodiscard]] static bool can_do(const conv_problem& p) {
        if (!p.shape.is_pointwise() || p.shape.op.groups != 1 || p.shape.image != hw(1))
            return false;
        return narrow_panels::widest(p.weights, p.shape.channels) <= 255;
    }

    narrow_conv(const conv_problem& p, const kernel_set& kernels)
        : kernels_(kernels), in_(static_cast<std::size_t>(p.shape.channels)),
          out_(static_cast<std::size_t>(p.shape.op.out_channels)),
          width_(static_cast<std::size_t>(kernels.narrow_columns)), rule_(p.rule),
          weights_(kernels, p.u_max, p.shape.op.out_channels, p.shape.channels, p.shape.channels,
                   p.weights) {
        bias_.resize(panels() * width_);
        multipliers_.resize(bias_.size());
        for (std::size_t o = 0; o < out_; ++o) {
            bias_[o] = folded_bias(p, o);
            if (!p.multipliers.empty()) multipliers_[o] = p.multipliers[o];
        }
    }

    [[nodiscard]] std::string describe() const override {
        return std::string(kernels_.name) + " narrow" + std::to_string(weights_.bits());
    }
    [[nodiscard]] std::size_t weight_bytes() const override { return weights_.bytes(); }
    [[nodiscard]] std::size_t workspace_bytes() const override {
        return in_place() ? 0 : whole_lines(rows_at_once * row_bytes());
    }
    [[nodiscard]] std::size_t task_count(const conv_call& call) const override {
        constexpr std::size_t most = 64; // enough for any number of threads to end together
        return call.batch == 0 ? 0 : std::min(panels(), most);
    }
    void run_task(std::size_t task, const conv_call& call,
                  std::byte* workspace) const noexcept override {
        const std::size_t tasks = task_count(call);
        const std::size_t begin = panels() * task / tasks, end = panels() * (task + 1) / tasks;
        const auto batch = static_cast<std::size_t>(call.batch);
        if (in_place()) return run_rows(call, 0, batch, call.x, begin, end);
        for (std::size_t row = 0; row < batch; row += rows_at_once) {
            const std::size_t count = std::min(rows_at_once, batch - row);
            weights_.layout().gather(kernels_, form::bytes, call.x + row * in_,
                                     static_cast<std::int64_t>(count), workspace);
            run_rows(call, row, count, reinterpret_cast<const std::uint8_t*>(workspace), begin,
                     end);
        }
    }

private:
    static constexpr std::size_t rows_at_once = 32;

    [[nodiscard]] std::size_t panels() const { return static_cast<std::size_t>(weights_.count()); }
    [[nodiscard]] std::size_t row_bytes() const {
        return static_cast<std::size_t>(weights_.layout().elements());
    }
    [[nodiscard]] bool in_place() const { return weights_.layout().is_dense(); }

    void run_rows(const conv_call& call, std::size_t first, std::size_t count,
                  const std::uint8_t* rows, std::size_t panel, std::size_t end) const {
        const output out{static_cast<std::byte*>(call.y), call.other,
                         static_cast<std::ptrdiff_t>(out_)};
        for (; panel < end; ++panel) {
            const std::size_t column = panel * width_;
            narrow_call c = weights_.call(static_cast<std::int64_t>(panel));
            c.rows = rows;
            c.count = static_cast<std::ptrdiff_t>(count);
            c.bias = bias_.data() + column;
            c.multipliers = multipliers_.data() + column;
            c.rule = &rule_;
            c.out = out.at(rule_, static_cast<std::ptrdiff_t>(first),
                           static_cast<std::ptrdiff_t>(column));
            weights_.multiply(c);
        }
    }

    const kernel_set& kernels_;
    std::size_t in_, out_, width_;
    finish_rule rule_;
    narrow_panels weights_;
    aligned_vector<std::int32_t> bias_; ///< of every column of every panel
    aligned_vector<float> multipliers_;
};

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
