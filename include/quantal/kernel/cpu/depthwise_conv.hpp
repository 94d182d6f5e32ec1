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
          padding_(static_cast<std::size_t>(columns(piece()) * shape_.channels),
                   static_cast<std::uint8_t>(p.zero_point)) {
        const auto all = static_cast<int>(shape_.channels);
        const int blocks = layout_.blocks(all), each = layout_.channels;
        const auto padded = static_cast<std::size_t>(std::ptrdiff_t{blocks} * each);
        bias_.resize(padded);
        multipliers_.resize(padded);
        weights_.resize(padded * static_cast<std::size_t>(shape_.op.kernel.w * groups() *
                                                          layout_.rows * layout_.element));
        for (int block = 0; block < blocks; ++block)
            for (int i = 0; i < std::min(each, all); ++i) {
                const auto channel =
                    static_cast<std::size_t>(std::ptrdiff_t{layout_.first_channel(block, all)} + i);
                const auto place =
                    static_cast<std::size_t>(std::ptrdiff_t{block} * each + layout_.place(i));
                bias_[place] = folded_bias(p, channel);
                if (!p.multipliers.empty()) multipliers_[place] = p.multipliers[channel];
                pack(block, layout_.weight_place(i), of_channel(p, channel));
            }
    }

    [[nodiscard]] std::string describe() const override {
        return std::string(kernels_.name) + " depthwise " + name_of(form_);
    }
    [[nodiscard]] std::size_t weight_bytes() const override { return weights_.size(); }
    [[nodiscard]] std::size_t workspace_bytes() const override {
        return whole_lines(static_cast<std::size_t>(columns(piece()) * shape_.op.kernel.h) *
                           sizeof(void*));
    }
    [[nodiscard]] std::size_t task_count(const conv_call& call) const override {
        return static_cast<std::size_t>(divided_up(pieces(call.batch), pieces_a_task()));
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
    void pack(std::int64_t block, std::int64_t place, std::span<const std::int16_t> weights) {
        const std::int64_t width = shape_.op.kernel.w;
        for (std::int64_t k = 0; k < shape_.positions(); ++k) {
            const std::int64_t ky = k / width, kx = k % width;
            const std::int64_t group = (block * width + kx) * groups() + ky / layout_.rows;
            const std::int64_t element =
                (group * layout_.channels + place) * layout_.rows + ky % layout_.rows;
            const std::int16_t w = weights[static_cast<std::size_t>(k)];
            const auto narrow = static_cast<std::int8_t>(w);
            std::byte* to = weights_.data() + element * layout_.element;
            if (form_ == form::words)
                std::memcpy(to, &w, sizeof w);
            else
                std::memcpy(to, &narrow, sizeof narrow);
        }
    }

    /// Lines of the output are cut into pieces of at most so many pixels; a task has about so many
    /// elements, the work of a few microseconds.
    static constexpr std::int64_t most_pixels = 128, task_elements = 16384;
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
        const std::int64_t elements = std::max<std::int64_t>(piece(), 1) * shape_.channels;
        return std::max<std::int64_t>(task_elements / elements, 1);
    }

    /// Columns of pixels from window to window: windows share them unless they are dilated.
    [[nodiscard]] bool is_shared() const { return shape_.op.dilation.w == 1; }
    [[nodiscard]] std::int64_t window_step() const {
        return is_shared() ? shape_.op.stride.w : shape_.op.kernel.w;
    }
    [[nodiscard]] std::int64_t columns(std::int64_t count) const {
        return (std::max<std::int64_t>(count, 1) - 1) * window_step() + shape_.op.kernel.w;
    }

    /// Windows of 3x3 that lie inside the image are read from three lines, without a pointer to
    /// every pixel: a multiple of `at_once` of them.
    static constexpr std::int64_t at_once = 4;
    struct range {
        std::int64_t begin, end;
    };
    [[nodiscard]] range inside(std::int64_t column, std::int64_t count) const {
        const op::conv2d& o = shape_.op;
        if (o.kernel != hw(3) || !is_shared() || o.stride.w > 2) return {column, column};
        const std::int64_t before = divided_up(o.padding.left, o.stride.w);
        const std::int64_t begin =
            column + rounded_up(std::max<std::int64_t>(before - column, 0), at_once);
        const std::int64_t room = shape_.image.w - o.kernel.w + o.padding.left;
        const std::int64_t end = std::min(column + count, room < 0 ? 0 : room / o.stride.w + 1);
        return {begin, begin + std::max<std::int64_t>(end - begin, 0) / at_once * at_once};
    }

    void run_piece(std::int64_t i, const conv_call& call, const std::uint8_t** pixels) const {
        const std::int64_t column = i % pieces_a_line() * piece(), line = i / pieces_a_line();
        const std::int64_t end = std::min(column + piece(), shape_.output().w);
        const range in = inside(column, end - column);
        if (in.begin == in.end) return run_windows(line, {column, end}, call, pixels);
        run_windows(line, {column, in.begin}, call, pixels);
        run_lines(line, in, call);
        // What is left, as a whole group even if that computes some windows again.
        if (in.end < end) run_windows(line, {std::min(in.end, end - at_once), end}, call, pixels);
    }
    void run_windows(std::int64_t line, const range& windows, const conv_call& call,
                     const std::uint8_t** pixels) const {
        const hw kernel = shape_.op.kernel;
        const std::int64_t count = windows.end - windows.begin;
        if (count <= 0) return;
        const std::int64_t first = line * shape_.output().w + windows.begin;
        const pointer_gatherer gather(shape_, padding_.data());
        window_walk walk(shape_, call.x, first);
        if (is_shared())
            gather(walk.place(), columns(count), 1, pixels);
        else
            for (std::int64_t w = 0; w < count; ++w, walk.next())
                gather(walk.place(), kernel.w, shape_.op.dilation.w,
                       pixels + w * kernel.w * kernel.h);
        multiply(pixels, 0, first, count, call);
    }
    void run_lines(std::int64_t line, const range& windows, const conv_call& call) const {
        const std::int64_t first = line * shape_.output().w + windows.begin;
        const window_place w = window_walk(shape_, call.x, first).place();
        const std::uint8_t* lines[3];
        for (std::int64_t ky = 0; ky < 3; ++ky) {
            const std::int64_t y = w.y + ky * shape_.op.dilation.h;
            lines[ky] = y >= 0 && y < shape_.image.h
                            ? w.image + (y * shape_.image.w + w.x) * shape_.channels
                            : padding_.data();
        }
        multiply(lines, shape_.channels, first, windows.end - windows.begin, call);
    }
    void multiply(const std::uint8_t* const* pixels, std::int64_t pitch, std::int64_t first,
                  std::int64_t count, const conv_call& call) const {
        const hw kernel = shape_.op.kernel;
        const output to{static_cast<std::byte*>(call.y), call.other, shape_.channels};
        kernels_.depthwise[static_cast<int>(form_)](
            {pixels, pitch, window_step(), count, static_cast<int>(kernel.h),
             static_cast<int>(kernel.w), static_cast<int>(shape_.channels), weights_.data(),
             bias_.data(), multipliers_.data(), &rule_, to.at(rule_, first, 0)});
    }

    const kernel_set& kernels_;
    conv_shape shape_;
    finish_rule rule_;
    form form_;
    depthwise_layout layout_;
    std::vector<std::uint8_t> padding_; ///< a line of zero points
    aligned_vector<std::byte> weights_;
    aligned_vector<std::int32_t> bias_;
    aligned_vector<float> multipliers_;
};

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
