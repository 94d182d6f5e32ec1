// SPDX-License-Identifier: Apache-2.0
/// The convolution of one group: the windows of images as rows of a matrix product.
#ifndef QUANTAL_CUDA_IMAGE_ROWS_HPP
#define QUANTAL_CUDA_IMAGE_ROWS_HPP

#include <quantal/kernel/cuda/thread.hpp>
#include <quantal/kernel/cuda/tile.hpp>

namespace quantal {
inline namespace v0 {
namespace cuda {

struct extent2 {
    std::int32_t h, w;
};

/// One row an output pixel: the bytes of its window, kernel position after kernel position,
/// channels innermost. Images are batch x height x width x channels, with the channels of a pixel
/// padded to a multiple of 16 by bytes that meet weights of 0. Outside an image are zero points.
struct image_rows {
    const std::uint8_t* data;
    std::int32_t images, channels; ///< padded
    extent2 image, output, kernel, stride, dilation;
    std::int32_t top, left; ///< padding
    std::uint8_t zero_point;
    const std::uint8_t* outside = nullptr; ///< `channels` zero points, for matrix products

    /// Whether row after row is pixel after pixel: the images are a matrix.
    [[nodiscard]] bool is_matrix() const {
        return kernel.h * kernel.w == 1 && stride.h == 1 && stride.w == 1 && top == 0 &&
               left == 0 && image.h == output.h && image.w == output.w;
    }

    /// The first pixel of a window, which may lie outside its image.
    struct place {
        const std::uint8_t* image;
        std::int32_t y, x;
    };

    [[nodiscard]] QUANTAL_DEVICE place at(int row) const {
        const int pixels = output.h * output.w;
        const int n = row / pixels;
        if (n >= images) return {data, -(1 << 30), 0}; // outside whatever the kernel's size
        const int pixel = row % pixels;
        const std::int64_t bytes = std::int64_t{image.h} * image.w * channels;
        return {data + n * bytes, pixel / output.w * stride.h - top,
                pixel % output.w * stride.w - left};
    }
    /// The channels of the pixel at the kernel's row and column; null outside its image.
    [[nodiscard]] QUANTAL_DEVICE const std::uint8_t* pixel(const place& of, extent2 at) const {
        const int y = of.y + at.h * dilation.h;
        const int x = of.x + at.w * dilation.w;
        if (y < 0 || y >= image.h || x < 0 || x >= image.w) return nullptr;
        return of.image + (std::int64_t{y} * image.w + x) * channels;
    }
    [[nodiscard]] QUANTAL_DEVICE const std::uint8_t* pixel(const place& of, int position) const {
        return pixel(of, extent2{position / kernel.w, position % kernel.w});
    }

    /// One chunk of each of `Copies` rows, which a thread copies again and again, deeper each time:
    /// further channels of a pixel, then another pixel.
    template <int Copies>
    class walk {
    public:
        /// Rows `row`, `row + step` and so on, from byte k on.
        QUANTAL_DEVICE walk(const image_rows& rows, int row, int step, int k)
            : rows_(rows), position_{0, 0}, channel_(k) {
            QUANTAL_UNROLL
            for (int i = 0; i < Copies; ++i)
                places_[i] = rows.at(row + i * step);
            find();
        }
        QUANTAL_DEVICE void copy_whole(int i, std::uint8_t* to) const {
            copy_async(to, from_[i], chunk_bytes);
        }
        /// Beyond the last position weights are 0.
        QUANTAL_DEVICE void copy(int i, std::uint8_t* to) const { copy_whole(i, to); }
        QUANTAL_DEVICE void go_deeper(int bytes) {
            channel_ += bytes;
            QUANTAL_UNROLL
            for (int i = 0; i < Copies; ++i)
                from_[i] += bytes;
            if (channel_ >= rows_.channels) find();
        }

    private:
        /// Makes the channel one of its pixel's, and points there.
        QUANTAL_DEVICE void find() {
            for (; channel_ >= rows_.channels; channel_ -= rows_.channels)
                if (++position_.w == rows_.kernel.w) position_ = {position_.h + 1, 0};
            QUANTAL_UNROLL
            for (int i = 0; i < Copies; ++i) {
                const std::uint8_t* pixel = rows_.pixel(places_[i], position_);
                from_[i] = (pixel ? pixel : rows_.outside) + channel_;
            }
        }

        const image_rows& rows_;
        place places_[Copies];
        const std::uint8_t* from_[Copies];
        extent2 position_; ///< in the kernel
        std::int32_t channel_;
    };
};

} // namespace cuda
} // namespace v0
} // namespace quantal

#endif
