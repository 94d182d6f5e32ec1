// SPDX-License-Identifier: Apache-2.0
/// What a windowed operator reads for each output: shared by convolutions and pools. Tensors of the
/// kernels are one image, height x width x channels.
#ifndef QUANTAL_KERNEL_REFERENCE_GEOMETRY_HPP
#define QUANTAL_KERNEL_REFERENCE_GEOMETRY_HPP

#include <quantal/graph/op.hpp>

#include <algorithm>

namespace quantal {
inline namespace v0 {
namespace reference {

/// Sizes and steps of a sliding window.
struct window {
    hw in, out, kernel, stride, dilation;
    std::int64_t top, left;

    /// Calls `f(input position, kernel position)` for each place of the window of output (y, x)
    /// that lies inside the image, in row-major order.
    template <class F>
    void for_each(std::int64_t y, std::int64_t x, F&& f) const {
        for (std::int64_t ky = 0; ky < kernel.h; ++ky) {
            const std::int64_t iy = y * stride.h - top + ky * dilation.h;
            if (iy < 0 || iy >= in.h) continue;
            for (std::int64_t kx = 0; kx < kernel.w; ++kx) {
                const std::int64_t ix = x * stride.w - left + kx * dilation.w;
                if (ix >= 0 && ix < in.w) f(iy * in.w + ix, ky * kernel.w + kx);
            }
        }
    }
    /// How many places of the window of output (y, x) lie inside the image.
    [[nodiscard]] std::int64_t inside(std::int64_t y, std::int64_t x) const {
        const auto along = [](std::int64_t first, std::int64_t count, std::int64_t size) {
            return std::min(first + count, size) - std::max<std::int64_t>(first, 0);
        };
        return along(y * stride.h - top, kernel.h, in.h) *
               along(x * stride.w - left, kernel.w, in.w);
    }
    /// Calls `f(output position, y, x)` for every output position.
    template <class F>
    void for_each_output(F&& f) const {
        for (std::int64_t y = 0; y < out.h; ++y)
            for (std::int64_t x = 0; x < out.w; ++x)
                f(y * out.w + x, y, x);
    }
};

/// The window of a linear layer, whose input is channels of one pixel.
inline constexpr window single_pixel{1, 1, 1, 1, 1, 0, 0};

/// A shape of one image as channels, height, width; flat features are channels of one pixel.
struct image_shape {
    std::int64_t channels, height, width;
    image_shape(const extents& s)
        : channels(s.rank() ? s[0] : 1), height(s.rank() == 3 ? s[1] : 1),
          width(s.rank() == 3 ? s[2] : 1) {}
    [[nodiscard]] std::int64_t pixels() const { return height * width; }
};

/// The window of a convolution or pool between images of these shapes.
template <class Op>
[[nodiscard]] window window_of(const Op& o, const image_shape& in, const image_shape& out) {
    hw dilation = 1;
    if constexpr (requires { o.dilation; }) dilation = o.dilation;
    return {{in.height, in.width}, {out.height, out.width}, o.kernel, o.stride, dilation,
            o.padding.top,         o.padding.left};
}

} // namespace reference
} // namespace v0
} // namespace quantal

#endif
