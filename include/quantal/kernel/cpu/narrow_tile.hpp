// SPDX-License-Identifier: Apache-2.0
/// Products of few rows with a panel of weights at their real width: 8, 4 or 2 bits, taken apart in
/// registers. What bounds them is the memory that the weights come from.
///
///     panel:  group 0: | column 0 | column 1 | ... | column width-1 |    4 bytes each
///             group 1: ...
///
/// Byte k of a column in group g holds elements k of 8 / Bits steps of four: step s of them in bits
/// [s * Bits, (s + 1) * Bits), as `w - offset[column]`: a signed byte where Bits is 8 and there is
/// a product of signed bytes (takes_signed_bytes), otherwise unsigned.
#ifndef QUANTAL_KERNEL_CPU_NARROW_TILE_HPP
#define QUANTAL_KERNEL_CPU_NARROW_TILE_HPP

#include <quantal/kernel/cpu/tile.hpp>

namespace quantal {
inline namespace v0 {
namespace cpu {

/// Rows times one panel.
struct narrow_call {
    const std::uint8_t* rows; ///< whole groups, zeros behind the last element
    std::ptrdiff_t stride;
    std::ptrdiff_t count;
    const std::byte* panel;
    std::ptrdiff_t groups;
    std::ptrdiff_t short_groups; ///< whose sums an int16 holds, where pairs are summed
    int columns;                 ///< valid ones
    const std::int32_t* bias;    ///< one a column of the panel's width, as is what follows
    const std::int32_t* offsets; ///< null if all are 0
    const float* multipliers;
    const finish_rule* rule;
    output out; ///< at row 0, column 0
};

/// Registers across a panel.
inline constexpr int narrow_registers = 4;

/// Whether weights of 8 bits are signed.
template <class A>
inline constexpr bool takes_signed_bytes = dot<A>::fast_dot4 || dot<A>::has_pair_sums;

namespace detail {

template <class A, int Bits, int Rows>
class narrow_tile {
    using sums = lanes<A, std::int32_t>;
    static constexpr int registers = narrow_registers;
    static constexpr std::ptrdiff_t steps = 8 / Bits; ///< of a group
    using tile_sums = sums[Rows][registers];

public:
    static QUANTAL_INLINE void run(const narrow_call& call, std::ptrdiff_t row) {
        const std::uint8_t* x = call.rows + row * call.stride;
        tile_sums acc;
        repeat<Rows>([&](auto r) QUANTAL_INLINE_LAMBDA {
            repeat<registers>([&](auto v) QUANTAL_INLINE_LAMBDA {
                acc[r][v] = load<sums>(call.bias + v * lane_count<A>);
            });
            if (!call.offsets) return;
            const std::int32_t sum = sum_of(x + r * call.stride, 4 * steps * call.groups);
            repeat<registers>([&](auto v) QUANTAL_INLINE_LAMBDA {
                acc[r][v] += load<sums>(call.offsets + v * lane_count<A>) * sum;
            });
        });
        if constexpr (dot<A>::fast_dot4)
            add(acc, call, x);
        else if constexpr (dot<A>::has_pair_sums && Bits < 8)
            add_shorts(acc, call, x);
        else if constexpr (dot<A>::has_pair_sums)
            add_digits(acc, call, x);
        else
            add_words(acc, call, x);
        tile_sums copy;
        repeat<Rows>([&](auto r) QUANTAL_INLINE_LAMBDA {
            repeat<registers>([&](auto v) QUANTAL_INLINE_LAMBDA { copy[r][v] = acc[r][v]; });
        });
        for (int r = 0; r < Rows; ++r)
            finish_row<A>(*call.rule, copy[r], call.multipliers,
                          call.out.at(*call.rule, row + r, 0), call.columns);
    }

private:
    static QUANTAL_INLINE std::int32_t sum_of(const std::uint8_t* x, std::ptrdiff_t count) {
        sums total{};
        std::ptrdiff_t i = 0;
        for (; i + A::width <= count; i += A::width) {
            const auto v = load<sums>(x + i);
            total += (v & 0xff) + ((v >> 8) & 0xff) + ((v >> 16) & 0xff) + ((v >> 24) & 0xff);
        }
        std::int32_t sum = 0;
        for (int lane = 0; lane < lane_count<A>; ++lane)
            sum += total[lane];
        for (; i < count; ++i)
            sum += x[i];
        return sum;
    }

    /// Step `s` of a group.
    template <int S>
    static QUANTAL_INLINE sums column(sums group) {
        if constexpr (Bits == 8)
            return group;
        else
            return (group >> (S * Bits)) & (((1 << Bits) - 1) * 0x01010101);
    }

    /// Asks for the weights of a group that comes later. One row of 4096 x 4096 from memory, to the
    /// speed without: Xeon (model 207) AVX2 4 bits 1.50, 2 bits 1.64, AVX-512 1.28 and 1.42, 8 bits
    /// 1.0; Zen 5 AVX2 8 bits 1.16, with 4 KiB 1.08.
    static QUANTAL_INLINE void fetch_ahead(const std::byte* w) {
        constexpr std::ptrdiff_t ahead = 8192, line = 64;
        for (std::ptrdiff_t at = 0; at < registers * A::width; at += line)
            __builtin_prefetch(w + ahead + at);
    }

    /// Calls `f(r, v, x, w)` for every row, register and step of a group.
    template <class F>
    static QUANTAL_INLINE void each_step(const std::uint8_t* x, std::ptrdiff_t stride,
                                         const std::byte* w, F f) {
        fetch_ahead(w);
        sums group[registers];
        repeat<registers>([&](auto v)
                              QUANTAL_INLINE_LAMBDA { group[v] = load<sums>(w + v * A::width); });
        repeat<steps>([&](auto s) QUANTAL_INLINE_LAMBDA {
            sums value[Rows];
            repeat<Rows>([&](auto r) QUANTAL_INLINE_LAMBDA {
                value[r] = broadcast<A>(x + r * stride + 4 * s);
            });
            repeat<registers>([&](auto v) QUANTAL_INLINE_LAMBDA {
                const sums weights = column<s>(group[v]);
                repeat<Rows>([&](auto r) QUANTAL_INLINE_LAMBDA { f(r, v, value[r], weights); });
            });
        });
    }

    static QUANTAL_INLINE void add(tile_sums& acc, const narrow_call& call, const std::uint8_t* x) {
        const std::byte* w = call.panel;
        for (std::ptrdiff_t g = 0; g < call.groups; ++g) {
            each_step(x, call.stride, w,
                      [&](auto r, auto v, sums value, sums weights) QUANTAL_INLINE_LAMBDA {
                          acc[r][v] = dot<A>::dot4_u8s8(acc[r][v], value, weights);
                      });
            x += 4 * steps;
            w += registers * A::width;
        }
    }

    /// Sums in int16, widened before they could leave it.
    static QUANTAL_INLINE void add_shorts(tile_sums& acc, const narrow_call& call,
                                          const std::uint8_t* x) {
        const std::byte* w = call.panel;
        const auto ones = reinterpret_cast<sums>(fill<A>(std::int16_t{1}));
        for (std::ptrdiff_t left = call.groups; left > 0; left -= call.short_groups) {
            lanes<A, std::int16_t> part[Rows][registers] = {};
            std::ptrdiff_t run = left < call.short_groups ? left : call.short_groups;
            for (; run > 0; --run) {
                each_step(x, call.stride, w,
                          [&](auto r, auto v, sums value, sums weights) QUANTAL_INLINE_LAMBDA {
                              part[r][v] += dot<A>::pair_sums_u8s8(value, weights);
                          });
                x += 4 * steps;
                w += registers * A::width;
            }
            repeat<Rows>([&](auto r) QUANTAL_INLINE_LAMBDA {
                repeat<registers>([&](auto v) QUANTAL_INLINE_LAMBDA {
                    acc[r][v] =
                        dot<A>::widen_madd(acc[r][v], reinterpret_cast<sums>(part[r][v]), ones);
                });
            });
        }
    }

    /// One row of bytes that pairs cannot sum exactly: its digits, `x = 16 high + low`, apart,
    /// those of a register at a time by way of memory, which broadcasts for nothing. An int16 holds
    /// eight pairs of 15 * -128.
    static QUANTAL_INLINE void add_digits(tile_sums& acc, const narrow_call& call,
                                          const std::uint8_t* x) {
        static_assert(Rows == 1 && lane_count<A> <= 8);
        const std::byte* w = call.panel;
        for (std::ptrdiff_t left = call.groups; left > 0; left -= lane_count<A>) {
            const std::ptrdiff_t run = left < lane_count<A> ? left : lane_count<A>;
            const auto bytes = run == lane_count<A>
                                   ? load<sums>(x)
                                   : load_part<sums>(x, static_cast<std::size_t>(4 * run));
            x += A::width;
            std::int32_t digits[2][lane_count<A>];
            store(digits[0], bytes & 0x0f0f0f0f);
            store(digits[1], bytes >> 4 & 0x0f0f0f0f);
            lanes<A, std::int16_t> part[2][registers] = {};
            for (std::ptrdiff_t i = 0; i < run; ++i, w += registers * A::width) {
                fetch_ahead(w);
                const sums low = fill<A>(digits[0][i]), high = fill<A>(digits[1][i]);
                repeat<registers>([&](auto v) QUANTAL_INLINE_LAMBDA {
                    const auto weights = load<sums>(w + v * A::width);
                    part[0][v] += dot<A>::pair_sums_u8s8(low, weights);
                    part[1][v] += dot<A>::pair_sums_u8s8(high, weights);
                });
            }
            repeat<registers>([&](auto v) QUANTAL_INLINE_LAMBDA {
                repeat<2>([&](auto d) QUANTAL_INLINE_LAMBDA {
                    const auto place = fill<A>(std::int16_t{d == 0 ? 1 : 16});
                    acc[0][v] = dot<A>::widen_madd(acc[0][v], reinterpret_cast<sums>(part[d][v]),
                                                   reinterpret_cast<sums>(place));
                });
            });
        }
    }

    /// Bytes that pairs cannot sum exactly: even and odd ones apart, as int16.
    static QUANTAL_INLINE void add_words(tile_sums& acc, const narrow_call& call,
                                         const std::uint8_t* x) {
        using shorts = lanes<A, std::uint16_t>;
        const std::byte* w = call.panel;
        const auto odd_of = [](sums v) QUANTAL_INLINE_LAMBDA {
            return reinterpret_cast<sums>(reinterpret_cast<shorts>(v) >> 8);
        };
        for (std::ptrdiff_t g = 0; g < call.groups; ++g) {
            each_step(x, call.stride, w,
                      [&](auto r, auto v, sums value, sums weights) QUANTAL_INLINE_LAMBDA {
                          acc[r][v] = dot<A>::widen_madd(acc[r][v], value & 0x00ff00ff,
                                                         weights & 0x00ff00ff);
                          acc[r][v] = dot<A>::widen_madd(acc[r][v], odd_of(value), odd_of(weights));
                      });
            x += 4 * steps;
            w += registers * A::width;
        }
    }
};

} // namespace detail

/// Rows times one panel of Bits-bit weights.
template <class A, int Bits>
void multiply_narrow(const narrow_call& call) {
    constexpr bool digits = Bits == 8 && !dot<A>::fast_dot4 && dot<A>::has_pair_sums;
    constexpr int rows = digits ? 1 : A::registers == 32 ? 4 : 2;
    std::ptrdiff_t row = 0;
    for (; row + rows <= call.count; row += rows)
        detail::narrow_tile<A, Bits, rows>::run(call, row);
    for (; row < call.count; ++row)
        detail::narrow_tile<A, Bits, 1>::run(call, row);
}

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
