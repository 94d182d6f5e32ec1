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
    output out; ///< at row 0, column 0
};

/// Registers across a panel, and rows of a tile.
template <class A>
inline constexpr int panel_registers = 2;
template <class A>
inline constexpr int tile_rows = A::registers == 32 ? 12 : 6;

namespace detail {

/// One tile: Rows rows by Registers registers of columns.
template <class A, form F, int Rows, int Registers>
class tile {
    using sums = lanes<A, std::int32_t>;

public:
    static QUANTAL_INLINE void run(const panel_call& call, std::ptrdiff_t row) {
        sums acc[Rows][Registers];
        repeat<Registers>([&](auto v) QUANTAL_INLINE_LAMBDA {
            const auto start = load<sums>(call.bias + v * lane_count<A>);
            repeat<Rows>([&](auto r) QUANTAL_INLINE_LAMBDA { acc[r][v] = start; });
        });
        if constexpr (F == form::shorts)
            add_shorts(acc, call, call.rows + row * call.stride);
        else
            add(acc, call, call.rows + row * call.stride);
        store_all(acc, call, row);
    }

private:
    static QUANTAL_INLINE void add(sums (&acc)[Rows][Registers], const panel_call& call,
                                   const std::byte* x) {
        const std::byte* w = call.panel;
        const std::ptrdiff_t stride = call.stride;
        for (std::ptrdiff_t step = 0; step < call.steps; ++step) {
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
                                          const std::byte* x) {
        using shorts = lanes<A, std::int16_t>;
        const std::byte* w = call.panel;
        const std::ptrdiff_t stride = call.stride;
        for (std::ptrdiff_t left = call.steps; left > 0; left -= call.short_steps) {
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

    /// By way of memory: an index that is not a constant would keep `acc` out of registers.
    static QUANTAL_INLINE void store_all(const sums (&acc)[Rows][Registers], const panel_call& call,
                                         std::ptrdiff_t row) {
        sums tile[Rows][Registers];
        repeat<Rows>([&](auto r) QUANTAL_INLINE_LAMBDA {
            repeat<Registers>([&](auto v) QUANTAL_INLINE_LAMBDA { tile[r][v] = acc[r][v]; });
        });
        for (int r = 0; r < Rows; ++r)
            for (int v = 0; v * lane_count<A> < call.columns; ++v) {
                const int first = v * lane_count<A>;
                const int left = call.columns - first;
                finish<A>(*call.rule, tile[r][v], call.multipliers + first,
                          call.out.at(*call.rule, row + r, first),
                          left < lane_count<A> ? left : lane_count<A>);
            }
    }
};

/// All rows from `row` on: tiles of Rows rows, then lower ones.
template <class A, form F, int Rows, int Registers>
QUANTAL_INLINE void run_tiles(const panel_call& call, std::ptrdiff_t row) {
    for (; row + Rows <= call.count; row += Rows)
        tile<A, F, Rows, Registers>::run(call, row);
    constexpr int lower = Rows > 8 ? 8 : Rows > 4 ? 4 : Rows / 2;
    if constexpr (lower > 0) run_tiles<A, F, lower, Registers>(call, row);
}

} // namespace detail

/// Rows times one panel of form F: as many registers wide as its columns need.
template <class A, form F>
void multiply_panel(const panel_call& call) {
    if (call.columns > lane_count<A>)
        detail::run_tiles<A, F, tile_rows<A>, panel_registers<A>>(call, 0);
    else
        detail::run_tiles<A, F, tile_rows<A>, 1>(call, 0);
}

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
