// SPDX-License-Identifier: Apache-2.0
/// Weights in the order in which the kernels read them, made once a layer.
#ifndef QUANTAL_KERNEL_CPU_PACKED_WEIGHTS_HPP
#define QUANTAL_KERNEL_CPU_PACKED_WEIGHTS_HPP

#include <quantal/kernel/cpu/aligned.hpp>
#include <quantal/kernel/cpu/kernels.hpp>
#include <quantal/kernel/cpu/sum_bounds.hpp>

#include <cstring>

namespace quantal {
inline namespace v0 {
namespace cpu {

/// How the products of a layer are summed.
struct sum_plan {
    form how;
    std::int64_t short_steps; ///< with form::shorts
};

[[nodiscard]] inline bool are_signed_bytes(std::span<const std::int16_t> weights) {
    return std::all_of(weights.begin(), weights.end(),
                       [](std::int16_t w) { return w >= -128 && w <= 127; });
}

/// The fastest exact form for weights of columns of `per_column`, multiplied with bytes up to
/// `u_max`.
[[nodiscard]] inline sum_plan plan_sums(const kernel_set& kernels, std::int64_t u_max,
                                        std::span<const std::int16_t> weights,
                                        std::size_t per_column) {
    if (!are_signed_bytes(weights)) return {form::words, 0};
    if (kernels.fast_dot4) return {form::bytes, 0};
    if (kernels.multiply_panel[static_cast<int>(form::shorts)]) {
        // Widening costs three instructions a register, a step two; int32 sums of words cost four.
        constexpr std::int64_t worthwhile = 2, most = 256;
        const auto steps = proved_steps::from_weights(u_max, weights, per_column, most);
        if (steps.count() >= worthwhile) return {form::shorts, steps.count()};
    }
    return {form::words, 0};
}

/// How the columns of a layer, one an output channel, are cut into panels.
class panel_grid {
public:
    panel_grid(const kernel_set& kernels, std::int64_t columns)
        : lanes_(kernels.lanes), width_(kernels.panel_columns), columns_(columns) {}

    [[nodiscard]] std::int64_t lanes() const { return lanes_; }
    [[nodiscard]] std::int64_t count() const { return divided_up(columns_, width_); }
    [[nodiscard]] std::int64_t panel_of(std::int64_t column) const { return column / width_; }
    [[nodiscard]] std::int64_t first_column(std::int64_t panel) const { return panel * width_; }
    [[nodiscard]] int columns(std::int64_t panel) const {
        return static_cast<int>(std::min(columns_ - panel * width_, width_));
    }
    /// Columns of the panel in memory: its width in whole registers.
    [[nodiscard]] std::int64_t padded(std::int64_t panel) const {
        return rounded_up(columns(panel), lanes_);
    }
    /// Columns of all panels in memory.
    [[nodiscard]] std::int64_t padded() const { return rounded_up(columns_, lanes_); }

private:
    std::int64_t lanes_, width_, columns_;
};

/// The panels of one group of channels: [panel][step][column][element of the step].
class packed_panels : public panel_grid {
public:
    /// `weights` is [column][k], k in the order of the rows' elements.
    packed_panels(const kernel_set& kernels, form f, std::int64_t columns, std::int64_t depth,
                  std::span<const std::int16_t> weights)
        : panel_grid(kernels, columns), steps_((depth * element(f) + 3) / 4),
          bytes_(static_cast<std::size_t>(padded() * steps_ * 4)) {
        for (std::int64_t column = 0; column < columns; ++column)
            for (std::int64_t k = 0; k < depth; ++k)
                put(f, column, k, weights[static_cast<std::size_t>(column * depth + k)]);
    }

    [[nodiscard]] std::int64_t steps() const { return steps_; }
    [[nodiscard]] std::size_t bytes() const { return bytes_.size(); }
    [[nodiscard]] const std::byte* data(std::int64_t panel) const {
        return bytes_.data() + first_column(panel) * steps_ * 4;
    }

private:
    static std::int64_t element(form f) { return static_cast<std::int64_t>(operand_bytes(f)); }

    void put(form f, std::int64_t column, std::int64_t k, std::int16_t w) {
        const std::int64_t panel = panel_of(column), byte = k * element(f);
        const std::int64_t place = first_column(panel) * steps_ * 4 +
                                   (byte / 4 * padded(panel) + column - first_column(panel)) * 4 +
                                   byte % 4;
        const auto narrow = static_cast<std::int8_t>(w);
        if (f == form::words)
            std::memcpy(bytes_.data() + place, &w, sizeof w);
        else
            std::memcpy(bytes_.data() + place, &narrow, sizeof narrow);
    }

    std::int64_t steps_;
    aligned_vector<std::byte> bytes_;
};

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
