// SPDX-License-Identifier: Apache-2.0
/// Where the rows of operands of a convolution come from: segments of lines of the image, as they
/// lie there or in a padded copy of a few lines; or windows gathered one by one.
#ifndef QUANTAL_KERNEL_CPU_OPERAND_ROWS_HPP
#define QUANTAL_KERNEL_CPU_OPERAND_ROWS_HPP

#include <quantal/kernel/cpu/aligned.hpp>
#include <quantal/kernel/cpu/pixel_rows.hpp>

namespace quantal {
inline namespace v0 {
namespace cpu {

class operand_rows {
public:
    operand_rows(const conv_shape& shape, std::int32_t zero_point, form f,
                 const kernel_set& kernels)
        : shape_(shape), zero_point_(zero_point), form_(f), kernels_(kernels),
          source_(choose(shape, f)) {
        const op::conv2d& o = shape.op;
        const bool lines = source_ != source::windows;
        segments_ = lines ? o.kernel.h : 1;
        elements_ = lines ? o.kernel.w * shape.group_in() : shape.depth();
        if (source_ == source::copy) {
            const std::int64_t pixels = shape.image.w + o.padding.left + o.padding.right;
            line_bytes_ = (pixels * pixel_bytes() + 2 * (step_bytes - 1)) / step_bytes *
                          step_bytes; // the last segment may end in the middle of a step
        } else {
            line_bytes_ = shape.image.w * shape.channels;
        }
    }

    /// Elements of a row, with the zeros that fill the last step of each segment.
    [[nodiscard]] std::int64_t depth() const { return segments_ * padded_elements(); }

    /// Weights in the order of the elements of a row: [out][segment][element], zeros behind each
    /// segment.
    [[nodiscard]] std::vector<std::int16_t> in_order(std::span<const std::int16_t> weights) const {
        const std::int64_t positions = shape_.positions(), channels = shape_.group_in();
        std::vector<std::int16_t> ordered;
        for (std::int64_t o = 0; o < shape_.op.out_channels; ++o) {
            const std::int16_t* from = weights.data() + o * positions * channels;
            for (std::int64_t i = 0; i < positions * channels; ++i) {
                ordered.push_back(from[i % channels * positions + i / channels]);
                if ((i + 1) % elements_ == 0)
                    ordered.resize(ordered.size() +
                                   static_cast<std::size_t>(padded_elements() - elements_));
            }
        }
        return ordered;
    }

    /// Bytes that `prepare` needs for a block of `rows`.
    [[nodiscard]] std::int64_t bytes(std::int64_t rows) const {
        if (source_ == source::windows) return rows * segment_steps() * step_bytes;
        const std::int64_t copied =
            source_ == source::copy ? most_lines(rows) * line_bytes_ : std::int64_t{0};
        return places_bytes(rows) + copied;
    }

    /// Makes the rows of the output pixels `first` to `first + rows` readable for `call`; of the
    /// group of channels that starts at `channel`.
    void prepare(const std::uint8_t* x, std::int64_t channel, std::int64_t first, std::int64_t rows,
                 std::byte* workspace, panel_call& call) const {
        call.count = rows;
        if (source_ == source::windows) {
            call.rows = workspace;
            call.stride = segment_steps() * step_bytes;
            return gather(x, channel, first, rows, workspace);
        }
        call.segment_steps = segment_steps();
        call.segment_stride = shape_.op.dilation.h * line_bytes_;
        if (shape_.is_pointwise()) {
            call.rows = reinterpret_cast<const std::byte*>(x) + first * shape_.channels + channel;
            call.stride = shape_.channels;
            return;
        }
        auto* places = reinterpret_cast<std::ptrdiff_t*>(workspace);
        call.places = places;
        if (source_ == source::copy) {
            std::byte* lines = workspace + places_bytes(rows);
            call.rows = lines;
            copy_lines(x, first, rows, lines, places);
        } else {
            call.rows = reinterpret_cast<const std::byte*>(x) + channel;
            window_walk walk(shape_, x, first);
            for (std::int64_t i = 0; i < rows; ++i, walk.next()) {
                const window_place w = walk.place();
                places[i] = w.image - x + (w.y * shape_.image.w + w.x) * shape_.channels;
            }
        }
    }

private:
    enum class source : std::uint8_t { image, copy, windows };
    static constexpr std::int64_t step_bytes = 4;

    [[nodiscard]] static source choose(const conv_shape& s, form f) {
        const op::conv2d& o = s.op;
        const bool contiguous = o.kernel.w == 1 || (o.dilation.w == 1 && o.groups == 1);
        if (!contiguous) return source::windows;
        if (f != form::words && o.padding == quantal::padding(0) &&
            o.kernel.w * s.group_in() % step_bytes == 0)
            return source::image;
        // A copy of lines pays where windows overlap.
        const bool overlap = s.positions() > 1 && o.stride.h <= o.kernel.h &&
                             o.stride.w <= o.kernel.w && o.groups == 1;
        return overlap ? source::copy : source::windows;
    }

    [[nodiscard]] std::int64_t size() const {
        return static_cast<std::int64_t>(operand_bytes(form_));
    }
    [[nodiscard]] std::int64_t segment_steps() const {
        return (elements_ * size() + step_bytes - 1) / step_bytes;
    }
    [[nodiscard]] std::int64_t padded_elements() const {
        return segment_steps() * step_bytes / size();
    }
    [[nodiscard]] std::int64_t pixel_bytes() const { return shape_.channels * size(); }
    [[nodiscard]] static std::int64_t places_bytes(std::int64_t rows) {
        return static_cast<std::int64_t>(
            whole_lines(static_cast<std::size_t>(rows) * sizeof(std::ptrdiff_t)));
    }
    /// Lines of the image that a window covers.
    [[nodiscard]] std::int64_t reach() const {
        return (shape_.op.kernel.h - 1) * shape_.op.dilation.h + 1;
    }
    /// Lines under `rows` output pixels, wherever the block begins: an image after another has
    /// lines of its own.
    [[nodiscard]] std::int64_t most_lines(std::int64_t rows) const {
        const std::int64_t width = std::max<std::int64_t>(shape_.output().w, 1);
        const std::int64_t pixels = std::max<std::int64_t>(shape_.output_pixels(), 1);
        const std::int64_t lines = (rows + width - 2) / width + 1;
        const std::int64_t images = (rows + pixels - 2) / pixels + 1;
        return lines * shape_.op.stride.h + images * (reach() - shape_.op.stride.h);
    }

    void copy_lines(const std::uint8_t* x, std::int64_t first, std::int64_t rows, std::byte* lines,
                    std::ptrdiff_t* places) const {
        const std::ptrdiff_t step = shape_.op.stride.w * pixel_bytes();
        const std::uint8_t* image = nullptr;
        std::byte* end = lines; // of what is copied
        std::int64_t next = 0;  // the line of the image that comes there
        window_walk walk(shape_, x, first);
        for (std::int64_t i = 0; i < rows;) {
            const window_place w = walk.place();
            if (w.image != image) next = w.y;
            image = w.image;
            for (; next < w.y + reach(); ++next, end += line_bytes_)
                copy_line(image, next, end);
            std::ptrdiff_t place = end - lines - reach() * line_bytes_ +
                                   (w.x + shape_.op.padding.left) * pixel_bytes();
            for (std::int64_t left = std::min(walk.left(), rows - i); left > 0; --left, ++i) {
                places[i] = place;
                place += step;
                walk.next();
            }
        }
    }

    /// Line `y` of an image between its padding.
    void copy_line(const std::uint8_t* image, std::int64_t y, std::byte* to) const {
        const row_writer write(zero_point_, form_ == form::words, kernels_);
        const quantal::padding& p = shape_.op.padding;
        const std::int64_t width = shape_.image.w, channels = shape_.channels;
        const std::byte* end = to + line_bytes_;
        if (y < 0 || y >= shape_.image.h) {
            to = write.pad((width + p.left + p.right) * channels, to);
        } else {
            to = write.pad(p.left * channels, to);
            to = write.copy(image + y * width * channels, width * channels, to);
            to = write.pad(p.right * channels, to);
        }
        std::memset(to, 0, static_cast<std::size_t>(end - to));
    }

    void gather(const std::uint8_t* x, std::int64_t channel, std::int64_t first, std::int64_t rows,
                std::byte* to) const {
        if (form_ == form::words && shape_.is_pointwise() && shape_.op.groups == 1 &&
            shape_.channels % 2 == 0) {
            kernels_.widen_bytes(x + first * shape_.channels, reinterpret_cast<std::int16_t*>(to),
                                 rows * shape_.channels);
            return;
        }
        const std::int64_t row_bytes = segment_steps() * step_bytes;
        const row_gatherer gather_row(
            shape_, row_writer(zero_point_, form_ == form::words, kernels_), row_bytes);
        window_walk walk(shape_, x, first);
        for (std::int64_t row = 0; row < rows; ++row, walk.next())
            gather_row(walk.place(), channel, to + row * row_bytes);
    }

    conv_shape shape_;
    std::int32_t zero_point_;
    form form_;
    const kernel_set& kernels_;
    source source_;
    std::int64_t segments_, elements_, line_bytes_;
};

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
