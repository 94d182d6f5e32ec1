// SPDX-License-Identifier: Apache-2.0
/// Products of rows of activations with one panel of weights: the micro-kernels, written once over
/// the dot products of dot.hpp.
///
///     row r:   | step 0 | step 1 | ...      4 bytes a step: 4 bytes, or 2 int16
///     panel:   step 0: | column 0 | column 1 | ... | column width-1 |    4 bytes each
///              step 1: ...
///
/// A row may be cut into segments: the lines of a convolution's window.
#ifndef QUANTAL_KERNEL_CPU_TILE_HPP
#define QUANTAL_KERNEL_CPU_TILE_HPP

#include <quantal/kernel/cpu/code_finish.hpp>

namespace quantal {
inline namespace v0 {
namespace cpu {

/// How products are summed.
enum class form : std::uint8_t {
    bytes,  ///< four products of bytes into int32 (dot4_u8s8)
    words,  ///< two products of int16 into int32 (widen_madd)
    shorts, ///< pairs of products of bytes into int16, widened every `short_steps` steps
};

/// Its name, for people.
[[nodiscard]] constexpr const char* name_of(form f) {
    return f == form::bytes ? "bytes" : f == form::words ? "words" : "shorts";
}

/// Bytes of one element of rows and panels.
[[nodiscard]] constexpr std::size_t operand_bytes(form f) {
    return f == form::words ? 2 : 1;
}

/// Rows times one panel.
struct panel_call {
    const std::byte* rows;         ///< the first row
    std::ptrdiff_t stride;         ///< bytes from row to row
    const std::ptrdiff_t* places;  ///< or the place of each row, bytes from `rows`; may be null
    std::ptrdiff_t count;          ///< rows
    std::ptrdiff_t segment_steps;  ///< steps of a row that lie together; 0 if all do
    std::ptrdiff_t segment_stride; ///< bytes from one segment of a row to the next
    const std::byte* panel;
    const std::byte* next; ///< the panel that comes next; null: the one behind this one; this one:
                           ///< none that is worth asking for
    std::ptrdiff_t steps;
    std::ptrdiff_t short_steps; ///< form::shorts: steps that an int16 holds
    int columns;                ///< of the panel; its width is the next multiple of a register
    const std::int32_t* bias;   ///< one a column of the panel's width, as are the multipliers
    const float* multipliers;
    const finish_rule* rule;
    output out;            ///< at row 0, column 0
    std::int32_t* partial; ///< [count][width of the panel]: sums between blocks of steps
    bool resumes;          ///< the sums begin with those in `partial` instead of the bias
};

/// Registers across a panel, and rows of a tile: as many as there are general registers for their
/// places.
template <class A>
inline constexpr int panel_registers = A::registers == 32 ? 4 : 2;
template <class A>
inline constexpr int tile_rows = 6;

/// At most so many bytes of a panel between two visits of the rows' sums to memory: a share of the
/// second-level cache, from which each tile streams it. Zen 5, to blocks for the first-level cache
/// (24 and 40 KiB): products of matrices 1.00 to 1.04, convolutions 0.98 to 1.02.
inline constexpr std::ptrdiff_t block_bytes = std::ptrdiff_t{320} << 10;

namespace detail {

/// A range of the steps of a panel, and where it begins in a row.
struct step_range {
    std::ptrdiff_t begin, end;
    std::ptrdiff_t place; ///< bytes from the row's
    std::ptrdiff_t run;   ///< steps to the end of the segment

    [[nodiscard]] static QUANTAL_INLINE step_range make(const panel_call& call,
                                                        std::ptrdiff_t begin, std::ptrdiff_t end) {
        if (call.segment_steps == 0) return {begin, end, 4 * begin, end - begin};
        const std::ptrdiff_t segment = begin / call.segment_steps;
        const std::ptrdiff_t step = begin % call.segment_steps;
        return {begin, end, segment * call.segment_stride + 4 * step, call.segment_steps - step};
    }
};

/// What comes after a block of steps. Each tile asks for its part of it, which would otherwise come
/// from the third-level cache when it is needed.
struct fetch_ahead {
    const std::byte* from;
    std::ptrdiff_t row_bytes; ///< asked for with each row

    QUANTAL_INLINE void operator()(std::ptrdiff_t row, std::ptrdiff_t rows) const {
        for (std::ptrdiff_t i = row * row_bytes; i < (row + rows) * row_bytes; i += 64)
            __builtin_prefetch(from + i, 0, 2);
    }
};

/// The same for a tile that walks over its steps in pieces: some lines with each, so that what the
/// tile reads itself does not wait behind many at once. Zen 3, AVX2, ResNet18, one image: layers of
/// 7x7x512, whose 8.4 MB of words come from memory, 1.34 to 1.44 times as fast, of 14x14x256 1.16
/// to 1.32.
class fetch_in_pieces {
public:
    static constexpr std::ptrdiff_t piece = 16; ///< steps

    QUANTAL_INLINE fetch_in_pieces(const std::byte* from, std::ptrdiff_t bytes,
                                   std::ptrdiff_t steps)
        : from_(from), lines_((bytes * piece / steps + 63) / 64) {}

    QUANTAL_INLINE void operator()() {
        for (std::ptrdiff_t i = 0; i < lines_; ++i, from_ += 64)
            __builtin_prefetch(from_, 0, 2);
    }

private:
    const std::byte* from_;
    std::ptrdiff_t lines_;
};

/// One tile: Rows rows by Registers registers of columns.
template <class A, form F, int Rows, int Registers, bool InPieces>
class tile {
    using sums = lanes<A, std::int32_t>;
    static constexpr std::ptrdiff_t width = Registers * lane_count<A>;

public:
    static QUANTAL_INLINE void run(const panel_call& call, std::ptrdiff_t row,
                                   const step_range& steps, const fetch_ahead& fetch,
                                   const code_finish<A>& end) {
        if constexpr (!InPieces) fetch(row, Rows);
        sums acc[Rows][Registers];
        std::int32_t* partial = call.partial + row * width;
        repeat<Rows>([&](auto r) QUANTAL_INLINE_LAMBDA {
            repeat<Registers>([&](auto v) QUANTAL_INLINE_LAMBDA {
                const bool is_first = steps.begin == 0 && !call.resumes;
                const std::int32_t* start = is_first ? call.bias : partial + r * width;
                acc[r][v] = load<sums>(start + v * lane_count<A>);
            });
        });
        cursor at(call, row, steps);
        if constexpr (F == form::shorts)
            add_shorts(acc, at, call.short_steps, steps.end - steps.begin);
        else if constexpr (InPieces)
            add(acc, at, steps.end - steps.begin,
                {fetch.from + row * fetch.row_bytes, Rows * fetch.row_bytes,
                 steps.end - steps.begin});
        else
            add(acc, at, steps.end - steps.begin);
        if (steps.end < call.steps)
            repeat<Rows>([&](auto r) QUANTAL_INLINE_LAMBDA {
                repeat<Registers>([&](auto v) QUANTAL_INLINE_LAMBDA {
                    store(partial + r * width + v * lane_count<A>, acc[r][v]);
                });
            });
        else
            finish_all(acc, call, row, end);
    }

private:
    /// Walks along the rows of the tile and the panel.
    struct cursor {
        const std::byte* x[Rows];
        const std::byte* w;
        std::ptrdiff_t run, segment_steps, gap;

        QUANTAL_INLINE cursor(const panel_call& call, std::ptrdiff_t row, const step_range& steps)
            : w(call.panel + 4 * width * steps.begin), run(steps.run),
              segment_steps(call.segment_steps), gap(call.segment_stride - 4 * call.segment_steps) {
            repeat<Rows>([&](auto r) QUANTAL_INLINE_LAMBDA {
                x[r] = call.rows + steps.place +
                       (call.places ? call.places[row + r] : (row + r) * call.stride);
            });
        }

        /// At most `most` steps, as far as the segment goes: `f(r, v, value, weights)` for each of
        /// its rows and registers.
        template <class G>
        QUANTAL_INLINE std::ptrdiff_t advance(std::ptrdiff_t most, G f) {
            const std::ptrdiff_t count = run < most ? run : most;
            const std::ptrdiff_t end = 4 * count;
            for (std::ptrdiff_t place = 0; place != end; place += 4, w += Registers * A::width) {
                sums column[Registers];
                repeat<Registers>([&](auto v) QUANTAL_INLINE_LAMBDA {
                    column[v] = load<sums>(w + v * A::width);
                });
                repeat<Rows>([&](auto r) QUANTAL_INLINE_LAMBDA {
                    const sums value = broadcast<A>(x[r] + place);
                    repeat<Registers>([&](auto v)
                                          QUANTAL_INLINE_LAMBDA { f(r, v, value, column[v]); });
                });
            }
            run -= count;
            const std::ptrdiff_t on = run == 0 ? end + gap : end;
            repeat<Rows>([&](auto r) QUANTAL_INLINE_LAMBDA { x[r] += on; });
            if (run == 0) run = segment_steps;
            return count;
        }
    };

    static QUANTAL_INLINE auto summing(sums (&acc)[Rows][Registers]) {
        return [&acc](auto r, auto v, sums value, sums weights) QUANTAL_INLINE_LAMBDA {
            if constexpr (F == form::bytes)
                acc[r][v] = dot<A>::dot4_u8s8(acc[r][v], value, weights);
            else
                acc[r][v] = dot<A>::widen_madd(acc[r][v], value, weights);
            // Or g++ 12 spills one of the 12 accumulators of words: 105 against 200 Gop/s
            // (Zen 5, 3136 x 64 x 576).
            if constexpr (A::width == 32) settle<A>(acc[r][v]);
        };
    }
    static QUANTAL_INLINE void add(sums (&acc)[Rows][Registers], cursor& at, std::ptrdiff_t left) {
        while (left > 0)
            left -= at.advance(left, summing(acc));
    }
    static QUANTAL_INLINE void add(sums (&acc)[Rows][Registers], cursor& at, std::ptrdiff_t left,
                                   fetch_in_pieces fetch) {
        while (left > 0) {
            fetch();
            left -= at.advance(left < fetch_in_pieces::piece ? left : fetch_in_pieces::piece,
                               summing(acc));
        }
    }

    /// Sums in int16, widened into `acc` before they could leave it.
    static QUANTAL_INLINE void add_shorts(sums (&acc)[Rows][Registers], cursor& at,
                                          std::ptrdiff_t short_steps, std::ptrdiff_t left) {
        using shorts = lanes<A, std::int16_t>;
        for (; left > 0; left -= short_steps) {
            shorts part[Rows][Registers] = {};
            std::ptrdiff_t run = left < short_steps ? left : short_steps;
            while (run > 0)
                run -= at.advance(run, [&](auto r, auto v, sums value, sums weights)
                                           QUANTAL_INLINE_LAMBDA {
                                               part[r][v] += dot<A>::pair_sums_u8s8(value, weights);
                                           });
            repeat<Rows>([&](auto r) QUANTAL_INLINE_LAMBDA {
                repeat<Registers>([&](auto v) QUANTAL_INLINE_LAMBDA {
                    const auto ones = reinterpret_cast<sums>(fill<A>(std::int16_t{1}));
                    acc[r][v] =
                        dot<A>::widen_madd(acc[r][v], reinterpret_cast<sums>(part[r][v]), ones);
                });
            });
        }
    }

    static QUANTAL_INLINE void finish_codes(const sums (&acc)[Rows][Registers],
                                            const panel_call& call, std::ptrdiff_t row,
                                            const code_finish<A>& end) {
        sums all[Rows * Registers];
        repeat<Rows * Registers>(
            [&](auto i) QUANTAL_INLINE_LAMBDA { all[i] = acc[i / Registers][i % Registers]; });
        const output first = call.out.at(*call.rule, row, 0);
        end.template operator()<Registers>(
            all, call.multipliers,
            [&](std::ptrdiff_t r) QUANTAL_INLINE_LAMBDA { return first.at(*call.rule, r, 0); });
    }

    static QUANTAL_INLINE void finish_all(const sums (&acc)[Rows][Registers],
                                          const panel_call& call, std::ptrdiff_t row,
                                          const code_finish<A>& end) {
        const finish_rule& rule = *call.rule;
        if constexpr (!is_emulated<A>) { // whose registers are in memory anyway
            if (code_finish<A>::can_do(rule.kind) && call.columns == width)
                return finish_codes(acc, call, row, end);
            if (rule.kind == output_kind::sums && call.columns == width)
                return repeat<Rows>([&](auto r) QUANTAL_INLINE_LAMBDA {
                    std::byte* y = call.out.at(rule, row + r, 0).y;
                    repeat<Registers>(
                        [&](auto v) QUANTAL_INLINE_LAMBDA { store(y + v * A::width, acc[r][v]); });
                });
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

/// All rows from `row` on: tiles of Rows rows, then lower ones. Where less than four rows would be
/// left, the highest tiles leave whole tiles of one row less (49 = 4 * 6 + 5 * 5): a tile of a row
/// or two waits for its sums. Zen 5, AVX-512, convolutions of 7x7 pixels: 1.02 of the speed.
template <class A, form F, int Rows, int Registers, bool InPieces>
QUANTAL_INLINE void run_tiles(const panel_call& call, std::ptrdiff_t row, const step_range& steps,
                              const fetch_ahead& fetch, const code_finish<A>& finish) {
    std::ptrdiff_t end = call.count;
    if constexpr (Rows == tile_rows<A>) {
        const std::ptrdiff_t rest = end % Rows, lower = (Rows - rest) * (Rows - 1);
        if (rest > 0 && rest < 4 && lower <= end) end -= lower;
    }
    for (; row + Rows <= end; row += Rows) {
        tile<A, F, Rows, Registers, InPieces>::run(call, row, steps, fetch, finish);
    }
    constexpr int next = Rows > 4 ? Rows - 1 : Rows / 2;
    if constexpr (next > 0)
        run_tiles<A, F, next, Registers, InPieces>(call, row, steps, fetch, finish);
}

/// A panel in blocks of steps that stay in the second-level cache while all rows meet them.
template <class A, form F, int Registers>
QUANTAL_INLINE void run_blocks(const panel_call& call) {
    constexpr std::ptrdiff_t step = Registers * A::width;
    constexpr std::ptrdiff_t most = block_bytes / step;
    const std::ptrdiff_t blocks = (call.steps + most - 1) / most;
    std::ptrdiff_t block = blocks < 2 ? call.steps : (call.steps + blocks - 1) / blocks;
    if constexpr (F == form::shorts) // a whole number of runs, for which the proof holds
        block = (block + call.short_steps - 1) / call.short_steps * call.short_steps;
    const bool fetches = call.count > 0 && call.next != call.panel;
    const std::ptrdiff_t row_bytes = fetches ? block * step / call.count : 0;
    const code_finish<A> finish(*call.rule);
    for (std::ptrdiff_t begin = 0; begin < call.steps; begin += block) {
        const std::ptrdiff_t end = begin + block < call.steps ? begin + block : call.steps;
        const bool is_last = end == call.steps && call.next;
        const step_range steps = step_range::make(call, begin, end);
        const fetch_ahead fetch{is_last ? call.next : call.panel + end * step, row_bytes};
        constexpr bool in_pieces = // measured on AVX2 alone
            F == form::words && A::width == 32 && Registers == panel_registers<A>;
        if (in_pieces && row_bytes >= 64) // few rows
            run_tiles<A, F, tile_rows<A>, Registers, in_pieces>(call, 0, steps, fetch, finish);
        else
            run_tiles<A, F, tile_rows<A>, Registers, false>(call, 0, steps, fetch, finish);
    }
}

} // namespace detail

/// Rows times one panel of form F: as many registers wide as its columns need.
template <class A, form F>
void multiply_panel(const panel_call& call) {
    const int registers = (call.columns + lane_count<A> - 1) / lane_count<A>;
    repeat<panel_registers<A>>([&](auto v) QUANTAL_INLINE_LAMBDA {
        if (registers == v + 1) detail::run_blocks<A, F, v + 1>(call);
    });
}

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
