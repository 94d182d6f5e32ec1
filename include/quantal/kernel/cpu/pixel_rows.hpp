// SPDX-License-Identifier: Apache-2.0
/// What a convolution reads for each output pixel: gathered into a row of operands, or as pointers.
#ifndef QUANTAL_KERNEL_CPU_PIXEL_ROWS_HPP
#define QUANTAL_KERNEL_CPU_PIXEL_ROWS_HPP

#include <quantal/kernel/cpu/conv_problem.hpp>
#include <quantal/kernel/cpu/kernels.hpp>

#include <algorithm>
#include <cstring>

namespace quantal {
inline namespace v0 {
namespace cpu {

/// The window of an output pixel: the input pixel at its kernel position (0, 0), perhaps outside.
struct window_place {
    const std::uint8_t* image;
    std::int64_t y, x;
};

/// Walks over output pixels of a batch, from any of them on.
class window_walk {
public:
    window_walk(const conv_shape& shape, const std::uint8_t* batch, std::int64_t pixel)
        : shape_(shape), out_(shape.output()) {
        const std::int64_t inside = pixel % (out_.h * out_.w);
        image_ = batch + pixel / (out_.h * out_.w) * image_bytes();
        oy_ = inside / out_.w;
        ox_ = inside % out_.w;
    }

    [[nodiscard]] window_place place() const {
        const op::conv2d& o = shape_.op;
        return {image_, oy_ * o.stride.h - o.padding.top, ox_ * o.stride.w - o.padding.left};
    }
    void next() {
        if (++ox_ < out_.w) return;
        ox_ = 0;
        if (++oy_ < out_.h) return;
        oy_ = 0;
        image_ += image_bytes();
    }

private:
    [[nodiscard]] std::int64_t image_bytes() const {
        return shape_.image.h * shape_.image.w * shape_.channels;
    }

    const conv_shape& shape_;
    hw out_;
    const std::uint8_t* image_;
    std::int64_t oy_, ox_;
};

/// Gathers windows into rows of operands: [kernel position][channel of the group], as bytes or as
/// int16; places outside the image hold the zero point.
class row_gatherer {
public:
    row_gatherer(const conv_shape& shape, std::int32_t zero_point, form f, std::int64_t row_bytes,
                 const kernel_set& kernels)
        : shape_(shape), zero_point_(zero_point), words_(f == form::words), row_bytes_(row_bytes),
          widen_(kernels.widen_bytes) {}

    /// The row of one window, for the channels from `channel` on.
    void operator()(const window_place& w, std::int64_t channel, std::byte* row) const {
        std::byte* to = row;
        for (std::int64_t ky = 0; ky < shape_.op.kernel.h; ++ky) {
            const std::int64_t y = w.y + ky * shape_.op.dilation.h;
            const bool inside = y >= 0 && y < shape_.image.h;
            if (inside)
                to = line(w.image + y * shape_.image.w * shape_.channels + channel, w.x, to);
            else
                to = pad(to, shape_.op.kernel.w);
        }
        std::memset(to, 0, static_cast<std::size_t>(row + row_bytes_ - to));
    }

private:
    /// One line of the kernel over one line of the image.
    std::byte* line(const std::uint8_t* pixels, std::int64_t x, std::byte* to) const {
        const std::int64_t width = shape_.op.kernel.w, step = shape_.op.dilation.w;
        if (step == 1 && shape_.op.groups == 1) {
            const std::int64_t left = std::clamp<std::int64_t>(-x, 0, width);
            const std::int64_t end = std::clamp<std::int64_t>(shape_.image.w - x, left, width);
            to = pad(to, left);
            to = copy(pixels + (x + left) * shape_.channels, (end - left) * shape_.channels, to);
            return pad(to, width - end);
        }
        for (std::int64_t kx = 0; kx < width; ++kx) {
            const std::int64_t at = x + kx * step;
            const bool inside = at >= 0 && at < shape_.image.w;
            to = inside ? copy(pixels + at * shape_.channels, shape_.group_in(), to) : pad(to, 1);
        }
        return to;
    }

    std::byte* copy(const std::uint8_t* from, std::int64_t count, std::byte* to) const {
        if (words_) {
            widen_(from, reinterpret_cast<std::int16_t*>(to), count);
            return to + 2 * count;
        }
        std::memcpy(to, from, static_cast<std::size_t>(count));
        return to + count;
    }

    /// The zero point at `positions` kernel positions.
    std::byte* pad(std::byte* to, std::int64_t positions) const {
        const std::int64_t count = positions * shape_.group_in();
        if (words_) {
            auto* words = reinterpret_cast<std::int16_t*>(to);
            std::fill(words, words + count, static_cast<std::int16_t>(zero_point_));
            return to + 2 * count;
        }
        std::memset(to, zero_point_, static_cast<std::size_t>(count));
        return to + count;
    }

    const conv_shape& shape_;
    std::int32_t zero_point_;
    bool words_;
    std::int64_t row_bytes_;
    void (*widen_)(const std::uint8_t*, std::int16_t*, std::ptrdiff_t);
};

/// Collects pointers to the input pixels under windows, `padding` where they lie outside.
class pointer_gatherer {
public:
    pointer_gatherer(const conv_shape& shape, const std::uint8_t* padding)
        : shape_(shape), padding_(padding),
          row_(shape.op.dilation.h * shape.image.w * shape.channels),
          column_(shape.op.dilation.w * shape.channels) {}

    void operator()(const window_place& w, const std::uint8_t** pixels) const {
        const hw kernel = shape_.op.kernel, step = shape_.op.dilation, image = shape_.image;
        const std::uint8_t* corner = w.image + (w.y * image.w + w.x) * shape_.channels;
        const bool inside = w.y >= 0 && w.x >= 0 && w.y + (kernel.h - 1) * step.h < image.h &&
                            w.x + (kernel.w - 1) * step.w < image.w;
        for (std::int64_t ky = 0; ky < kernel.h; ++ky) {
            const std::int64_t y = w.y + ky * step.h;
            for (std::int64_t kx = 0; kx < kernel.w; ++kx, ++pixels) {
                const std::int64_t x = w.x + kx * step.w;
                const bool valid = inside || (y >= 0 && y < image.h && x >= 0 && x < image.w);
                *pixels = valid ? corner + ky * row_ + kx * column_ : padding_;
            }
        }
    }

private:
    const conv_shape& shape_;
    const std::uint8_t* padding_;
    std::int64_t row_, column_;
};

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
