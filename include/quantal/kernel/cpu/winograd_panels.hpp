// SPDX-License-Identifier: Apache-2.0
/// The weights of a Winograd convolution as its products read them: transformed once, when they are
/// packed, or kept as they are and transformed a block at a time, just before they are multiplied.
#ifndef QUANTAL_KERNEL_CPU_WINOGRAD_PANELS_HPP
#define QUANTAL_KERNEL_CPU_WINOGRAD_PANELS_HPP

#include <quantal/kernel/cpu/winograd_plan.hpp>

namespace quantal {
inline namespace v0 {
namespace cpu {

/// 3x3 kernels of bytes: [panel][step][register][kernel position][column][element of the step].
class kernel_panels : public panel_grid {
public:
    kernel_panels(const kernel_set& kernels, form f, const conv_problem& p)
        : panel_grid(kernels, p.shape.op.out_channels),
          elements_(4 / static_cast<std::int64_t>(operand_bytes(f))),
          steps_(divided_up(p.shape.channels, elements_)),
          bytes_(static_cast<std::size_t>(padded() * steps_ * 9 * elements_)) {
        const std::int64_t channels = p.shape.channels;
        for (std::int64_t column = 0; column < p.shape.op.out_channels; ++column)
            for (std::int64_t c = 0; c < channels; ++c) {
                const std::int16_t* from = p.weights.data() + (column * channels + c) * 9;
                std::int8_t* to = bytes_.data() + place(column, c);
                for (std::int64_t k = 0; k < 9; ++k)
                    to[k * lanes() * elements_] = static_cast<std::int8_t>(from[k]);
            }
    }

    [[nodiscard]] std::size_t bytes() const { return bytes_.size(); }
    /// The kernels of a panel from `step` on.
    [[nodiscard]] const std::int8_t* data(std::int64_t panel, std::int64_t step) const {
        return bytes_.data() + offset(panel, step);
    }

private:
    [[nodiscard]] std::int64_t offset(std::int64_t panel, std::int64_t step) const {
        return (first_column(panel) * steps_ + step * padded(panel)) * 9 * elements_;
    }
    [[nodiscard]] std::int64_t place(std::int64_t column, std::int64_t channel) const {
        const std::int64_t panel = panel_of(column), inside = column - first_column(panel);
        return offset(panel, channel / elements_) +
               (inside / lanes() * 9 * lanes() + inside % lanes()) * elements_ +
               channel % elements_;
    }

    std::int64_t elements_, steps_;
    aligned_vector<std::int8_t> bytes_;
};

/// Some steps of a panel.
struct step_part {
    std::int64_t first, count;
};

/// The panels of every position, as the plan of the layer wants them.
template <int Outputs>
class winograd_panels : public panel_grid {
    using plan = winograd_plan<Outputs>;
    static constexpr std::size_t positions = plan::positions;

public:
    /// `transformed` is what the plan makes of the weights.
    winograd_panels(const kernel_set& kernels, const plan& how, const conv_problem& p,
                    std::span<const std::int16_t> transformed)
        : panel_grid(kernels, p.shape.op.out_channels),
          steps_(divided_up(p.shape.channels,
                            4 / static_cast<std::int64_t>(operand_bytes(how.product)))),
          steps_at_once_(how.steps_at_once ? how.steps_at_once : steps_),
          transform_(how.product != form::words ? kernels.winograd_weights_bytes
                                                : kernels.winograd_weights[Outputs / 4]) {
        if (how.steps_at_once) {
            kernels_.emplace(kernels, how.product, p);
            return;
        }
        const std::size_t pairs = p.weights.size() / 9;
        for (std::size_t k = 0; k < positions; ++k)
            transformed_.emplace_back(kernels, how.product, p.shape.op.out_channels,
                                      p.shape.channels, transformed.subspan(k * pairs, pairs));
    }

    [[nodiscard]] std::int64_t steps() const { return steps_; }
    [[nodiscard]] std::int64_t steps_at_once() const { return steps_at_once_; }
    [[nodiscard]] std::size_t bytes() const {
        std::size_t all = kernels_ ? kernels_->bytes() : 0;
        for (const packed_panels& p : transformed_)
            all += p.bytes();
        return all;
    }
    /// Bytes of memory that `prepare` fills.
    [[nodiscard]] std::size_t scratch_bytes() const {
        return kernels_ ? positions * static_cast<std::size_t>(next(0)) : 0;
    }

    /// Makes `part` of a panel ready.
    void prepare(std::int64_t panel, const step_part& part, std::byte* scratch) const {
        if (kernels_)
            transform_({kernels_->data(panel, part.first), scratch, next(panel),
                        part.count * padded(panel) / lanes()});
    }
    /// What is ready of a panel at one position.
    [[nodiscard]] const std::byte* data(std::size_t position, std::int64_t panel,
                                        const std::byte* scratch) const {
        return kernels_ ? scratch + static_cast<std::int64_t>(position) * next(panel)
                        : transformed_[position].data(panel);
    }
    /// What comes after that from memory, if not the same.
    [[nodiscard]] const std::byte* after(std::size_t position, std::int64_t panel,
                                         const std::byte* scratch) const {
        if (kernels_) return data(position, panel, scratch);
        return position + 1 < positions ? transformed_[position + 1].data(panel)
                                        : transformed_[0].data((panel + 1) % count());
    }

private:
    /// Bytes from position to position in the scratch memory.
    [[nodiscard]] std::int64_t next(std::int64_t panel) const {
        constexpr std::int64_t line = cache_line; // or all positions fall into one set of a cache
        return std::min(steps_, steps_at_once_) * padded(panel) * 4 + line;
    }

    std::int64_t steps_, steps_at_once_;
    void (*transform_)(const winograd_kernels&);
    std::vector<packed_panels> transformed_; ///< one a position
    std::optional<kernel_panels> kernels_;
};

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
