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
    /// Output pixels of the line from here on.
    [[nodiscard]] std::int64_t left() const { return out_.w - ox_; }
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

/// Writes elements of rows, as bytes or as int16.
class row_writer {
public:
    row_writer(std::int32_t zero_point, bool words, const kernel_set& kernels)
        : zero_point_(zero_point), words_(words), widen_(kernels.widen_bytes) {}

    std::byte* copy(const std::uint8_t* from, std::int64_t count, std::byte* to) const {
        if (words_) {
            widen_(from, reinterpret_cast<std::int16_t*>(to), count);
            return to + 2 * count;
        }
        std::memcpy(to, from, static_cast<std::size_t>(count));
        return to + count;
    }

    /// The zero point, `count` times.
    std::byte* pad(std::int64_t count, std::byte* to) const {
        if (words_) {
            auto* words = reinterpret_cast<std::int16_t*>(to);
            std::fill(words, words + count, static_cast<std::int16_t>(zero_point_));
            return to + 2 * count;
        }
        std::memset(to, zero_point_, static_cast<std::size_t>(count));
        return to + count;
    }

private:
    std::int32_t zero_point_;
    bool words_;
    void (*widen_)(const std::uint8_t*, std::int16_t*, std::ptrdiff_t);
};

/// Gathers windows into rows of operands: [kernel position][channel of the group]; places outside
/// the image hold the zero point.
class row_gatherer {
public:
    row_gatherer(const conv_shape& shape, const row_writer& write, std::int64_t row_bytes)
        : shape_(shape), write_(write), row_bytes_(row_bytes) {}

    /// The row of one window, for the channels from `channel` on.
    void operator()(const window_place& w, std::int64_t channel, std::byte* row) const {
        const hw kernel = shape_.op.kernel, step = shape_.op.dilation, image = shape_.image;
        std::byte* to = row;
        for (std::int64_t ky = 0; ky < kernel.h; ++ky) {
            const std::int64_t y = w.y + ky * step.h;
            const std::uint8_t* line = w.image + y * image.w * shape_.channels + channel;
            for (std::int64_t kx = 0; kx < kernel.w; ++kx) {
                const std::int64_t x = w.x + kx * step.w;
                const bool inside = y >= 0 && y < image.h && x >= 0 && x < image.w;
                to = inside ? write_.copy(line + x * shape_.channels, shape_.group_in(), to)
                            : write_.pad(shape_.group_in(), to);
            }
        }
        std::memset(to, 0, static_cast<std::size_t>(row + row_bytes_ - to));
    }

private:
    const conv_shape& shape_;
    row_writer write_;
    std::int64_t row_bytes_;
};

/// Collects pointers to the input pixels under windows, `padding` where they lie outside.
class pointer_gatherer {
public:
    pointer_gatherer(const conv_shape& shape, const std::uint8_t* padding)
        : shape_(shape), padding_(padding) {}

    /// Columns `x`, `x + step`, ..., those of a window of line `y` on: [column][kernel row].
    void operator()(const window_place& w, std::int64_t columns, std::int64_t step,
                    const std::uint8_t** pixels) const {
        const hw kernel = shape_.op.kernel, image = shape_.image;
        for (std::int64_t ky = 0; ky < kernel.h; ++ky) {
            const std::int64_t y = w.y + ky * shape_.op.dilation.h;
            const bool inside = y >= 0 && y < image.h;
            for (std::int64_t i = 0; i < columns; ++i) {
                const std::int64_t x = w.x + i * step;
                pixels[i * kernel.h + ky] = inside && x >= 0 && x < image.w
                                                ? w.image + (y * image.w + x) * shape_.channels
                                                : padding_;
            }
        }
    }

private:
    const conv_shape& shape_;
    const std::uint8_t* padding_;
};

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
