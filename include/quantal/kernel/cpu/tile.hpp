// SPDX-License-Identifier: Apache-2.0
/// Products of rows of activations with one panel of weights: the micro-kernels, written once over
/// the dot products of dot.hpp.
///
///     row r:   | step 0 | step 1 | ...      4 bytes a step: 4 bytes, or 2 int16
///     panel:   step 0: | column 0 | column 1 | ... | column width-1 |    4 bytes each
///              step 1: ...
#ifndef QUANTAL_KERNEL_CPU_TILE_HPP
#define QUANTAL_KERNEL_CPU_TILE_HPP

#include <quantal/kernel/cpu/finish.hpp>

namespace quantal {
inline namespace v0 {
namespace cpu {

/// How products are summed.
enum class form : std::uint8_t {
    bytes,  ///< four products of bytes into int32 (dot4_u8s8)
    words,  ///< two products of int16 into int32 (widen_madd)
    shorts, ///< pairs of products of bytes into int16, widened every `short_steps` steps
};

/// Bytes of one element of rows and panels.
[[nodiscard]] constexpr std::size_t operand_bytes(form f) {
    return f == form::words ? 2 : 1;
}

/// Rows times one panel.
struct panel_call {
    const std::byte* rows; ///< the first row
    std::ptrdiff_t stride; ///< bytes from row to row
    std::ptrdiff_t count;  ///< rows
    const std::byte* panel;
    std::ptrdiff_t steps;
    std::ptrdiff_t short_steps; ///< form::shorts: steps that an int16 holds
    int columns;                ///< of the panel; its width is the next multiple of a register
    const std::int32_t* bias;   ///< one a column of the panel's width, as are the multipliers
    const float* multipliers;
    const finish_rule* rule;
    output out;            ///< at row 0, column 0
    std::int32_t* partial; ///< [count][width of the panel]: sums between blocks of steps
};

/// Registers across a panel, and rows of a tile.
template <class A>
inline constexpr int panel_registers = 2;
template <class A>
inline constexpr int tile_rows = A::registers == 32 ? 12 : 6;

/// At most so many bytes of a panel between two visits of the rows' sums to memory: with a tile's
/// rows they fit a first-level cache of 32 KiB. Zen 5, 512 channels of 7x7, kernel 3x3, Gop/s: AVX2
/// words 186 with 16 KiB, 208 with 24; AVX-512 878 and 908.
inline constexpr std::ptrdiff_t block_bytes = 24576;

namespace detail {

/// A range of the steps of a panel.
struct step_range {
    std::ptrdiff_t begin, end;
};

/// One tile: Rows rows by Registers registers of columns.
template <class A, form F, int Rows, int Registers>
class tile {
    using sums = lanes<A, std::int32_t>;
    static constexpr int width = Registers * lane_count<A>;

public:
    static QUANTAL_INLINE void run(const panel_call& call, std::ptrdiff_t row, step_range steps) {
        sums acc[Rows][Registers];
        std::int32_t* partial = call.partial + row * width;
        repeat<Rows>([&](auto r) QUANTAL_INLINE_LAMBDA {
            repeat<Registers>([&](auto v) QUANTAL_INLINE_LAMBDA {
                const std::int32_t* start = steps.begin == 0 ? call.bias : partial + r * width;
                acc[r][v] = load<sums>(start + v * lane_count<A>);
            });
        });
        const std::byte* x = call.rows + row * call.stride + 4 * steps.begin;
        const std::byte* w = call.panel + 4 * width * steps.begin;
        if constexpr (F == form::shorts)
            add_shorts(acc, call, x, w, steps.end - steps.begin);
        else
            add(acc, call.stride, x, w, steps.end - steps.begin);
        if (steps.end < call.steps)
            repeat<Rows>([&](auto r) QUANTAL_INLINE_LAMBDA {
                repeat<Registers>([&](auto v) QUANTAL_INLINE_LAMBDA {
                    store(partial + r * width + v * lane_count<A>, acc[r][v]);
                });
            });
        else
            finish_all(acc, call, row);
    }

private:
    static QUANTAL_INLINE void add(sums (&acc)[Rows][Registers], std::ptrdiff_t stride,
                                   const std::byte* x, const std::byte* w, std::ptrdiff_t steps) {
        for (; steps > 0; --steps) {
            sums column[Registers];
            repeat<Registers>(
                [&](auto v) QUANTAL_INLINE_LAMBDA { column[v] = load<sums>(w + v * A::width); });
            repeat<Rows>([&](auto r) QUANTAL_INLINE_LAMBDA {
                const sums value = broadcast<A>(x + r * stride);
                repeat<Registers>([&](auto v) QUANTAL_INLINE_LAMBDA {
                    if constexpr (F == form::bytes)
                        acc[r][v] = dot<A>::dot4_u8s8(acc[r][v], value, column[v]);
                    else
                        acc[r][v] = dot<A>::widen_madd(acc[r][v], value, column[v]);
                    // Or g++ 12 spills one of the 12 accumulators of words: 105 against 200 Gop/s
                    // (Zen 5, 3136 x 64 x 576).
                    if constexpr (A::width == 32) settle<A>(acc[r][v]);
                });
            });
            x += 4;
            w += Registers * A::width;
        }
    }

    /// Sums in int16, widened into `acc` before they could leave it.
    static QUANTAL_INLINE void add_shorts(sums (&acc)[Rows][Registers], const panel_call& call,
                                          const std::byte* x, const std::byte* w,
                                          std::ptrdiff_t left) {
        using shorts = lanes<A, std::int16_t>;
        const std::ptrdiff_t stride = call.stride;
        for (; left > 0; left -= call.short_steps) {
            shorts part[Rows][Registers] = {};
            const std::ptrdiff_t run = left < call.short_steps ? left : call.short_steps;
            for (std::ptrdiff_t step = 0; step < run; ++step) {
                sums column[Registers];
                repeat<Registers>([&](auto v) QUANTAL_INLINE_LAMBDA {
                    column[v] = load<sums>(w + v * A::width);
                });
                repeat<Rows>([&](auto r) QUANTAL_INLINE_LAMBDA {
                    const sums value = broadcast<A>(x + r * stride);
                    repeat<Registers>([&](auto v) QUANTAL_INLINE_LAMBDA {
                        part[r][v] += dot<A>::pair_sums_u8s8(value, column[v]);
                    });
                });
                x += 4;
                w += Registers * A::width;
            }
            repeat<Rows>([&](auto r) QUANTAL_INLINE_LAMBDA {
                repeat<Registers>([&](auto v) QUANTAL_INLINE_LAMBDA {
                    const auto ones = reinterpret_cast<sums>(fill<A>(std::int16_t{1}));
                    acc[r][v] =
                        dot<A>::widen_madd(acc[r][v], reinterpret_cast<sums>(part[r][v]), ones);
                });
            });
        }
    }

    static QUANTAL_INLINE void finish_all(const sums (&acc)[Rows][Registers],
                                          const panel_call& call, std::ptrdiff_t row) {
        const finish_rule& rule = *call.rule;
        if constexpr (!is_emulated<A>) { // whose registers are in memory anyway
            if (rule.kind == output_kind::codes && call.columns == width) {
                const byte_codes codes = rule.codes;
                repeat<Rows>([&](auto r) QUANTAL_INLINE_LAMBDA {
                    finish_codes<A>(codes, acc[r], call.multipliers,
                                    call.out.y + (row + r) * call.out.pitch);
                });
                return;
            }
        }
        // By way of memory: an index that is not a constant would keep `acc` out of registers.
        sums copy[Rows][Registers];
        repeat<Rows>([&](auto r) QUANTAL_INLINE_LAMBDA {
            repeat<Registers>([&](auto v) QUANTAL_INLINE_LAMBDA { copy[r][v] = acc[r][v]; });
        });
        for (int r = 0; r < Rows; ++r)
            finish_row<A>(rule, copy[r], call.multipliers, call.out.at(rule, row + r, 0),
                          call.columns);
    }
};

/// All rows from `row` on: tiles of Rows rows, then lower ones.
template <class A, form F, int Rows, int Registers>
QUANTAL_INLINE void run_tiles(const panel_call& call, std::ptrdiff_t row, step_range steps) {
    for (; row + Rows <= call.count; row += Rows)
        tile<A, F, Rows, Registers>::run(call, row, steps);
    constexpr int lower = Rows > 8 ? 8 : Rows > 4 ? 4 : Rows / 2;
    if constexpr (lower > 0) run_tiles<A, F, lower, Registers>(call, row, steps);
}

/// A panel in blocks of steps that stay in the first-level cache while all rows meet them.
template <class A, form F, int Registers>
QUANTAL_INLINE void run_blocks(const panel_call& call) {
    constexpr std::ptrdiff_t most = block_bytes / (Registers * A::width);
    const std::ptrdiff_t blocks = (call.steps + most - 1) / most;
    std::ptrdiff_t block = blocks < 2 ? call.steps : (call.steps + blocks - 1) / blocks;
    if constexpr (F == form::shorts) // a whole number of runs, for which the proof holds
        block = (block + call.short_steps - 1) / call.short_steps * call.short_steps;
    for (std::ptrdiff_t begin = 0; begin < call.steps; begin += block) {
        const std::ptrdiff_t end = begin + block < call.steps ? begin + block : call.steps;
        run_tiles<A, F, tile_rows<A>, Registers>(call, 0, {begin, end});
    }
}

} // namespace detail

/// Rows times one panel of form F: as many registers wide as its columns need.
template <class A, form F>
void multiply_panel(const panel_call& call) {
    if (call.columns > lane_count<A>)
        detail::run_blocks<A, F, panel_registers<A>>(call);
    else
        detail::run_blocks<A, F, 1>(call);
}

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
