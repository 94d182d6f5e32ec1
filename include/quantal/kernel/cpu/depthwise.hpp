// SPDX-License-Identifier: Apache-2.0
/// Depthwise convolutions, one channel a lane.
#ifndef QUANTAL_KERNEL_CPU_DEPTHWISE_HPP
#define QUANTAL_KERNEL_CPU_DEPTHWISE_HPP

#include <quantal/kernel/cpu/tile.hpp>

namespace quantal {
inline namespace v0 {
namespace cpu {

/// How many channels of how many kernel rows meet in one register. Weights: [block of channels]
/// [kernel column][group of rows][channel][row of the group], zeros behind the last row.
struct depthwise_layout {
    int channels, rows;
    int element; ///< bytes

    [[nodiscard]] static constexpr depthwise_layout of(form f, int lanes) {
        return f == form::bytes   ? depthwise_layout{lanes, 4, 1}
               : f == form::words ? depthwise_layout{lanes, 2, 2}
                                  : depthwise_layout{2 * lanes, 2, 1};
    }
    /// Where a row of a group lies: rows 0 and 1 of bytes are widened together, as are 2 and 3.
    [[nodiscard]] constexpr int place(int row) const {
        return rows == 4 ? row % 2 * 2 + row / 2 : row;
    }
};

/// Output pixels of a line.
struct depthwise_call {
    const std::uint8_t* const* pixels; ///< [column][kernel row]: input pixels under the windows
    std::ptrdiff_t step;               ///< pointers from a window to the next
    std::ptrdiff_t count;              ///< output pixels
    int rows, columns;                 ///< of the kernel
    int channels;
    const std::byte* weights;
    const std::int32_t* bias;
    const float* multipliers;
    const finish_rule* rule;
    output out;
};

namespace detail {

/// Reads the lanes of one pixel: all of them, or the first `count`.
template <class A>
struct whole_pixel : convert<A> {};
template <class A>
struct part_of_pixel {
    using ints = lanes<A, std::int32_t>;
    std::size_t count;

    QUANTAL_INLINE ints widen(const std::uint8_t* a) const { return widen_part<A>(a, count); }
    QUANTAL_INLINE ints widen_pairs(const std::uint8_t* a, const std::uint8_t* b) const {
        return widen(a) | (widen(b) << 16);
    }
    QUANTAL_INLINE lanes<A, std::int16_t> widen_bytes(const std::uint8_t* a) const {
        using bytes = typename vector<std::uint8_t, A::width / 2>::type;
        const auto part = load_part<bytes>(a, count);
        return convert<A>::widen_bytes(&part);
    }
};

/// Output pixels of one block of channels.
template <class A, form F>
class depthwise_block {
    using sums = lanes<A, std::int32_t>;
    static constexpr depthwise_layout layout = depthwise_layout::of(F, lane_count<A>);
    static constexpr int registers = layout.channels / lane_count<A>; ///< of sums

    const depthwise_call& call_;
    const code_bounds<A>& bounds_;
    int channel_, count_;
    const std::byte* weights_;

public:
    /// Channels from `channel` on, `count` of them.
    QUANTAL_INLINE depthwise_block(const depthwise_call& call, const code_bounds<A>& bounds,
                                   int channel, int count)
        : call_(call), bounds_(bounds), channel_(channel), count_(count),
          weights_(call.weights + std::ptrdiff_t{channel} / layout.channels * call.columns *
                                      groups() * A::width) {}

    /// Outputs pixels from `pixel` on with a kernel of Size x Size: a column of the input serves
    /// all windows that it lies in.
    template <int Size, int Stride, int Outputs>
    QUANTAL_INLINE void pixels(std::ptrdiff_t pixel) const {
        constexpr int groups = (Size + layout.rows - 1) / layout.rows;
        sums acc[Outputs];
        repeat<Outputs>([&](auto o) QUANTAL_INLINE_LAMBDA { acc[o] = start(); });
        const std::uint8_t* const* from = call_.pixels + pixel * call_.step;
        repeat<(Outputs - 1) * Stride + Size>([&](auto column) QUANTAL_INLINE_LAMBDA {
            repeat<groups>([&](auto g) QUANTAL_INLINE_LAMBDA {
                constexpr int first = g * layout.rows, left = Size - first;
                const sums x = operand(from + column * Size + first,
                                       left < layout.rows ? left : layout.rows, whole_pixel<A>{});
                repeat<Outputs>([&](auto o) QUANTAL_INLINE_LAMBDA {
                    constexpr int kx = column - o * Stride;
                    if constexpr (kx >= 0 && kx < Size)
                        acc[o] = add(acc[o], x, weights_ + (kx * groups + g) * A::width);
                });
            });
        });
        repeat<Outputs>([&](auto o) QUANTAL_INLINE_LAMBDA { end(acc[o], pixel + o); });
    }

    /// One output pixel of any kernel.
    template <class Pixel>
    QUANTAL_INLINE void pixel(std::ptrdiff_t pixel, const Pixel& read) const {
        sums acc = start();
        const std::uint8_t* const* from = call_.pixels + pixel * call_.step;
        const std::byte* w = weights_;
        for (int column = 0; column < call_.columns; ++column)
            for (int left = call_.rows; left > 0; left -= layout.rows, w += A::width) {
                const int rows = left < layout.rows ? left : layout.rows;
                acc = add(acc, operand(from, rows, read), w);
                from += rows;
            }
        end(acc, pixel);
    }

private:
    [[nodiscard]] QUANTAL_INLINE int groups() const {
        return (call_.rows + layout.rows - 1) / layout.rows;
    }
    QUANTAL_INLINE sums start() const {
        return F == form::shorts ? sums{} : load<sums>(call_.bias + channel_);
    }

    /// One register of this block's channels at `rows` pixels.
    template <class Pixel>
    QUANTAL_INLINE sums operand(const std::uint8_t* const* from, int rows,
                                const Pixel& read) const {
        const auto at = [&](int row) QUANTAL_INLINE_LAMBDA { return from[row] + channel_; };
        if constexpr (F == form::shorts) {
            const auto low = read.widen_bytes(at(0));
            return reinterpret_cast<sums>(rows == 1 ? low : low | (read.widen_bytes(at(1)) << 8));
        } else {
            const sums low = rows == 1 ? read.widen(at(0)) : read.widen_pairs(at(0), at(1));
            if (F == form::words || rows <= 2) return low;
            return low | ((rows == 3 ? read.widen(at(2)) : read.widen_pairs(at(2), at(3))) << 8);
        }
    }

    static QUANTAL_INLINE sums add(sums acc, sums x, const std::byte* weights) {
        const auto w = load<sums>(weights);
        if constexpr (F == form::bytes)
            return dot<A>::dot4_u8s8(acc, x, w);
        else if constexpr (F == form::words)
            return dot<A>::widen_madd(acc, x, w);
        else
            return reinterpret_cast<sums>(reinterpret_cast<lanes<A, std::int16_t>>(acc) +
                                          dot<A>::pair_sums_u8s8(x, w));
    }

    QUANTAL_INLINE void end(const sums& acc, std::ptrdiff_t pixel) const {
        sums all[registers];
        if constexpr (F == form::shorts) {
            convert<A>::widen_shorts(reinterpret_cast<lanes<A, std::int16_t>>(acc), all[0], all[1]);
            repeat<registers>([&](auto v) QUANTAL_INLINE_LAMBDA {
                all[v] += load<sums>(call_.bias + channel_ + v * lane_count<A>);
            });
        } else {
            all[0] = acc;
        }
        const output out = call_.out.at(*call_.rule, pixel, channel_);
        if (call_.rule->kind == output_kind::codes && count_ == layout.channels)
            finish_codes<A>(bounds_, all, call_.multipliers + channel_, out.y);
        else
            finish_row<A>(*call_.rule, all, call_.multipliers + channel_, out, count_);
    }
};

/// Outputs pixels from `pixel` on, with a kernel of Size x Size, or one with any (Size 0).
template <class A, form F, int Size, int Stride, int Outputs>
QUANTAL_INLINE void depthwise_pixels(const depthwise_call& call, const code_bounds<A>& bounds,
                                     std::ptrdiff_t pixel) {
    constexpr int channels = depthwise_layout::of(F, lane_count<A>).channels;
    int first = 0;
    for (; first + channels <= call.channels; first += channels) {
        const depthwise_block<A, F> block(call, bounds, first, channels);
        if constexpr (Size == 0)
            block.pixel(pixel, whole_pixel<A>{});
        else
            block.template pixels<Size, Stride, Outputs>(pixel);
    }
    const int rest = call.channels - first;
    if (rest == 0) return;
    const depthwise_block<A, F> block(call, bounds, first, rest);
    for (int o = 0; o < Outputs; ++o)
        block.pixel(pixel + o, part_of_pixel<A>{static_cast<std::size_t>(rest)});
}

} // namespace detail

/// Form shorts: callers hold a proof that the sum of every channel fits int16.
template <class A, form F>
void depthwise(const depthwise_call& call) {
    constexpr int outputs = 4;
    const code_bounds<A> bounds(call.rule->codes);
    std::ptrdiff_t pixel = 0;
    if (call.rows == 3 && call.columns == 3 && call.step == 3)
        for (; pixel + outputs <= call.count; pixel += outputs)
            detail::depthwise_pixels<A, F, 3, 1, outputs>(call, bounds, pixel);
    if (call.rows == 3 && call.columns == 3 && call.step == 6)
        for (; pixel + outputs <= call.count; pixel += outputs)
            detail::depthwise_pixels<A, F, 3, 2, outputs>(call, bounds, pixel);
    for (; pixel < call.count; ++pixel)
        detail::depthwise_pixels<A, F, 0, 1, 1>(call, bounds, pixel);
}

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
