// SPDX-License-Identifier: Apache-2.0
/// Codes that change their place. Images are height x width x channels, `pitch` bytes a pixel.
#ifndef QUANTAL_CUDA_MOVES_HPP
#define QUANTAL_CUDA_MOVES_HPP

#include <quantal/arith/affine.hpp>
#include <quantal/kernel/cuda/each.hpp>
#include <quantal/kernel/cuda/image_rows.hpp>

namespace quantal {
inline namespace v0 {
namespace cuda {

/// Quantizes images of channels x height x width.
struct read_images {
    static constexpr const char* name = "read_images";
    const float* x;
    std::uint8_t* y;
    std::int32_t pixels, channels, pitch;
    float scale;
    std::int32_t zero_point, hi;

    QUANTAL_DEVICE void operator()(std::int64_t i) const {
        const std::int64_t pixel = i / channels, image = pixel / pixels, channel = i % channels;
        const float real = load(x + (image * channels + channel) * pixels + pixel % pixels);
        store(y + pixel * pitch + channel,
              static_cast<std::uint8_t>(arith::quantize(real, scale, zero_point, 0, hi)));
    }
};

/// One of the inputs of a concat through a table of 256 bytes; `y` is its first channel there.
struct join_channels {
    static constexpr const char* name = "join_channels";
    const std::uint8_t* x;
    const std::uint8_t* table;
    std::uint8_t* y;
    std::int32_t channels, x_pitch, y_pitch;

    QUANTAL_DEVICE void operator()(std::int64_t i) const {
        const std::int64_t pixel = i / channels, channel = i % channels;
        store(y + pixel * y_pitch + channel, load(table + load(x + pixel * x_pitch + channel)));
    }
};

/// Every `x.stride`-th pixel with channels of `x.zero_point` before and after.
struct short_cut {
    static constexpr const char* name = "short_cut";
    image_rows x;
    std::uint8_t* y;
    std::int32_t before, between, channels, pitch; ///< channels: before, of x, all of them

    QUANTAL_DEVICE void operator()(std::int64_t i) const {
        const std::int64_t pixel = i / channels;
        const int channel = static_cast<int>(i % channels), from = channel - before;
        const std::uint8_t* pixel_of_x = x.pixel(x.at(static_cast<int>(pixel)), 0);
        const bool is_copied = from >= 0 && from < between;
        store(y + pixel * pitch + channel, is_copied ? load(pixel_of_x + from) : x.zero_point);
    }
};

/// Channels x height x width of an image as the channels of one pixel.
struct flatten {
    static constexpr const char* name = "flatten";
    const std::uint8_t* x;
    std::uint8_t* y;
    std::int32_t pixels, channels, x_pitch, y_pitch;

    QUANTAL_DEVICE void operator()(std::int64_t i) const {
        const std::int64_t pixel = i / channels, image = pixel / pixels, channel = i % channels;
        store(y + image * y_pitch + channel * pixels + pixel % pixels,
              load(x + pixel * x_pitch + channel));
    }
};

/// `to[i] = from[i]`
struct copy_values {
    static constexpr const char* name = "copy_values";
    const float* from;
    float* to;

    QUANTAL_DEVICE void operator()(std::int64_t i) const { store(to + i, load(from + i)); }
};

} // namespace cuda
} // namespace v0
} // namespace quantal

#endif
