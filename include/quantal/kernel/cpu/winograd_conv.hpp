// SPDX-License-Identifier: Apache-2.0
/// 3x3 convolutions of stride 1 by Winograd's filtering, exact for every input: a block of tiles is
/// transformed, meets the panels of weights position by position, and is transformed back.
#ifndef QUANTAL_KERNEL_CPU_WINOGRAD_CONV_HPP
#define QUANTAL_KERNEL_CPU_WINOGRAD_CONV_HPP

#include <quantal/kernel/cpu/conv_cost.hpp>
#include <quantal/kernel/cpu/conv_layer.hpp>
#include <quantal/kernel/cpu/packed_weights.hpp>

namespace quantal {
inline namespace v0 {
namespace cpu {

/// The largest |sum of products| that inputs up to `u_max` can make of an output channel's weights.
[[nodiscard]] inline std::int64_t largest_sum(const conv_problem& p) {
    const auto depth = static_cast<std::size_t>(p.shape.depth());
    std::int64_t most = 0;
    for (std::size_t first = 0; first < p.weights.size(); first += depth) {
        std::int64_t above = 0, below = 0;
        for (const std::int16_t w : p.weights.subspan(first, depth))
            (w > 0 ? above : below) += w > 0 ? w : -w;
        const std::int64_t hi = p.u_max - p.zero_point, lo = p.zero_point;
        most = std::max({most, above * hi + below * lo, above * lo + below * hi});
    }
    return most;
}

template <int Outputs>
class winograd_conv : public conv_layer {
    using rule = winograd<Outputs>;
    static constexpr int inputs = rule::inputs;
    static constexpr std::size_t positions = std::size_t{inputs} * inputs;

public:
    /// Whether the outcome determines every sum and the operands fit int16.
    [[nodiscard]] static bool can_do(const conv_problem& p) {
        const op::conv2d& o = p.shape.op;
        constexpr std::int32_t largest = 32767;
        const bool fits = std::ranges::all_of(p.weights, [](std::int16_t w) {
            return w <= largest / rule::weight_gain && w >= -largest / rule::weight_gain;
        });
        return o.kernel == hw(3) && o.stride == hw(1) && o.dilation == hw(1) && o.groups == 1 &&
               p.u_max * rule::input_gain <= largest && fits && largest_sum(p) < rule::bound;
    }

    /// About what an image costs (conv_cost.hpp).
    [[nodiscard]] static double cost(const conv_shape& s, const kernel_set& kernels) {
        const std::int64_t tiles = tiles_of(s);
        const std::int64_t most = most_tiles(s.channels, kernels);
        return winograd_cost(s, positions, tiles, (tiles + most - 1) / most);
    }

    winograd_conv(const conv_problem& p, const kernel_set& kernels)
        : kernels_(kernels), shape_(p.shape), zero_point_(p.zero_point), rule_(p.rule),
          row_(whole_registers(p.shape.channels, 2 * kernels.lanes)) {
        const auto out = static_cast<std::size_t>(shape_.op.out_channels);
        const auto in = static_cast<std::size_t>(shape_.channels);
        const std::vector<std::int16_t> weights = transformed(p);
        for (std::size_t k = 0; k < positions; ++k)
            panels_.emplace_back(kernels, form::words, shape_.op.out_channels, shape_.channels,
                                 std::span(weights).subspan(k * out * in, out * in));
        const auto padded = static_cast<std::size_t>(panels_[0].count() * kernels.panel_columns);
        bias_.assign(p.bias.begin(), p.bias.end());
        bias_.resize(padded);
        multipliers_.assign(p.multipliers.begin(), p.multipliers.end());
        multipliers_.resize(padded);
        zeros_.resize(static_cast<std::size_t>(kernels.panel_columns));
    }

    [[nodiscard]] std::string describe() const override {
        const char* name = Outputs == 2 ? " winograd 2x2" : " winograd 4x4";
        return kernels_.name + std::string(name);
    }
    [[nodiscard]] std::size_t workspace_bytes() const override {
        return whole_lines(rows_bytes()) + whole_lines(sums_bytes()) + partial_bytes();
    }
    [[nodiscard]] std::size_t task_count(std::int64_t batch) const override {
        return static_cast<std::size_t>((batch * tiles_of(shape_) + most_tiles() - 1) /
                                        most_tiles());
    }
    void run_task(std::size_t task, const conv_call& call,
                  std::byte* workspace) const noexcept override {
        const std::int64_t all = call.batch * tiles_of(shape_);
        const auto tasks = static_cast<std::int64_t>(task_count(call.batch));
        const std::int64_t first = all * static_cast<std::int64_t>(task) / tasks;
        const std::int64_t count = all * (static_cast<std::int64_t>(task) + 1) / tasks - first;
        auto* rows = reinterpret_cast<std::int16_t*>(workspace);
        auto* sums = reinterpret_cast<std::int32_t*>(workspace + whole_lines(rows_bytes()));
        for (std::int64_t t = 0; t < count; ++t)
            transform(call, first + t, rows + t * row_, count * row_);
        for (std::int64_t panel = 0; panel < panels_[0].count(); ++panel) {
            multiply(panel, count, rows, sums,
                     workspace + whole_lines(rows_bytes()) + whole_lines(sums_bytes()));
            for (std::int64_t t = 0; t < count; ++t)
                finish(call, panel, first + t, sums + t * columns(panel), count * columns(panel));
        }
    }

private:
    /// Where a tile lies.
    struct tile_place {
        std::int64_t image, y, x; ///< first output pixel
    };

    static std::int64_t whole_registers(std::int64_t count, std::int64_t lanes) {
        return (count + lanes - 1) / lanes * lanes;
    }
    /// Tiles along a line of so many outputs.
    static std::int64_t tiles_along(std::int64_t outputs) {
        return (outputs + Outputs - 1) / Outputs;
    }
    /// Of an image.
    static std::int64_t tiles_of(const conv_shape& s) {
        return tiles_along(s.output().h) * tiles_along(s.output().w);
    }
    [[nodiscard]] tile_place place(std::int64_t tile) const {
        const std::int64_t each = tiles_of(shape_), across = tiles_along(shape_.output().w);
        return {tile / each, tile % each / across * Outputs, tile % each % across * Outputs};
    }
    /// Columns of a panel in whole registers.
    [[nodiscard]] std::int64_t columns(std::int64_t panel) const {
        return whole_registers(panels_[0].columns(panel), kernels_.lanes);
    }

    /// Tiles of a block: transformed inputs and one panel's sums fill half of a second-level cache
    /// of 1 MiB, but a panel of weights is not read for fewer than two tiles of rows.
    static std::int64_t most_tiles(std::int64_t channels, const kernel_set& kernels) {
        const std::int64_t rows = kernels.tile_rows;
        const std::int64_t each =
            std::int64_t{positions} * (whole_registers(channels, 2 * kernels.lanes) * 2 +
                                       std::int64_t{kernels.panel_columns} * 4);
        return std::clamp<std::int64_t>((std::int64_t{512} << 10) / each, 2 * rows, 8 * rows) /
               rows * rows;
    }
    [[nodiscard]] std::int64_t most_tiles() const { return most_tiles(shape_.channels, kernels_); }
    [[nodiscard]] std::size_t rows_bytes() const {
        return positions * static_cast<std::size_t>(most_tiles() * row_ * 2);
    }
    [[nodiscard]] std::size_t sums_bytes() const { return positions * partial_bytes(); }
    [[nodiscard]] std::size_t partial_bytes() const {
        return static_cast<std::size_t>(most_tiles() * kernels_.panel_columns * 4);
    }

    /// `G w G'` of every pair of channels: [position][out][in].
    [[nodiscard]] static std::vector<std::int16_t> transformed(const conv_problem& p) {
        const std::size_t pairs = p.weights.size() / 9;
        std::vector<std::int16_t> result(positions * pairs);
        for (std::size_t pair = 0; pair < pairs; ++pair) {
            std::int32_t half[inputs][3], column[3], t[inputs];
            for (std::size_t j = 0; j < 3; ++j) {
                for (std::size_t i = 0; i < 3; ++i)
                    column[i] = p.weights[pair * 9 + i * 3 + j];
                rule::weights(column, t);
                for (std::size_t i = 0; i < inputs; ++i)
                    half[i][j] = t[i];
            }
            for (std::size_t i = 0; i < inputs; ++i) {
                rule::weights(half[i], t);
                for (std::size_t j = 0; j < inputs; ++j)
                    result[(i * inputs + j) * pairs + pair] = static_cast<std::int16_t>(t[j]);
            }
        }
        return result;
    }

    void transform(const conv_call& call, std::int64_t tile, std::int16_t* rows,
                   std::int64_t next) const {
        const tile_place at = place(tile);
        const std::int64_t each = shape_.image.h * shape_.image.w * shape_.channels;
        kernels_.winograd_transform[Outputs / 4](
            {call.x + at.image * each, at.y - shape_.op.padding.top, at.x - shape_.op.padding.left,
             shape_.image.h, shape_.image.w, shape_.channels, zero_point_, rows, next});
    }

    void multiply(std::int64_t panel, std::int64_t count, const std::int16_t* rows,
                  std::int32_t* sums, std::byte* partial) const {
        static constexpr finish_rule as_sums{};
        panel_call c{};
        c.stride = row_ * 2;
        c.count = count;
        c.steps = panels_[0].steps();
        c.columns = static_cast<int>(columns(panel));
        c.bias = zeros_.data();
        c.rule = &as_sums;
        c.partial = reinterpret_cast<std::int32_t*>(partial);
        for (std::size_t k = 0; k < positions; ++k) {
            const auto position = static_cast<std::int64_t>(k);
            c.rows = reinterpret_cast<const std::byte*>(rows + position * count * row_);
            c.panel = panels_[k].data(panel);
            c.out = {reinterpret_cast<std::byte*>(sums + position * count * columns(panel)),
                     nullptr, columns(panel)};
            kernels_.multiply_panel[static_cast<int>(form::words)](c);
        }
    }

    void finish(const conv_call& call, std::int64_t panel, std::int64_t tile,
                const std::int32_t* sums, std::int64_t next) const {
        const tile_place at = place(tile);
        const hw size = shape_.output();
        const std::int64_t column = panels_[0].first_column(panel);
        const output out{static_cast<std::byte*>(call.y), call.other, shape_.op.out_channels};
        kernels_.winograd_finish[Outputs / 4](
            {reinterpret_cast<const std::uint32_t*>(sums), next, bias_.data() + column,
             multipliers_.data() + column, &rule_,
             out.at(rule_, (at.image * size.h + at.y) * size.w + at.x, column), size.w,
             static_cast<int>(std::min<std::int64_t>(size.h - at.y, Outputs)),
             static_cast<int>(std::min<std::int64_t>(size.w - at.x, Outputs)),
             panels_[0].columns(panel)});
    }

    const kernel_set& kernels_;
    conv_shape shape_;
    std::int32_t zero_point_;
    finish_rule rule_;
    std::int64_t row_;                  ///< elements of a transformed row
    std::vector<packed_panels> panels_; ///< one a position
    aligned_vector<std::int32_t> bias_, zeros_;
    aligned_vector<float> multipliers_;
};

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
