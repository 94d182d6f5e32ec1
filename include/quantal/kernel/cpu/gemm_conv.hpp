// SPDX-License-Identifier: Apache-2.0
/// Convolutions as products of matrices: a block of output pixels becomes rows of operands that
/// stay in cache and meet every panel.
#ifndef QUANTAL_KERNEL_CPU_GEMM_CONV_HPP
#define QUANTAL_KERNEL_CPU_GEMM_CONV_HPP

#include <quantal/kernel/cpu/conv_layer.hpp>
#include <quantal/kernel/cpu/operand_rows.hpp>
#include <quantal/kernel/cpu/packed_weights.hpp>
#include <quantal/kernel/cpu/task_grid.hpp>

namespace quantal {
inline namespace v0 {
namespace cpu {

class gemm_conv : public conv_layer {
public:
    /// How the products of a layer would be summed. Rows of bytes lie alike, whether or not pairs
    /// of them are summed in int16.
    [[nodiscard]] static sum_plan plan(const conv_problem& p, const kernel_set& kernels) {
        const operand_rows rows(p.shape, p.zero_point, form::shorts, kernels);
        return plan_sums(kernels, p.u_max, rows.in_order(p.weights),
                         static_cast<std::size_t>(rows.depth()));
    }

    gemm_conv(const conv_problem& p, const sum_plan& sums, const kernel_set& kernels)
        : kernels_(kernels), shape_(p.shape), rule_(p.rule), sums_(sums),
          rows_(p.shape, p.zero_point, sums_.how, kernels), most_rows_(most_rows()) {
        const std::vector<std::int16_t> weights = rows_.in_order(p.weights);
        const auto depth = static_cast<std::size_t>(rows_.depth());
        const auto columns = static_cast<std::size_t>(shape_.group_out());
        for (std::size_t g = 0; g < weights.size(); g += columns * depth)
            panels_.emplace_back(kernels, sums_.how, shape_.group_out(), rows_.depth(),
                                 std::span(weights).subspan(g, columns * depth));
        const auto padded = static_cast<std::size_t>(panels_[0].count() * kernels.panel_columns);
        bias_.resize(padded * panels_.size());
        multipliers_.resize(bias_.size());
        for (std::size_t o = 0; o < p.bias.size(); ++o) {
            const std::size_t place = o / columns * padded + o % columns;
            bias_[place] = folded_bias(p, o);
            if (!p.multipliers.empty()) multipliers_[place] = p.multipliers[o];
        }
    }

    [[nodiscard]] std::string describe() const override {
        return std::string(kernels_.name) + ' ' + name_of(sums_.how);
    }
    [[nodiscard]] std::size_t weight_bytes() const override {
        return panels_.size() * panels_[0].bytes();
    }
    [[nodiscard]] std::size_t workspace_bytes() const override {
        return partial_bytes() + static_cast<std::size_t>(rows_.bytes(most_rows_));
    }
    [[nodiscard]] std::size_t task_count(const conv_call& call) const override {
        return cut(call).count();
    }
    void run_task(std::size_t task, const conv_call& call,
                  std::byte* workspace) const noexcept override {
        const task_grid g = cut(call);
        const auto [block, panel, end] = g.part_of(task, panels_[0].count());
        const std::int64_t first = first_row(call, block, g);
        const std::int64_t rows = first_row(call, block + 1, g) - first;
        if (rows == 0) return;
        for (std::int64_t group = 0; group < shape_.op.groups; ++group)
            run_block(call, group, first, rows, panel, end, workspace);
    }

private:
    [[nodiscard]] std::size_t partial_bytes() const {
        return whole_lines(static_cast<std::size_t>(most_rows_ * kernels_.panel_columns * 4));
    }

    /// A block of rows fills at most half of a second-level cache of 256 KiB, and the output of a
    /// block of short rows is not much longer than the block.
    [[nodiscard]] std::int64_t most_rows() const {
        constexpr std::int64_t most = 256, least = 64, most_bytes = std::int64_t{256} << 10;
        const std::int64_t tile = kernels_.tile_rows;
        std::int64_t rows = most / tile * tile;
        while (rows > least && rows_.bytes(rows) > most_bytes)
            rows -= tile;
        return rows;
    }
    [[nodiscard]] task_grid cut(const conv_call& call) const {
        constexpr double preparing = 0.05; // of copied rows; only decides between near cuts
        return task_grid::make(divided_up(call.batch * shape_.output_pixels(), most_rows_),
                               panels_[0].count(), call.workers, preparing);
    }
    /// Blocks are whole tiles, but for the last one, and as equal as that allows.
    [[nodiscard]] std::int64_t first_row(const conv_call& call, std::int64_t block,
                                         const task_grid& g) const {
        const std::int64_t rows = call.batch * shape_.output_pixels(), tile = kernels_.tile_rows;
        return std::min(divided_up(rows, tile) * block / g.blocks * tile, rows);
    }

    void run_block(const conv_call& call, std::int64_t group, std::int64_t first, std::int64_t rows,
                   std::int64_t panel, std::int64_t end, std::byte* workspace) const {
        panel_call c{};
        c.partial = reinterpret_cast<std::int32_t*>(workspace);
        rows_.prepare(call.x, group * shape_.group_in(), first, rows, workspace + partial_bytes(),
                      c);
        c.steps = panels_[0].steps();
        c.short_steps = sums_.short_steps;
        c.rule = &rule_;
        const output out{static_cast<std::byte*>(call.y), call.other, shape_.op.out_channels};
        const std::int64_t padded = panels_[0].count() * kernels_.panel_columns;
        for (; panel < end; ++panel) {
            const packed_panels& p = panels_[static_cast<std::size_t>(group)];
            const std::int64_t column = p.first_column(panel);
            c.panel = p.data(panel);
            c.columns = p.columns(panel);
            c.bias = bias_.data() + group * padded + column;
            c.multipliers = multipliers_.data() + group * padded + column;
            c.out = out.at(rule_, first, group * shape_.group_out() + column);
            kernels_.multiply_panel[static_cast<int>(sums_.how)](c);
        }
    }

    const kernel_set& kernels_;
    conv_shape shape_;
    finish_rule rule_;
    sum_plan sums_;
    operand_rows rows_;
    std::int64_t most_rows_;
    std::vector<packed_panels> panels_; ///< one a group
    aligned_vector<std::int32_t> bias_; ///< of every column of every panel, as are the multipliers
    aligned_vector<float> multipliers_;
};

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
