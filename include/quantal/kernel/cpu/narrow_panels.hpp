// SPDX-License-Identifier: Apache-2.0
/// Weights at their real width, in the order in which multiply_narrow reads them.
#ifndef QUANTAL_KERNEL_CPU_NARROW_PANELS_HPP
#define QUANTAL_KERNEL_CPU_NARROW_PANELS_HPP

#include <quantal/kernel/cpu/aligned.hpp>
#include <quantal/kernel/cpu/row_layout.hpp>
#include <quantal/kernel/cpu/sum_bounds.hpp>

#include <algorithm>

namespace quantal {
inline namespace v0 {
namespace cpu {

/// Panels of 8, 4 or 2 bits a weight; each column has an offset of its own.
class narrow_panels {
public:
    /// The largest difference between two weights of a column of `depth`; up to 255 can be packed.
    [[nodiscard]] static std::int32_t widest(std::span<const std::int16_t> weights,
                                             std::int64_t depth) {
        std::int32_t result = 0;
        for (std::size_t first = 0; first < weights.size();
             first += static_cast<std::size_t>(depth)) {
            const extremes e = of_column(weights, first, depth);
            result = std::max(result, e.hi - e.lo);
        }
        return result;
    }

    /// `weights` is [columns][depth], multiplied with bytes up to `u_max`; groups of `group`
    /// weights start at whole steps.
    narrow_panels(const kernel_set& kernels, std::int64_t u_max, std::int64_t columns,
                  std::int64_t depth, std::int64_t group, std::span<const std::int16_t> weights)
        : kernels_(kernels), columns_(columns), width_(kernels.narrow_columns),
          bits_(width_of(widest(weights, depth))),
          layout_(row_layout::make(depth, group, 4 * steps())) {
        const std::int64_t products = products_before_widening(u_max, 0, (1 << bits_) - 1);
        short_groups_ = std::max<std::int64_t>(products / 2 / steps(), 1);
        const auto padded = static_cast<std::size_t>(count() * width_);
        offsets_.resize(padded);
        packed_.resize(padded * static_cast<std::size_t>(groups_in(layout_.elements()) * 4));
        for (std::int64_t column = 0; column < columns; ++column)
            pack(weights.subspan(static_cast<std::size_t>(column * depth),
                                 static_cast<std::size_t>(depth)),
                 column);
    }

    [[nodiscard]] int bits() const { return bits_; }
    [[nodiscard]] const row_layout& layout() const { return layout_; }
    [[nodiscard]] std::int64_t count() const { return divided_up(columns_, width_); }

    /// The part of a call that says what the weights are: one group of one panel.
    [[nodiscard]] narrow_call call(std::int64_t panel, std::int64_t group = 0) const {
        narrow_call c{};
        c.stride = layout_.elements();
        c.groups = groups_in(layout_.padded);
        c.panel = packed_.data() + panel * width_ * groups_in(layout_.elements()) * 4 +
                  group * c.groups * width_ * 4;
        c.short_groups = short_groups_;
        c.columns = static_cast<int>(std::min(width_, columns_ - panel * width_));
        if (has_offsets_) c.offsets = offsets_.data() + panel * width_;
        return c;
    }
    [[nodiscard]] std::size_t bytes() const { return packed_.size(); }
    void multiply(const narrow_call& c) const { kernels_.multiply_narrow[bits_ / 4](c); }

private:
    struct extremes {
        std::int32_t lo, hi;
    };
    [[nodiscard]] static extremes of_column(std::span<const std::int16_t> weights,
                                            std::size_t first, std::int64_t depth) {
        extremes e{weights[first], weights[first]};
        for (const std::int16_t w : weights.subspan(first, static_cast<std::size_t>(depth))) {
            e.lo = std::min<std::int32_t>(e.lo, w);
            e.hi = std::max<std::int32_t>(e.hi, w);
        }
        return e;
    }
    [[nodiscard]] static int width_of(std::int32_t widest) {
        return widest <= 3 ? 2 : widest <= 15 ? 4 : 8;
    }
    /// Steps of four elements that a group of the kernel's (narrow_tile.hpp) holds.
    [[nodiscard]] std::int64_t steps() const { return 8 / bits_; }
    [[nodiscard]] std::int64_t groups_in(std::int64_t elements) const {
        return elements / (4 * steps());
    }

    /// One column: its weights less an offset that makes them unsigned, or signed bytes
    /// (narrow_tile.hpp).
    void pack(std::span<const std::int16_t> weights, std::int64_t column) {
        const extremes range = of_column(weights, 0, layout_.depth);
        const bool is_signed = bits_ == 8 && kernels_.takes_signed_bytes;
        const std::int32_t lowest = is_signed ? -128 : 0;
        const bool fits = is_signed && range.lo >= -128 && range.hi <= 127;
        const std::int32_t offset = fits ? 0 : range.lo - lowest;
        offsets_[static_cast<std::size_t>(column)] = offset;
        has_offsets_ = has_offsets_ || offset != 0;
        std::byte* panel =
            packed_.data() + column / width_ * width_ * groups_in(layout_.elements()) * 4;
        const int shift = bits_ == 8 ? 0 : bits_ == 4 ? 1 : 2; // 2^shift steps
        const std::uint32_t mask = (1u << bits_) - 1u;
        for (std::int64_t first = 0; first < layout_.depth; first += layout_.group) {
            const std::int64_t start = layout_.place(first);
            const std::int64_t count = std::min(layout_.group, layout_.depth - first);
            for (std::int64_t i = 0; i < count; ++i) {
                const std::int64_t place = start + i, quad = place >> 2;
                const auto step = static_cast<int>(quad & ((1 << shift) - 1));
                const std::int32_t w = weights[static_cast<std::size_t>(first + i)];
                const std::uint32_t code = static_cast<std::uint32_t>(w - offset) & mask;
                panel[((quad >> shift) * width_ + column % width_) * 4 + (place & 3)] |=
                    static_cast<std::byte>(code << (step * bits_));
            }
        }
    }

    const kernel_set& kernels_;
    std::int64_t columns_, width_;
    int bits_;
    row_layout layout_;
    std::int64_t short_groups_ = 1;
    aligned_vector<std::byte> packed_;
    aligned_vector<std::int32_t> offsets_;
    bool has_offsets_ = false;
};

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
