// SPDX-License-Identifier: Apache-2.0
/// Pools and the operators that move values, by plain loops, for codes and floats. One image,
/// height x width x channels.
#ifndef QUANTAL_KERNEL_REFERENCE_POOL_HPP
#define QUANTAL_KERNEL_REFERENCE_POOL_HPP

#include <quantal/kernel/reference/geometry.hpp>

#include <algorithm>
#include <span>
#include <vector>

namespace quantal {
inline namespace v0 {
namespace reference {

/// `y = max` over each window; padding holds `lowest`.
template <class T>
void max_pool(const window& win, std::int64_t channels, T lowest, const T* x, T* y) {
    win.for_each_output([&](std::int64_t position, std::int64_t oy, std::int64_t ox) {
        T* out = y + position * channels;
        std::fill(out, out + channels, lowest);
        win.for_each(oy, ox, [&](std::int64_t pixel, std::int64_t) {
            const T* in = x + pixel * channels;
            for (std::int64_t c = 0; c < channels; ++c)
                out[c] = in[c] > out[c] ? in[c] : out[c];
        });
    });
}

/// Sums of `x - zero` over each window, handed to `finish(position, sums)`; padding adds nothing.
template <class T, class Finish>
void sum_pool(const window& win, std::int64_t channels, T zero, const T* x, Finish&& finish) {
    std::vector<T> sums(static_cast<std::size_t>(channels));
    win.for_each_output([&](std::int64_t position, std::int64_t oy, std::int64_t ox) {
        std::fill(sums.begin(), sums.end(), T{});
        win.for_each(oy, ox, [&](std::int64_t pixel, std::int64_t) {
            const T* in = x + pixel * channels;
            for (std::int64_t c = 0; c < channels; ++c)
                sums[static_cast<std::size_t>(c)] += in[c] - zero;
        });
        finish(position, std::span<const T>(sums));
    });
}

/// How many values the mean at an output position is of.
[[nodiscard]] inline std::int64_t divisor(const op::average_pool& o, const window& win,
                                          std::int64_t position) {
    if (o.counts_padding) return o.kernel.h * o.kernel.w;
    return win.inside(position / win.out.w, position % win.out.w);
}

/// Every `stride`-th pixel with channels of `zero` before and after.
template <class T>
void shortcut(const op::shortcut& o, const image_shape& in, const image_shape& out, T zero,
              const T* x, T* y) {
    std::fill(y, y + out.pixels() * out.channels, zero);
    for (std::int64_t h = 0; h < out.height; ++h)
        for (std::int64_t w = 0; w < out.width; ++w) {
            const T* from = x + (h * o.stride.h * in.width + w * o.stride.w) * in.channels;
            T* to = y + (h * out.width + w) * out.channels + o.channels_before;
            std::copy(from, from + in.channels, to);
        }
}

/// Height x width x channels to channels x height x width.
template <class T>
void to_chw(const image_shape& s, const T* hwc, T* chw) {
    for (std::int64_t p = 0; p < s.pixels(); ++p)
        for (std::int64_t c = 0; c < s.channels; ++c)
            chw[c * s.pixels() + p] = hwc[p * s.channels + c];
}

/// Channels x height x width to height x width x channels.
template <class T>
void to_hwc(const image_shape& s, const T* chw, T* hwc) {
    for (std::int64_t c = 0; c < s.channels; ++c)
        for (std::int64_t p = 0; p < s.pixels(); ++p)
            hwc[p * s.channels + c] = chw[c * s.pixels() + p];
}

} // namespace reference
} // namespace v0
} // namespace quantal

#endif
