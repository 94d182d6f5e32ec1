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

/// The fastest exact form for weights of columns of `per_column`, multiplied with bytes up to
/// `u_max`.
[[nodiscard]] inline sum_plan plan_sums(const kernel_set& kernels, std::int64_t u_max,
                                        std::span<const std::int16_t> weights,
                                        std::size_t per_column) {
    for (const std::int16_t w : weights)
        if (w < -128 || w > 127) return {form::words, 0};
    if (kernels.fast_dot4) return {form::bytes, 0};
    if (kernels.multiply_panel[static_cast<int>(form::shorts)]) {
        // Widening costs three instructions a register, a step two; int32 sums of words cost four.
        constexpr std::int64_t worthwhile = 2, most = 256;
        const auto steps = proved_steps::from_weights(u_max, weights, per_column, most);
        if (steps.count() >= worthwhile) return {form::shorts, steps.count()};
    }
    return {form::words, 0};
}

/// The panels of one group of channels: [panel][step][column][element of the step].
class packed_panels {
public:
    /// `weights` is [column][k], k in the order of the rows' elements.
    packed_panels(const kernel_set& kernels, form f, std::int64_t columns, std::int64_t depth,
                  std::span<const std::int16_t> weights)
        : lanes_(kernels.lanes), width_(kernels.panel_columns), columns_(columns),
          steps_((depth * bytes(f) + 3) / 4), bytes_(size()) {
        for (std::int64_t column = 0; column < columns; ++column)
            for (std::int64_t k = 0; k < depth; ++k)
                put(f, column, k, weights[static_cast<std::size_t>(column * depth + k)]);
    }

    [[nodiscard]] std::int64_t steps() const { return steps_; }
    [[nodiscard]] std::int64_t count() const { return divided_up(columns_, width_); }
    [[nodiscard]] std::int64_t first_column(std::int64_t panel) const { return panel * width_; }
    [[nodiscard]] int columns(std::int64_t panel) const {
        return static_cast<int>(std::min(columns_ - panel * width_, width_));
    }
    [[nodiscard]] const std::byte* data(std::int64_t panel) const {
        return bytes_.data() + panel * width_ * steps_ * 4;
    }

private:
    static std::int64_t bytes(form f) { return static_cast<std::int64_t>(operand_bytes(f)); }

    /// Columns of the panel in memory: its width in whole registers.
    [[nodiscard]] std::int64_t padded(std::int64_t panel) const {
        return rounded_up(columns(panel), lanes_);
    }
    [[nodiscard]] std::size_t size() const {
        if (columns_ == 0) return 0;
        const std::int64_t last = count() - 1;
        return static_cast<std::size_t>((last * width_ + padded(last)) * steps_ * 4);
    }
    void put(form f, std::int64_t column, std::int64_t k, std::int16_t w) {
        const std::int64_t panel = column / width_;
        const std::int64_t byte = k * bytes(f);
        const std::int64_t place = panel * width_ * steps_ * 4 +
                                   (byte / 4 * padded(panel) + column % width_) * 4 + byte % 4;
        const auto narrow = static_cast<std::int8_t>(w);
        if (f == form::words)
            std::memcpy(bytes_.data() + place, &w, sizeof w);
        else
            std::memcpy(bytes_.data() + place, &narrow, sizeof narrow);
    }

    std::int64_t lanes_, width_, columns_, steps_;
    aligned_vector<std::byte> bytes_;
};

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
