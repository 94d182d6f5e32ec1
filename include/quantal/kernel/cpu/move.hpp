// SPDX-License-Identifier: Apache-2.0
/// Elements from place to place: between channels first and channels last, and shortcuts.
#ifndef QUANTAL_KERNEL_CPU_MOVE_HPP
#define QUANTAL_KERNEL_CPU_MOVE_HPP

#include <quantal/kernel/reference/geometry.hpp>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace quantal {
inline namespace v0 {
namespace cpu {

/// Row `y` of an image of height x width x channels into one of channels x height x width.
template <class T>
void row_to_planes(const reference::image_shape& s, std::int64_t y, const T* hwc, T* chw) {
    const T* row = hwc + y * s.width * s.channels;
    for (std::int64_t c = 0; c < s.channels; ++c) {
        T* plane = chw + (c * s.height + y) * s.width;
        for (std::int64_t x = 0; x < s.width; ++x)
            plane[x] = row[x * s.channels + c];
    }
}

namespace detail {

/// So many elements of a line of a plane are converted at a time.
inline constexpr std::int64_t plane_part = 256;

/// Bytes of three planes, pixel after pixel: four at a time, the last of which the next pixel
/// overwrites.
inline void join_planes(const std::uint8_t (&planes)[3][plane_part], std::int64_t count,
                        std::uint8_t* to) {
    std::uint32_t pixels[plane_part];
    for (std::int64_t x = 0; x < plane_part; ++x) // a constant number, or g++ 12 goes one by one
        pixels[x] =
            planes[0][x] | std::uint32_t{planes[1][x]} << 8 | std::uint32_t{planes[2][x]} << 16;
    for (std::int64_t x = 0; x + 1 < count; ++x, to += 3)
        std::memcpy(to, pixels + x, 4);
    std::memcpy(to, pixels + count - 1, 3);
}

} // namespace detail

/// Row `y` of an image of channels x height x width into one of height x width x channels, the
/// elements converted by `f(from, count, to)`, some hundred of them at a time.
template <class X, class Y, class F>
void row_from_planes(const reference::image_shape& s, std::int64_t y, const X* chw, Y* hwc, F&& f) {
    constexpr std::int64_t part = detail::plane_part;
    const auto convert = [&](std::int64_t c, std::int64_t first, std::int64_t count, Y* to) {
        f(chw + (c * s.height + y) * s.width + first, static_cast<std::size_t>(count), to);
    };
    for (std::int64_t first = 0; first < s.width; first += part) {
        const std::int64_t count = std::min(part, s.width - first);
        Y* to = hwc + (y * s.width + first) * s.channels;
        if constexpr (std::endian::native == std::endian::little && std::is_same_v<Y, std::uint8_t>)
            if (s.channels == 3) {
                Y planes[3][part] = {};
                for (std::int64_t c = 0; c < 3; ++c)
                    convert(c, first, count, planes[c]);
                detail::join_planes(planes, count, to);
                continue;
            }
        for (std::int64_t c = 0; c < s.channels; ++c) {
            Y converted[part];
            convert(c, first, count, converted);
            for (std::int64_t x = 0; x < count; ++x)
                to[x * s.channels + c] = converted[x];
        }
    }
}

/// Row `y` of a shortcut's output: every stride-th pixel, between channels of `zero`.
template <class T>
void shortcut_row(const op::shortcut& o, const reference::image_shape& in,
                  const reference::image_shape& out, std::int64_t y, T zero, const T* x, T* to) {
    to += y * out.width * out.channels;
    for (std::int64_t column = 0; column < out.width; ++column) {
        const T* from = x + (y * o.stride.h * in.width + column * o.stride.w) * in.channels;
        to = std::fill_n(to, o.channels_before, zero);
        to = std::copy(from, from + in.channels, to);
        to = std::fill_n(to, o.channels_after, zero);
    }
}

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
