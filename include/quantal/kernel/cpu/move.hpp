// SPDX-License-Identifier: Apache-2.0
/// Elements from place to place: between channels first and channels last, and shortcuts.
#ifndef QUANTAL_KERNEL_CPU_MOVE_HPP
#define QUANTAL_KERNEL_CPU_MOVE_HPP

#include <quantal/kernel/reference/geometry.hpp>

#include <algorithm>

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

/// Row `y` of an image of channels x height x width into one of height x width x channels, the
/// elements converted by `f(from, count, to)`, at most `part` of them at a time.
template <class X, class Y, class F>
void row_from_planes(const reference::image_shape& s, std::int64_t y, const X* chw, Y* hwc, F&& f) {
    constexpr std::int64_t part = 256;
    Y converted[part];
    for (std::int64_t first = 0; first < s.width; first += part)
        for (std::int64_t c = 0; c < s.channels; ++c) {
            const std::int64_t count = std::min(part, s.width - first);
            f(chw + (c * s.height + y) * s.width + first, static_cast<std::size_t>(count),
              converted);
            Y* to = hwc + (y * s.width + first) * s.channels + c;
            for (std::int64_t x = 0; x < count; ++x)
                to[x * s.channels] = converted[x];
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
