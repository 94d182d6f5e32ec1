// SPDX-License-Identifier: Apache-2.0
/// Linear layers: few rows, every weight used once a row. Weights stay at their real width.
#ifndef QUANTAL_KERNEL_CPU_NARROW_CONV_HPP
#define QUANTAL_KERNEL_CPU_NARROW_CONV_HPP

#include <quantal/kernel/cpu/aligned.hpp>
#include <quantal/kernel/cpu/conv_layer.hpp>
#include <quantal/kernel/cpu/conv_problem.hpp>
#include <quantal/kernel/cpu/kernels.hpp>
#include <quantal/kernel/cpu/sum_bounds.hpp>

#include <algorithm>
#include <cstring>

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
        return widest(p) <= 255;
    }

    narrow_conv(const conv_problem& p, const kernel_set& kernels)
        : kernels_(kernels), in_(static_cast<std::size_t>(p.shape.channels)),
          out_(static_cast<std::size_t>(p.shape.op.out_channels)),
          width_(static_cast<std::size_t>(kernels.narrow_columns)), rule_(p.rule),
          bits_(widest(p) <= 3    ? 2
                : widest(p) <= 15 ? 4
                                  : 8) {
        const auto steps = static_cast<std::size_t>(8 / bits_);
        groups_ = (in_ + 4 * steps - 1) / (4 * steps);
        const std::int64_t products = products_before_widening(p.u_max, 0, (1 << bits_) - 1);
        short_groups_ = std::max<std::int64_t>(products / 2 / (8 / bits_), 1);
        const std::size_t columns = panels() * width_;
        bias_.resize(columns);
        offsets_.resize(columns);
        multipliers_.resize(columns);
        packed_.resize(columns * groups_ * 4);
        for (std::size_t o = 0; o < out_; ++o)
            pack(p, o);
    }

    [[nodiscard]] std::string describe() const override {
        return std::string(kernels_.name) + " narrow" + std::to_string(bits_);
    }
    [[nodiscard]] std::size_t workspace_bytes() const override {
        return in_place() ? 0 : whole_lines(rows_at_once * row_bytes());
    }
    [[nodiscard]] std::size_t task_count(std::int64_t batch) const override {
        constexpr std::size_t most = 64; // enough for any number of threads to end together
        return batch == 0 ? 0 : std::min(panels(), most);
    }
    void run_task(std::size_t task, const conv_call& call,
                  std::byte* workspace) const noexcept override {
        const std::size_t tasks = task_count(call.batch);
        const std::size_t begin = panels() * task / tasks, end = panels() * (task + 1) / tasks;
        const auto batch = static_cast<std::size_t>(call.batch);
        if (in_place()) return run_rows(call, 0, batch, call.x, begin, end);
        auto* rows = reinterpret_cast<std::uint8_t*>(workspace);
        for (std::size_t row = 0; row < batch; row += rows_at_once) {
            const std::size_t count = std::min(rows_at_once, batch - row);
            for (std::size_t i = 0; i < count; ++i) {
                std::memcpy(rows + i * row_bytes(), call.x + (row + i) * in_, in_);
                std::memset(rows + i * row_bytes() + in_, 0, row_bytes() - in_);
            }
            run_rows(call, row, count, rows, begin, end);
        }
    }

private:
    static constexpr std::size_t rows_at_once = 32;

    struct extremes {
        std::int32_t lo, hi;
    };
    [[nodiscard]] static extremes of_channel(const conv_problem& p, std::size_t o) {
        const auto in = static_cast<std::size_t>(p.shape.channels);
        const auto row = p.weights.subspan(o * in, in);
        const auto [lo, hi] = std::minmax_element(row.begin(), row.end());
        return {*lo, *hi};
    }
    [[nodiscard]] static std::int32_t widest(const conv_problem& p) {
        std::int32_t result = 0;
        for (std::size_t o = 0; o < p.bias.size(); ++o)
            result = std::max(result, of_channel(p, o).hi - of_channel(p, o).lo);
        return result;
    }

    [[nodiscard]] std::size_t panels() const { return (out_ + width_ - 1) / width_; }
    [[nodiscard]] std::size_t row_bytes() const {
        return groups_ * 4 * static_cast<std::size_t>(8 / bits_);
    }
    [[nodiscard]] bool in_place() const { return row_bytes() == in_; }

    /// Channel `o`: its weights less an offset that makes them unsigned, or signed bytes at 8 bits.
    void pack(const conv_problem& p, std::size_t o) {
        const std::int32_t lowest = bits_ == 8 ? -128 : 0;
        const extremes range = of_channel(p, o);
        const bool fits = bits_ == 8 && range.lo >= -128 && range.hi <= 127;
        offsets_[o] = fits ? 0 : range.lo - lowest;
        auto start = static_cast<std::uint32_t>(p.bias[o]);
        const auto steps = static_cast<std::size_t>(8 / bits_);
        std::byte* panel = packed_.data() + o / width_ * width_ * groups_ * 4;
        for (std::size_t k = 0; k < in_; ++k) {
            const std::int32_t w = p.weights[o * in_ + k];
            start -= static_cast<std::uint32_t>(p.zero_point * w);
            const std::size_t group = k / (4 * steps), step = k / 4 % steps;
            std::byte& byte = panel[(group * width_ + o % width_) * 4 + k % 4];
            const auto code = static_cast<std::uint32_t>(w - offsets_[o]) & ((1u << bits_) - 1u);
            byte |= static_cast<std::byte>(code << (step * static_cast<std::size_t>(bits_)));
        }
        bias_[o] = static_cast<std::int32_t>(start);
        if (!p.multipliers.empty()) multipliers_[o] = p.multipliers[o];
    }

    void run_rows(const conv_call& call, std::size_t first, std::size_t count,
                  const std::uint8_t* rows, std::size_t panel, std::size_t end) const {
        const output out{static_cast<std::byte*>(call.y), call.other,
                         static_cast<std::ptrdiff_t>(out_)};
        for (; panel < end; ++panel) {
            const std::size_t column = panel * width_;
            narrow_call c{};
            c.rows = rows;
            c.stride = static_cast<std::ptrdiff_t>(row_bytes());
            c.count = static_cast<std::ptrdiff_t>(count);
            c.panel = packed_.data() + column * groups_ * 4;
            c.groups = static_cast<std::ptrdiff_t>(groups_);
            c.short_groups = short_groups_;
            c.columns = static_cast<int>(std::min(width_, out_ - column));
            c.bias = bias_.data() + column;
            c.offsets = offsets_.data() + column;
            c.multipliers = multipliers_.data() + column;
            c.rule = &rule_;
            c.out = out.at(rule_, static_cast<std::ptrdiff_t>(first),
                           static_cast<std::ptrdiff_t>(column));
            kernels_.multiply_narrow[bits_ / 4](c);
        }
    }

    const kernel_set& kernels_;
    std::size_t in_, out_, width_;
    finish_rule rule_;
    int bits_;
    std::size_t groups_;
    std::int64_t short_groups_;
    aligned_vector<std::int32_t> bias_, offsets_;
    aligned_vector<float> multipliers_;
    aligned_vector<std::byte> packed_;
};

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
