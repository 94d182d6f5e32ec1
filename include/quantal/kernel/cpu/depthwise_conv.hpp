// SPDX-License-Identifier: Apache-2.0
/// Depthwise convolutions: every channel on its own, pixels read in place.
#ifndef QUANTAL_KERNEL_CPU_DEPTHWISE_CONV_HPP
#define QUANTAL_KERNEL_CPU_DEPTHWISE_CONV_HPP

#include <quantal/kernel/cpu/aligned.hpp>
#include <quantal/kernel/cpu/conv_layer.hpp>
#include <quantal/kernel/cpu/pixel_rows.hpp>
#include <quantal/kernel/cpu/sum_bounds.hpp>

namespace quantal {
inline namespace v0 {
namespace cpu {

class depthwise_conv : public conv_layer {
public:
    depthwise_conv(const conv_problem& p, const kernel_set& kernels)
        : kernels_(kernels), shape_(p.shape), rule_(p.rule), form_(choose(p, kernels)),
          layout_(depthwise_layout::of(form_, kernels.lanes)),
          padding_(static_cast<std::size_t>(shape_.channels),
                   static_cast<std::uint8_t>(p.zero_point)) {
        const auto channels =
            static_cast<std::size_t>(rounded_up(shape_.channels, layout_.channels));
        bias_.resize(channels);
        multipliers_.resize(channels);
        weights_.resize(channels * static_cast<std::size_t>(shape_.op.kernel.w * groups() *
                                                            layout_.rows * layout_.element));
        for (std::size_t c = 0; c < padding_.size(); ++c) {
            bias_[c] = folded_bias(p, c);
            if (!p.multipliers.empty()) multipliers_[c] = p.multipliers[c];
            pack(static_cast<std::int64_t>(c), of_channel(p, c));
        }
    }

    [[nodiscard]] std::string describe() const override {
        return std::string(kernels_.name) + " depthwise " + name_of(form_);
    }
    [[nodiscard]] std::size_t workspace_bytes() const override {
        return whole_lines(static_cast<std::size_t>(columns(piece()) * shape_.op.kernel.h) *
                           sizeof(void*));
    }
    [[nodiscard]] std::size_t task_count(std::int64_t batch) const override {
        return static_cast<std::size_t>(divided_up(pieces(batch), pieces_a_task()));
    }
    void run_task(std::size_t task, const conv_call& call,
                  std::byte* workspace) const noexcept override {
        std::int64_t i = static_cast<std::int64_t>(task) * pieces_a_task();
        for (const std::int64_t end = std::min(i + pieces_a_task(), pieces(call.batch)); i < end;
             ++i)
            run_piece(i, call, reinterpret_cast<const std::uint8_t**>(workspace));
    }

private:
    [[nodiscard]] static std::span<const std::int16_t> of_channel(const conv_problem& p,
                                                                  std::size_t c) {
        const auto positions = static_cast<std::size_t>(p.shape.positions());
        return p.weights.subspan(c * positions, positions);
    }

    [[nodiscard]] static form choose(const conv_problem& p, const kernel_set& kernels) {
        bool bytes = true, shorts = kernels.depthwise[static_cast<int>(form::shorts)] != nullptr;
        for (std::size_t c = 0; c < p.bias.size(); ++c) {
            for (const std::int16_t w : of_channel(p, c))
                bytes = bytes && w >= -128 && w <= 127;
            shorts = shorts && sum_fits_int16(p.u_max, of_channel(p, c));
        }
        if (bytes && kernels.fast_dot4) return form::bytes;
        return bytes && shorts ? form::shorts : form::words;
    }

    /// Groups of kernel rows.
    [[nodiscard]] std::int64_t groups() const {
        return divided_up(shape_.op.kernel.h, layout_.rows);
    }
    void pack(std::int64_t c, std::span<const std::int16_t> weights) {
        const std::int64_t block = c / layout_.channels, width = shape_.op.kernel.w;
        for (std::int64_t k = 0; k < shape_.positions(); ++k) {
            const std::int64_t ky = k / width, kx = k % width;
            const std::int64_t group = (block * width + kx) * groups() + ky / layout_.rows;
            const std::int64_t element =
                (group * layout_.channels + c % layout_.channels) * layout_.rows +
                layout_.place(static_cast<int>(ky % layout_.rows));
            const std::int16_t w = weights[static_cast<std::size_t>(k)];
            const auto narrow = static_cast<std::int8_t>(w);
            std::byte* to = weights_.data() + element * layout_.element;
            if (form_ == form::words)
                std::memcpy(to, &w, sizeof w);
            else
                std::memcpy(to, &narrow, sizeof narrow);
        }
    }

    /// Lines of the output are cut into pieces of at most so many pixels; a task has about as many.
    static constexpr std::int64_t most_pixels = 128;
    [[nodiscard]] std::int64_t pieces_a_line() const {
        return std::max<std::int64_t>(divided_up(shape_.output().w, most_pixels), 1);
    }
    [[nodiscard]] std::int64_t piece() const {
        return divided_up(shape_.output().w, pieces_a_line());
    }
    [[nodiscard]] std::int64_t pieces(std::int64_t batch) const {
        return shape_.output().w == 0 ? 0 : batch * shape_.output().h * pieces_a_line();
    }
    [[nodiscard]] std::int64_t pieces_a_task() const {
        return std::max<std::int64_t>(most_pixels / std::max<std::int64_t>(piece(), 1), 1);
    }

    /// Columns of pixels from window to window: windows share them unless they are dilated.
    [[nodiscard]] bool is_shared() const { return shape_.op.dilation.w == 1; }
    [[nodiscard]] std::int64_t window_step() const {
        return is_shared() ? shape_.op.stride.w : shape_.op.kernel.w;
    }
    [[nodiscard]] std::int64_t columns(std::int64_t count) const {
        return (std::max<std::int64_t>(count, 1) - 1) * window_step() + shape_.op.kernel.w;
    }

    void run_piece(std::int64_t i, const conv_call& call, const std::uint8_t** pixels) const {
        const hw kernel = shape_.op.kernel, out = shape_.output();
        const std::int64_t column = i % pieces_a_line() * piece();
        const std::int64_t first = i / pieces_a_line() * out.w + column;
        const std::int64_t count = std::min(piece(), out.w - column);
        if (count <= 0) return;
        const pointer_gatherer gather(shape_, padding_.data());
        window_walk walk(shape_, call.x, first);
        if (is_shared())
            gather(walk.place(), columns(count), 1, pixels);
        else
            for (std::int64_t w = 0; w < count; ++w, walk.next())
                gather(walk.place(), kernel.w, shape_.op.dilation.w,
                       pixels + w * kernel.w * kernel.h);
        const output to{static_cast<std::byte*>(call.y), call.other, shape_.channels};
        kernels_.depthwise[static_cast<int>(form_)](
            {pixels, window_step() * kernel.h, count, static_cast<int>(kernel.h),
             static_cast<int>(kernel.w), static_cast<int>(shape_.channels), weights_.data(),
             bias_.data(), multipliers_.data(), &rule_, to.at(rule_, first, 0)});
    }

    const kernel_set& kernels_;
    conv_shape shape_;
    finish_rule rule_;
    form form_;
    depthwise_layout layout_;
    std::vector<std::uint8_t> padding_; ///< a pixel of zero points
    aligned_vector<std::byte> weights_;
    aligned_vector<std::int32_t> bias_;
    aligned_vector<float> multipliers_;
};

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
