// SPDX-License-Identifier: Apache-2.0
/// The windows of a graph's operators as a kernel takes them.
#ifndef QUANTAL_CUDA_WINDOW_ROWS_HPP
#define QUANTAL_CUDA_WINDOW_ROWS_HPP

#include <quantal/kernel/cuda/image_rows.hpp>
#include <quantal/kernel/reference/geometry.hpp>

namespace quantal {
inline namespace v0 {
namespace cuda {

/// The windows of images at `data`, whose pixels are `pitch` bytes apart; matrix products need as
/// many zero points `outside`.
[[nodiscard]] inline image_rows rows_of(const reference::window& win, const std::uint8_t* data,
                                        std::int32_t images, std::int64_t pitch,
                                        std::int32_t zero_point,
                                        const std::uint8_t* outside = nullptr) {
    const auto narrow = [](hw size) {
        return extent2{static_cast<std::int32_t>(size.h), static_cast<std::int32_t>(size.w)};
    };
    return {data,
            images,
            static_cast<std::int32_t>(pitch),
            narrow(win.in),
            narrow(win.out),
            narrow(win.kernel),
            narrow(win.stride),
            narrow(win.dilation),
            static_cast<std::int32_t>(win.top),
            static_cast<std::int32_t>(win.left),
            static_cast<std::uint8_t>(zero_point),
            outside};
}

} // namespace cuda
} // namespace v0
} // namespace quantal

#endif
