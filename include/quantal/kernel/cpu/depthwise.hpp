// SPDX-License-Identifier: Apache-2.0
/// Depthwise convolutions, one channel a lane.
#ifndef QUANTAL_KERNEL_CPU_DEPTHWISE_HPP
#define QUANTAL_KERNEL_CPU_DEPTHWISE_HPP

#include <quantal/kernel/cpu/tile.hpp>

namespace quantal {
inline namespace v0 {
namespace cpu {

/// How many channels of how many kernel rows meet in the registers of a step. Weights: [block of
/// channels][kernel column][group of rows][channel][row of the group], zeros behind the last row;
/// channels, and what there is one a channel, interleaved. The last block ends with the last
/// channel; it overlaps the one before it.
struct depthwise_layout {
    int channels, rows;
    int element; ///< bytes
    bool pairs;  ///< weights of a group fill one register of pairs, in the order of the channels

    [[nodiscard]] static constexpr depthwise_layout of(form f, int lanes) {
        return f == form::bytes   ? depthwise_layout{2 * lanes, 4, 1, false}
               : f == form::words ? depthwise_layout{2 * lanes, 2, 2, false}
                                  : depthwise_layout{2 * lanes, 2, 1, true};
    }
    [[nodiscard]] constexpr int place(int channel) const {
        return interleaved_place(channel, channels / 2);
    }
    [[nodiscard]] constexpr int weight_place(int channel) const {
        return pairs ? channel : place(channel);
    }
    /// Of `all` channels.
    [[nodiscard]] constexpr int blocks(int all) const { return (all + channels - 1) / channels; }
    [[nodiscard]] constexpr int first_channel(int block, int all) const {
        const int first = block * channels;
        return first + channels <= all || block == 0 ? first : all - channels;
    }
};

/// Output pixels of a line.
struct depthwise_call {
    /// Input pixels under the windows, [column][kernel row]; or with a pitch those of column 0,
    /// from which the others lie so many bytes apart.
    const std::uint8_t* const* pixels;
    std::ptrdiff_t pitch;
    std::ptrdiff_t step;  ///< columns from a window to the next
    std::ptrdiff_t count; ///< output pixels
    int rows, columns;    ///< of the kernel
    int channels;
    const std::byte* weights;
    const std::int32_t* bias;
    const float* multipliers;
    const finish_rule* rule;
    output out;

    [[nodiscard]] QUANTAL_INLINE const std::uint8_t* at(std::ptrdiff_t column, int row) const {
        return pitch != 0 ? pixels[row] + column * pitch : pixels[column * rows + row];
    }
};

namespace detail {

/// Output pixels of one block of channels.
template <class A, form F>
class depthwise_block {
    using sums = lanes<A, std::int32_t>;
    using shorts = lanes<A, std::int16_t>;
    using reals = lanes<A, float>;
    static constexpr depthwise_layout layout = depthwise_layout::of(F, lane_count<A>);
    static constexpr int registers = layout.pairs ? 1 : 2;
    static constexpr int step_bytes = registers * A::width; ///< of the weights of a group

    const depthwise_call& call_;
    const code_bounds<A>& bounds_;
    int channel_, count_; ///< of channels
    const std::byte* weights_;
    const std::int32_t* bias_;
    const float* multipliers_;

public:
    QUANTAL_INLINE depthwise_block(const depthwise_call& call, const code_bounds<A>& bounds,
                                   int block)
        : call_(call), bounds_(bounds), channel_(layout.first_channel(block, call.channels)),
          count_(call.channels < layout.channels ? call.channels : layout.channels),
          weights_(call.weights + std::ptrdiff_t{block} * call.columns * groups() * step_bytes),
          bias_(call.bias + std::ptrdiff_t{block} * layout.channels),
          multipliers_(call.multipliers + std::ptrdiff_t{block} * layout.channels) {}

    /// Outputs pixels from `pixel` on with a kernel of 3x3: a column of the input serves all
    /// windows that it lies in. Lines: whether the call has a pitch.
    template <int Stride, int Outputs, bool Lines>
    QUANTAL_INLINE void pixels(std::ptrdiff_t pixel) const {
        sums acc[Outputs][registers];
        if constexpr (A::registers == 32 || registers == 1) {
            add_columns<Stride, Outputs, Lines, 0, registers>(pixel * Stride, acc);
        } else { // the weights of both registers would not fit
            add_columns<Stride, Outputs, Lines, 0, 1>(pixel * Stride, acc);
            __asm__ volatile("" : : : "memory"); // or compilers keep the pixels instead
            add_columns<Stride, Outputs, Lines, 1, 1>(pixel * Stride, acc);
        }
        if (call_.rule->kind == output_kind::codes && count_ == layout.channels)
            repeat<Outputs / 2>([&](auto pair) QUANTAL_INLINE_LAMBDA {
                constexpr int o = 2 * pair;
                reals first[2], second[2];
                scale(acc[o], first);
                scale(acc[o + 1], second);
                bounds_.store_interleaved(at(pixel + o).y, first, at(pixel + o + 1).y, second);
            });
        else
            repeat<Outputs>([&](auto o) QUANTAL_INLINE_LAMBDA {
                sums copy[registers]; // or all of them would live in memory
                repeat<registers>([&](auto v) QUANTAL_INLINE_LAMBDA { copy[v] = acc[o][v]; });
                end(copy, pixel + o);
            });
    }

    /// One output pixel of any kernel.
    QUANTAL_INLINE void pixel(std::ptrdiff_t pixel) const {
        sums acc[registers];
        repeat<registers>([&](auto v) QUANTAL_INLINE_LAMBDA { acc[v] = start(v); });
        const std::byte* w = weights_;
        for (int column = 0; column < call_.columns; ++column)
            for (int row = 0; row < call_.rows; row += layout.rows, w += step_bytes) {
                shorts x[layout.rows] = {};
                for (int r = 0; r < layout.rows && row + r < call_.rows; ++r)
                    x[r] = read(call_.at(pixel * call_.step + column, row + r) + channel_);
                sums operands[registers];
                combine(x, operands);
                repeat<registers>([&](auto v) QUANTAL_INLINE_LAMBDA {
                    acc[v] = add(acc[v], operands[v], load<sums>(w + v * A::width));
                });
            }
        end(acc, pixel);
    }

private:
    [[nodiscard]] QUANTAL_INLINE int groups() const {
        return (call_.rows + layout.rows - 1) / layout.rows;
    }
    [[nodiscard]] QUANTAL_INLINE sums start(int v) const {
        return layout.pairs ? sums{} : load<sums>(bias_ + v * lane_count<A>);
    }

    /// Sums of windows of 3x3 in Count registers from V on; the first window begins at column
    /// `first`.
    template <int Stride, int Outputs, bool Lines, int V, int Count>
    QUANTAL_INLINE void add_columns(std::ptrdiff_t first, sums (&acc)[Outputs][registers]) const {
        constexpr int size = 3, groups = (size + layout.rows - 1) / layout.rows;
        const std::uint8_t* from[size];
        if constexpr (Lines)
            repeat<size>([&](auto row) QUANTAL_INLINE_LAMBDA {
                from[row] = call_.pixels[row] + first * call_.pitch + channel_;
            });
        repeat<Outputs>([&](auto o) QUANTAL_INLINE_LAMBDA {
            repeat<Count>([&](auto v) QUANTAL_INLINE_LAMBDA { acc[o][V + v] = start(V + v); });
        });
        repeat<(Outputs - 1) * Stride + size>([&](auto column) QUANTAL_INLINE_LAMBDA {
            shorts x[groups * layout.rows] = {};
            repeat<size>([&](auto row) QUANTAL_INLINE_LAMBDA {
                if constexpr (Lines) {
                    x[row] = convert<A>::widen_bytes(from[row]);
                    from[row] += call_.pitch;
                } else {
                    x[row] = convert<A>::widen_bytes(call_.pixels[(first + column) * size + row] +
                                                     channel_);
                }
            });
            repeat<groups>([&](auto g) QUANTAL_INLINE_LAMBDA {
                sums operands[registers];
                combine(x + g * layout.rows, operands);
                repeat<Outputs>([&](auto o) QUANTAL_INLINE_LAMBDA {
                    constexpr int kx = column - o * Stride;
                    if constexpr (kx >= 0 && kx < size)
                        repeat<Count>([&](auto v) QUANTAL_INLINE_LAMBDA {
                            const std::byte* w = weights_ + (kx * groups + g) * step_bytes;
                            acc[o][V + v] = add(acc[o][V + v], operands[V + v],
                                                load<sums>(w + (V + v) * A::width));
                        });
                });
            });
        });
    }
    QUANTAL_INLINE shorts read(const std::uint8_t* from) const {
        if (count_ == layout.channels) return convert<A>::widen_bytes(from);
        std::uint8_t part[layout.channels] = {};
        copy_part<layout.channels>(from, static_cast<std::size_t>(count_), part);
        return convert<A>::widen_bytes(part);
    }

    /// The rows of a group, channel by channel.
    static QUANTAL_INLINE void combine(const shorts* x, sums (&operands)[registers]) {
        if constexpr (F == form::shorts)
            operands[0] = reinterpret_cast<sums>(x[0] | (x[1] << 8));
        else if constexpr (F == form::words)
            interleave<A>(x[0], x[1], operands);
        else
            interleave<A>(x[0] | (x[1] << 8), x[2] | (x[3] << 8), operands);
    }
    static QUANTAL_INLINE sums add(sums acc, sums x, sums w) {
        if constexpr (F == form::bytes)
            return dot<A>::dot4_u8s8(acc, x, w);
        else if constexpr (F == form::words)
            return dot<A>::widen_madd(acc, x, w);
        else
            return reinterpret_cast<sums>(reinterpret_cast<shorts>(acc) +
                                          dot<A>::pair_sums_u8s8(x, w));
    }

    QUANTAL_INLINE void widen(const sums (&acc)[registers], sums (&all)[2]) const {
        if constexpr (F == form::shorts) {
            const auto both = reinterpret_cast<shorts>(acc[0]);
            interleave<A>(both, both, all);
            repeat<2>([&](auto v) QUANTAL_INLINE_LAMBDA {
                all[v] = (all[v] >> 16) + load<sums>(bias_ + v * lane_count<A>);
            });
        } else {
            repeat<2>([&](auto v) QUANTAL_INLINE_LAMBDA { all[v] = acc[v]; });
        }
    }
    /// The sums times their multipliers.
    QUANTAL_INLINE void scale(const sums (&acc)[registers], reals (&scaled)[2]) const {
        sums all[2];
        widen(acc, all);
        repeat<2>([&](auto v) QUANTAL_INLINE_LAMBDA {
            scaled[v] = to_float<A>(all[v]) * load<reals>(multipliers_ + v * lane_count<A>);
        });
    }
    [[nodiscard]] QUANTAL_INLINE output at(std::ptrdiff_t pixel) const {
        return call_.out.at(*call_.rule, pixel, channel_);
    }
    void end(const sums (&acc)[registers], std::ptrdiff_t pixel) const {
        if (call_.rule->kind != output_kind::codes) {
            sums all[2];
            widen(acc, all);
            return end_in_order(all, at(pixel));
        }
        reals scaled[2];
        scale(acc, scaled);
        std::byte codes[layout.channels];
        bounds_.store_interleaved(codes, scaled);
        if (count_ == layout.channels)
            __builtin_memcpy(at(pixel).y, codes, layout.channels);
        else
            copy_part<layout.channels>(codes, static_cast<std::size_t>(count_), at(pixel).y);
    }
    /// What is not only requantized, by way of memory.
    void end_in_order(const sums (&interleaved)[2], const output& out) const {
        std::int32_t from[layout.channels];
        float multipliers[layout.channels];
        sums ordered[2];
        __builtin_memcpy(from, interleaved, sizeof from);
        std::int32_t to[layout.channels];
        for (int c = 0; c < layout.channels; ++c) {
            to[c] = from[layout.place(c)];
            multipliers[c] = multipliers_[layout.place(c)];
        }
        __builtin_memcpy(ordered, to, sizeof ordered);
        finish_row<A>(*call_.rule, ordered, multipliers, out, count_);
    }
};

/// Output pixels of windows of 3x3, all of whose channels fill blocks; at least Outputs of them.
template <class A, form F, int Stride, int Outputs, bool Lines>
QUANTAL_INLINE void depthwise_3x3(const depthwise_call& call, const code_bounds<A>& bounds,
                                  int blocks) {
    for (std::ptrdiff_t pixel = 0; pixel < call.count; pixel += Outputs) {
        const std::ptrdiff_t last = call.count - Outputs; // the last ones may be computed twice
        for (int block = 0; block < blocks; ++block)
            depthwise_block<A, F>(call, bounds, block)
                .template pixels<Stride, Outputs, Lines>(pixel < last ? pixel : last);
    }
}

} // namespace detail

/// Form shorts: callers hold a proof that the sum of every channel fits int16.
template <class A, form F>
void depthwise(const depthwise_call& call) {
    constexpr int outputs = 4;
    constexpr depthwise_layout layout = depthwise_layout::of(F, lane_count<A>);
    const code_bounds<A> bounds(call.rule->codes);
    const int blocks = layout.blocks(call.channels);
    if (call.rows == 3 && call.columns == 3 && call.channels >= layout.channels &&
        call.count >= outputs) {
        const bool lines = call.pitch != 0;
        if (call.step == 1)
            return lines ? detail::depthwise_3x3<A, F, 1, outputs, true>(call, bounds, blocks)
                         : detail::depthwise_3x3<A, F, 1, outputs, false>(call, bounds, blocks);
        if (call.step == 2)
            return lines ? detail::depthwise_3x3<A, F, 2, outputs, true>(call, bounds, blocks)
                         : detail::depthwise_3x3<A, F, 2, outputs, false>(call, bounds, blocks);
    }
    for (std::ptrdiff_t pixel = 0; pixel < call.count; ++pixel)
        for (int block = 0; block < blocks; ++block)
            detail::depthwise_block<A, F>(call, bounds, block).pixel(pixel);
}

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
