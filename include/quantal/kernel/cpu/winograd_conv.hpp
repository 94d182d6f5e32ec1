// SPDX-License-Identifier: Apache-2.0
/// 3x3 convolutions of stride 1 by Winograd's filtering, exact for every input: a block of tiles is
/// transformed, meets the panels of weights position by position, and is transformed back.
#ifndef QUANTAL_KERNEL_CPU_WINOGRAD_CONV_HPP
#define QUANTAL_KERNEL_CPU_WINOGRAD_CONV_HPP

#include <quantal/kernel/cpu/conv_layer.hpp>
#include <quantal/kernel/cpu/task_grid.hpp>
#include <quantal/kernel/cpu/winograd_panels.hpp>

namespace quantal {
inline namespace v0 {
namespace cpu {

template <int Outputs>
class winograd_conv : public conv_layer {
    using rule = winograd<Outputs>;
    using plan = winograd_plan<Outputs>;
    static constexpr std::size_t positions = plan::positions;

public:
    winograd_conv(const conv_problem& p, const plan& how, const kernel_set& kernels)
        : winograd_conv(p, how, kernels,
                        how.product == form::words && how.steps_at_once
                            ? std::vector<std::int16_t>() // nothing reads them
                            : plan::transformed(p)) {}

    [[nodiscard]] std::string describe() const override {
        return std::string(kernels_.name) + (Outputs == 2 ? " winograd 2x2 " : " winograd 4x4 ") +
               name_of(how_.product) + (how_.steps_at_once ? " on the fly" : "");
    }
    [[nodiscard]] std::size_t weight_bytes() const override { return panels_.bytes(); }
    [[nodiscard]] std::size_t workspace_bytes() const override {
        return whole_lines(rows_bytes()) + whole_lines(sums_bytes()) + panels_.scratch_bytes();
    }
    [[nodiscard]] std::size_t task_count(const conv_call& call) const override {
        return cut(call).count();
    }
    void run_task(std::size_t task, const conv_call& call,
                  std::byte* workspace) const noexcept override {
        const task_grid g = cut(call);
        const std::int64_t all = call.batch * plan::tiles_of(shape_);
        auto [block, panel, end] = g.part_of(task, panels_.count());
        const std::int64_t first = all * block / g.blocks;
        const std::int64_t count = all * (block + 1) / g.blocks - first;
        if (count == 0) return;
        auto* sums = reinterpret_cast<std::int32_t*>(workspace + whole_lines(rows_bytes()));
        tile_place at = place(first);
        for (std::int64_t t = 0; t < count; ++t, advance(at))
            transform(call, at, workspace + t * how_.row_bytes, count * how_.row_bytes);
        for (; panel < end; ++panel) {
            multiply(panel, count, workspace, sums);
            at = place(first);
            for (std::int64_t t = 0; t < count; ++t, advance(at))
                finish(call, panel, at, sums + t * panels_.padded(panel),
                       count * panels_.padded(panel));
        }
    }

private:
    winograd_conv(const conv_problem& p, const plan& how, const kernel_set& kernels,
                  const std::vector<std::int16_t>& weights)
        : kernels_(kernels), shape_(p.shape), zero_point_(p.zero_point), rule_(p.rule), how_(how),
          panels_(kernels, how, p, weights) {
        const auto out = static_cast<std::size_t>(shape_.op.out_channels);
        const std::size_t pairs = out * static_cast<std::size_t>(shape_.channels);
        const auto padded = static_cast<std::size_t>(panels_.count() * kernels.panel_columns);
        bias_.assign(p.bias.begin(), p.bias.end());
        bias_.resize(padded);
        multipliers_.assign(p.multipliers.begin(), p.multipliers.end());
        multipliers_.resize(padded);
        starts_.resize(positions * padded);
        if (how_.product == form::words) return; // whose excess is 0
        for (std::size_t i = 0; i < positions * pairs; ++i)
            starts_[i / pairs * padded + i % pairs / (pairs / out)] -=
                how_.excess[i / pairs] * weights[i];
    }

    [[nodiscard]] task_grid cut(const conv_call& call) const {
        constexpr double preparing = 0.25; // of 64 channels; only decides between near cuts
        return task_grid::make(divided_up(call.batch * plan::tiles_of(shape_), winograd_block),
                               panels_.count(), call.workers, preparing);
    }
    /// Where a tile lies.
    struct tile_place {
        std::int64_t image, y, x; ///< first output pixel
    };
    [[nodiscard]] tile_place place(std::int64_t tile) const {
        const std::int64_t each = plan::tiles_of(shape_);
        const std::int64_t across = plan::tiles_along(shape_.output().w);
        return {tile / each, tile % each / across * Outputs, tile % each % across * Outputs};
    }
    /// From a tile to the next one, without place's divisions, which took a tenth of 56^2 x 64.
    void advance(tile_place& at) const {
        at.x += Outputs;
        if (at.x < shape_.output().w) return;
        at.x = 0;
        at.y += Outputs;
        if (at.y < shape_.output().h) return;
        at.y = 0;
        ++at.image;
    }
    [[nodiscard]] std::size_t rows_bytes() const {
        return positions * static_cast<std::size_t>(winograd_block * how_.row_bytes);
    }
    [[nodiscard]] std::size_t sums_bytes() const {
        return positions * static_cast<std::size_t>(winograd_block * kernels_.panel_columns * 4);
    }

    void transform(const conv_call& call, const tile_place& at, std::byte* rows,
                   std::int64_t next) const {
        const std::int64_t each = shape_.image.h * shape_.image.w * shape_.channels;
        const winograd_input in{call.x + at.image * each,
                                at.y - shape_.op.padding.top,
                                at.x - shape_.op.padding.left,
                                shape_.image.h,
                                shape_.image.w,
                                shape_.channels,
                                zero_point_,
                                rows,
                                next,
                                how_.raised.data()};
        if (how_.product == form::words)
            kernels_.winograd_transform[Outputs / 4](in);
        else
            kernels_.winograd_transform_bytes(in);
    }

    /// All tiles of the block times one panel: [position][tile][column].
    void multiply(std::int64_t panel, std::int64_t count, std::byte* workspace,
                  std::int32_t* sums) const {
        std::byte* scratch = reinterpret_cast<std::byte*>(sums) + whole_lines(sums_bytes());
        const std::int64_t all = panels_.steps(), most = panels_.steps_at_once();
        for (std::int64_t step = 0; step < all; step += most) {
            const step_part part{step, std::min(most, all - step)};
            panels_.prepare(panel, part, scratch);
            multiply(panel, part, count, workspace, sums, scratch);
        }
    }
    void multiply(std::int64_t panel, const step_part& part, std::int64_t count,
                  std::byte* workspace, std::int32_t* sums, const std::byte* scratch) const {
        static constexpr finish_rule as_sums{};
        const std::int64_t padded = panels_.count() * kernels_.panel_columns;
        const std::int64_t column = panels_.first_column(panel);
        panel_call c{};
        c.rows = workspace + 4 * part.first;
        c.stride = how_.row_bytes;
        c.count = count;
        c.steps = part.count;
        c.columns = static_cast<int>(panels_.padded(panel));
        c.bias = starts_.data() + column;
        c.multipliers = multipliers_.data() + column; // not read
        c.rule = &as_sums;
        c.partial = sums; // where they are wanted
        c.resumes = part.first != 0;
        for (std::size_t k = 0; k < positions; ++k) {
            c.panel = panels_.data(k, panel, scratch);
            c.next = panels_.after(k, panel, scratch);
            c.short_steps = how_.short_steps[k];
            c.out = {reinterpret_cast<std::byte*>(c.partial), nullptr, panels_.padded(panel)};
            kernels_.multiply_panel[static_cast<int>(how_.product)](c);
            c.rows += count * how_.row_bytes;
            c.bias += padded;
            c.partial += count * panels_.padded(panel);
        }
    }

    void finish(const conv_call& call, std::int64_t panel, const tile_place& at,
                const std::int32_t* sums, std::int64_t next) const {
        const hw size = shape_.output();
        const std::int64_t column = panels_.first_column(panel);
        const output out{static_cast<std::byte*>(call.y), call.other, shape_.op.out_channels};
        kernels_.winograd_finish[Outputs / 4](
            {reinterpret_cast<const std::uint32_t*>(sums), next, bias_.data() + column,
             multipliers_.data() + column, &rule_,
             out.at(rule_, (at.image * size.h + at.y) * size.w + at.x, column), size.w,
             static_cast<int>(std::min<std::int64_t>(size.h - at.y, Outputs)),
             static_cast<int>(std::min<std::int64_t>(size.w - at.x, Outputs)),
             panels_.columns(panel)});
    }

    const kernel_set& kernels_;
    conv_shape shape_;
    std::int32_t zero_point_;
    finish_rule rule_;
    plan how_;
    winograd_panels<Outputs> panels_;
    aligned_vector<std::int32_t> bias_;
    aligned_vector<std::int32_t> starts_; ///< of the sums, [position][column]
    aligned_vector<float> multipliers_;
};

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
