// SPDX-License-Identifier: Apache-2.0
/// The matrix product `x [rows, depth] * w [columns, depth]` on packed weights: few rows meet the
/// weights at their real width, many rows meet panels of operands.
#ifndef QUANTAL_KERNEL_CPU_PACKED_GEMM_HPP
#define QUANTAL_KERNEL_CPU_PACKED_GEMM_HPP

#include <quantal/kernel/cpu/narrow_panels.hpp>
#include <quantal/kernel/cpu/packed_weights.hpp>
#include <quantal/kernel/cpu/task_grid.hpp>

#include <optional>
#include <string>

namespace quantal {
inline namespace v0 {

/// How many rows of x weights are packed for.
enum class gemm_rows : std::uint8_t {
    any,  ///< packed twice, for few and for many rows
    few,  ///< at their real width, for batches of one or a few rows
    many, ///< in panels of operands
};

namespace cpu {

/// Weights to pack.
struct gemm_weights {
    std::int64_t columns, depth;
    bool is_grouped;                       ///< integer sums of groups are added up as reals
    std::int64_t group;                    ///< weights of an integer sum; `depth` without groups
    std::span<const std::int16_t> weights; ///< [columns][depth], less their zero point
    std::int32_t u_max;                    ///< bytes of x are 0 ... u_max
    gemm_rows rows;
};

/// What one use of packed weights adds to them; arrays are [groups][padded_columns()].
struct gemm_constants {
    aligned_vector<std::int32_t> start; ///< modulo 2^32: bias code - zero point of x * sum(w)
    aligned_vector<float> multipliers;  ///< of nothing where sums are put out as they are
    aligned_vector<float> real_bias;    ///< [padded_columns()], where groups are added up
    finish_rule rule;
    float y_scale = 1; ///< of codes that are made from reals
    bool has_bounds = false;
    float lo = 0, hi = 0; ///< the activation of reals
};

struct gemm_call {
    std::int64_t rows;
    const std::uint8_t* x; ///< [rows, depth], bytes `q - qmin`
    void* y;               ///< [rows, columns], by output_kind
    const gemm_constants* constants;
};

/// Immutable; any number of threads may run tasks of it.
class packed_gemm {
public:
    packed_gemm(const kernel_set& kernels, const gemm_weights& w)
        : kernels_(kernels), columns_(w.columns), is_grouped_(w.is_grouped),
          wide_layout_(row_layout::make(w.depth, w.group, 4)) {
        const bool fits = narrow_panels::widest(w.weights, w.depth) <= 255;
        if (fits && w.rows != gemm_rows::many)
            narrow_.emplace(kernels, w.u_max, w.columns, w.depth, w.group, w.weights);
        if (!fits || w.rows != gemm_rows::few) pack_wide(w);
    }

    [[nodiscard]] std::int64_t groups() const { return wide_layout_.groups(); }
    /// A whole number of panels of either packing.
    [[nodiscard]] std::int64_t padded_columns() const {
        const std::int64_t width = std::max(kernels_.narrow_columns, kernels_.panel_columns);
        return rounded_up(columns_, width); // of two powers of two
    }
    /// How so many rows are computed, for people: `avx2 words`.
    [[nodiscard]] std::string describe(std::int64_t rows) const {
        if (is_narrow(rows))
            return std::string(kernels_.name) + " narrow" + std::to_string(narrow_->bits());
        return std::string(kernels_.name) + ' ' + name_of(sums_.how);
    }

    /// Tasks of one run on so many threads; they are independent of each other.
    [[nodiscard]] std::size_t task_count(std::int64_t rows, std::size_t workers) const {
        return grid_of(rows, workers).tasks.count();
    }
    /// Bytes of scratch memory that each running task needs, at a cache line's boundary.
    [[nodiscard]] std::size_t workspace_bytes(std::int64_t rows) const {
        const auto most = static_cast<std::size_t>(std::min(rows, block_rows(rows)));
        return most * (partial_bytes() + tile_bytes() * 2) +
               most * static_cast<std::size_t>(row_bytes(is_narrow(rows)));
    }
    void run_task(std::size_t task, std::size_t workers, const gemm_call& call,
                  std::byte* workspace) const noexcept {
        const grid g = grid_of(call.rows, workers);
        rows_block b{};
        b.narrow = is_narrow(call.rows);
        auto [block, panel, end] = g.tasks.part_of(task, panel_count(b.narrow));
        b.first = block * g.rows;
        b.count = std::min(g.rows, call.rows - b.first);
        b.scratch = workspace;
        const std::uint8_t* x = call.x + b.first * wide_layout_.depth;
        b.x = reinterpret_cast<const std::byte*>(x);
        if (!in_place(b.narrow)) {
            std::byte* rows = workspace + static_cast<std::size_t>(b.count) *
                                              (partial_bytes() + tile_bytes() * 2);
            layout(b.narrow).gather(kernels_, b.narrow ? form::bytes : sums_.how, x, b.count, rows);
            b.x = rows;
        }
        for (; panel < end; ++panel)
            run_panel(b, panel, call);
    }

private:
    /// Rows of x that one task has, as operands.
    struct rows_block {
        bool narrow;
        std::int64_t first, count;
        const std::byte* x;
        std::byte* scratch;
    };
    /// How y is cut: into blocks of `rows` rows.
    struct grid {
        std::int64_t rows;
        task_grid tasks;
    };

    /// int32 sums of a row between blocks of steps.
    [[nodiscard]] std::size_t partial_bytes() const {
        return static_cast<std::size_t>(kernels_.panel_columns) * 4;
    }

    void pack_wide(const gemm_weights& w) {
        const auto padded = static_cast<std::size_t>(wide_layout_.padded);
        std::vector<std::int16_t> spread(
            static_cast<std::size_t>(w.columns * wide_layout_.elements()));
        auto from = w.weights.begin();
        for (auto to = spread.begin(); to != spread.end();)
            for (std::int64_t k = 0; k < w.depth; k += w.group, to += wide_layout_.padded) {
                const std::int64_t count = std::min(w.group, w.depth - k);
                std::copy_n(from, count, to);
                from += count;
            }
        sums_ = plan_sums(kernels_, w.u_max, spread, padded); // each group's sums start anew
        wide_.emplace(kernels_, sums_.how, w.columns, wide_layout_.elements(), spread);
    }

    /// Zen 5, Gop/s of 4 rows x 512 x 1024 from a second-level cache, narrow and wide: AVX2 134 and
    /// 181 (2 rows: 133 and 129), AVX-512 592 and 560; of 8 rows x 4096 x 4096 from further away,
    /// where memory decides: AVX2 8 bits 119 and 83, AVX-512 4 bits 681 and 514. (AVX2's of 8
    /// bits are those of tiles of two rows; they have one now.)
    [[nodiscard]] bool is_narrow(std::int64_t rows) const {
        if (!narrow_ || !wide_) return !wide_;
        constexpr std::int64_t second_level = 1 << 20, few = 8;
        const std::int64_t wide = row_bytes(false) * columns_;
        const std::int64_t narrow = narrow_->layout().elements() * narrow_->bits() / 8 * columns_;
        if (wide > second_level && 2 * narrow <= wide) return rows <= few;
        return rows <= kernels_.tile_rows / 3; // a tile of multiply_narrow
    }
    [[nodiscard]] const row_layout& layout(bool narrow) const {
        return narrow ? narrow_->layout() : wide_layout_;
    }
    [[nodiscard]] std::int64_t row_bytes(bool narrow) const {
        const bool words = !narrow && sums_.how == form::words;
        return layout(narrow).elements() * (words ? 2 : 1);
    }
    [[nodiscard]] bool in_place(bool narrow) const {
        return layout(narrow).is_dense() && (narrow || sums_.how != form::words);
    }
    [[nodiscard]] std::int64_t panel_width(bool narrow) const {
        return narrow ? kernels_.narrow_columns : kernels_.panel_columns;
    }
    [[nodiscard]] std::int64_t panel_count(bool narrow) const {
        return divided_up(columns_, panel_width(narrow));
    }
    [[nodiscard]] std::size_t tile_bytes() const {
        const int width = std::max(kernels_.narrow_columns, kernels_.panel_columns);
        return is_grouped_ ? static_cast<std::size_t>(width) * 4 : 0;
    }

    /// Rows of a task: about a third of a second-level cache of 1 MiB, in blocks as equal as tiles
    /// allow; each reads all weights, which often lie further away. A last block of few rows would
    /// do so for nearly nothing. Zen 5, to blocks of 128 KiB: 196 x 256 x 2304 and 49 x 512 x 4608,
    /// AVX2 1.04, AVX-512 1.05 and 1.07; 512 KiB is no faster.
    [[nodiscard]] std::int64_t block_rows(std::int64_t rows) const {
        if (is_narrow(rows)) return std::min<std::int64_t>(rows, 32);
        constexpr std::int64_t bytes = std::int64_t{384} << 10, most = 256;
        const std::int64_t tile = kernels_.tile_rows;
        const std::int64_t wanted =
            std::clamp<std::int64_t>(bytes / row_bytes(false), tile, most) / tile * tile;
        const std::int64_t blocks = std::max<std::int64_t>((rows + wanted / 2) / wanted, 1);
        return rounded_up(divided_up(rows, blocks), tile);
    }
    [[nodiscard]] grid grid_of(std::int64_t rows, std::size_t workers) const {
        constexpr std::int64_t tasks_a_worker = 4; // enough for all threads to end together
        if (rows == 0 || columns_ == 0) return {1, {0, 1}};
        const std::int64_t block = block_rows(rows);
        const std::int64_t blocks = divided_up(rows, block);
        if (workers == 1) return {block, {blocks, 1}};
        const std::int64_t wanted = tasks_a_worker * static_cast<std::int64_t>(workers);
        return {block,
                {blocks, std::clamp<std::int64_t>(divided_up(wanted, blocks), 1,
                                                  panel_count(is_narrow(rows)))}};
    }

    void run_panel(const rows_block& b, std::int64_t panel, const gemm_call& call) const {
        const gemm_constants& k = *call.constants;
        const std::int64_t column = panel * panel_width(b.narrow);
        const output out =
            output{static_cast<std::byte*>(call.y), nullptr, columns_}.at(k.rule, b.first, column);
        if (is_grouped_) return run_groups(b, panel, k, out);
        multiply(b, panel, 0, k, k.rule, out);
        if (k.has_bounds) clamp_rows(b, panel, k, out);
    }

    /// Integer sums of each group, added up as reals (docs/arithmetic.md, 13).
    void run_groups(const rows_block& b, std::int64_t panel, const gemm_constants& k,
                    const output& out) const {
        const std::int64_t width = panel_width(b.narrow), column = panel * width;
        std::byte* tile = b.scratch + static_cast<std::size_t>(b.count) * partial_bytes();
        auto* sums = reinterpret_cast<std::int32_t*>(tile);
        auto* reals = reinterpret_cast<float*>(sums + b.count * width);
        for (std::int64_t row = 0; row < b.count; ++row)
            std::copy_n(k.real_bias.data() + column, width, reals + row * width);
        constexpr finish_rule as_sums{};
        for (std::int64_t g = 0; g < groups(); ++g) {
            multiply(b, panel, g, k, as_sums, {tile, nullptr, width});
            kernels_.arrays.add_scaled(sums, k.multipliers.data() + g * padded_columns() + column,
                                       b.count, width, reals);
        }
        const auto columns = static_cast<std::size_t>(std::min(width, columns_ - column));
        for (std::int64_t row = 0; row < b.count; ++row) {
            float* from = reals + row * width;
            const output to = out.at(k.rule, row, 0);
            if (k.has_bounds) kernels_.arrays.clamp_reals(from, columns, k.lo, k.hi, from);
            if (k.rule.kind == output_kind::codes)
                kernels_.arrays.quantize(from, columns, k.y_scale, k.rule.codes,
                                         reinterpret_cast<std::uint8_t*>(to.y));
            else
                std::memcpy(to.y, from, columns * sizeof(float));
        }
    }
    void clamp_rows(const rows_block& b, std::int64_t panel, const gemm_constants& k,
                    const output& out) const {
        const std::int64_t width = panel_width(b.narrow);
        const auto columns = static_cast<std::size_t>(std::min(width, columns_ - panel * width));
        for (std::int64_t row = 0; row < b.count; ++row) {
            auto* y = reinterpret_cast<float*>(out.at(k.rule, row, 0).y);
            kernels_.arrays.clamp_reals(y, columns, k.lo, k.hi, y);
        }
    }

    /// The block of rows times one group of one panel.
    void multiply(const rows_block& b, std::int64_t panel, std::int64_t g, const gemm_constants& k,
                  const finish_rule& rule, const output& out) const {
        const std::int64_t place = g * padded_columns() + panel * panel_width(b.narrow);
        const auto fill = [&](auto& c) {
            c.count = b.count;
            c.bias = k.start.data() + place;
            c.multipliers = k.multipliers.data() + place;
            c.rule = &rule;
            c.out = out;
        };
        if (b.narrow) {
            narrow_call c = narrow_->call(panel, g);
            c.rows = reinterpret_cast<const std::uint8_t*>(b.x) + g * narrow_->layout().padded;
            fill(c);
            return narrow_->multiply(c);
        }
        panel_call c{};
        const std::int64_t steps = row_bytes(false) / 4 / groups();
        c.rows = b.x + g * steps * 4;
        c.stride = row_bytes(false);
        c.columns = wide_->columns(panel);
        const std::int64_t registers = (c.columns + kernels_.lanes - 1) / kernels_.lanes;
        c.panel = wide_->data(panel) + g * steps * registers * kernels_.lanes * 4;
        c.steps = steps;
        c.short_steps = sums_.short_steps;
        c.partial = reinterpret_cast<std::int32_t*>(b.scratch);
        fill(c);
        kernels_.multiply_panel[static_cast<int>(sums_.how)](c);
    }

    const kernel_set& kernels_;
    std::int64_t columns_;
    bool is_grouped_;
    row_layout wide_layout_;
    sum_plan sums_{};
    std::optional<narrow_panels> narrow_;
    std::optional<packed_panels> wide_;
};

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
