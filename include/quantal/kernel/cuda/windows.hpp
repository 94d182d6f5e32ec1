// SPDX-License-Identifier: Apache-2.0
/// What is made of the window of one channel, without tensor cores: pools, and convolutions in
/// groups, of which the depthwise one is the commonest.
#ifndef QUANTAL_CUDA_WINDOWS_HPP
#define QUANTAL_CUDA_WINDOWS_HPP

#include <quantal/kernel/cuda/each.hpp>
#include <quantal/kernel/cuda/finish.hpp>
#include <quantal/kernel/cuda/image_rows.hpp>

namespace quantal {
inline namespace v0 {
namespace cuda {

/// `bias[c] + sum((x - zero_point) * w)` over the window and the channels of the group of c.
/// Weights are positions x channels of a group x output channels, so that a warp reads neighbours.
struct grouped_sum {
    const std::int8_t* w;
    const std::int32_t* bias;
    std::int32_t in, out, columns; ///< channels in and out of a group, and out of all

    [[nodiscard]] QUANTAL_DEVICE std::int32_t operator()(const image_rows& x, int row,
                                                         int column) const {
        const auto place = x.at(row);
        const int first = column / out * in;
        std::int32_t sum = load(bias + column);
        for (int position = 0; position < x.kernel.h * x.kernel.w; ++position)
            if (const std::uint8_t* pixel = x.pixel(place, position))
                for (int k = 0; k < in; ++k)
                    sum += (load(pixel + first + k) - x.zero_point) *
                           load(w + std::int64_t{position * in + k} * columns + column);
        return sum;
    }
};
/// `sum(x - zero_point)`.
struct window_sum {
    [[nodiscard]] QUANTAL_DEVICE std::int32_t operator()(const image_rows& x, int row,
                                                         int column) const {
        const auto place = x.at(row);
        std::int32_t sum = 0;
        for (int position = 0; position < x.kernel.h * x.kernel.w; ++position)
            if (const std::uint8_t* pixel = x.pixel(place, position))
                sum += load(pixel + column) - x.zero_point;
        return sum;
    }
};
/// `max(x)`; 0 is the lowest code.
struct window_max {
    [[nodiscard]] QUANTAL_DEVICE std::int32_t operator()(const image_rows& x, int row,
                                                         int column) const {
        const auto place = x.at(row);
        std::int32_t most = 0;
        for (int position = 0; position < x.kernel.h * x.kernel.w; ++position)
            if (const std::uint8_t* pixel = x.pixel(place, position)) {
                const std::int32_t code = load(pixel + column);
                most = code > most ? code : most;
            }
        return most;
    }
};

/// `finish(row, column, reduce(x, row, column))`, where i is row * columns + column.
template <class Reduce, class Finish>
struct windows {
    static constexpr const char* name = "windows";

    image_rows x;
    std::int32_t columns;
    Reduce reduce;
    Finish finish;

    QUANTAL_DEVICE void operator()(std::int64_t i) const {
        const int row = static_cast<int>(i / columns), column = static_cast<int>(i % columns);
        finish(row, column, reduce(x, row, column));
    }
};

template <class Reduce, class Finish>
using window_kernel = each_kernel<windows<Reduce, Finish>>;

} // namespace cuda
} // namespace v0
} // namespace quantal

#endif
