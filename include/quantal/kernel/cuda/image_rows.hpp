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
    /// The channels of place `position` of a row's window; null outside its image.
    [[nodiscard]] QUANTAL_DEVICE const std::uint8_t* pixel(const place& row, int position) const {
        const int y = row.y + position / kernel.w * dilation.h;
        const int x = row.x + position % kernel.w * dilation.w;
        if (y < 0 || y >= image.h || x < 0 || x >= image.w) return nullptr;
        return row.image + (std::int64_t{y} * image.w + x) * channels;
    }
    /// Chunk [k, k + 16) of a row to shared memory.
    QUANTAL_DEVICE void fetch(const place& row, int k, std::uint8_t* to) const {
        if (const std::uint8_t* from = pixel(row, k / channels))
            return copy_async(to, from + k % channels, chunk_bytes);
        pack<std::uint8_t, chunk_bytes> zeros;
        for (int i = 0; i < chunk_bytes; ++i)
            zeros[i] = zero_point;
        store_pack(to, zeros);
    }
};

} // namespace cuda
} // namespace v0
} // namespace quantal

#endif
