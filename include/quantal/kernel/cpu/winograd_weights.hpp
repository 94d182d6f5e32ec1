// SPDX-License-Identifier: Apache-2.0
/// Weights of Winograd's filtering, transformed just before they are multiplied: 3x3 kernels of
/// bytes are read in place of 16 or 36 transformed ones.
#ifndef QUANTAL_KERNEL_CPU_WINOGRAD_WEIGHTS_HPP
#define QUANTAL_KERNEL_CPU_WINOGRAD_WEIGHTS_HPP

#include <quantal/kernel/cpu/winograd_tile.hpp>

namespace quantal {
inline namespace v0 {
namespace cpu {

/// The kernels of some registers of weights.
struct winograd_kernels {
    const std::int8_t* from; ///< [register][kernel position][element]
    std::byte* to;           ///< [register][element] at position 0
    std::ptrdiff_t next;     ///< bytes from position to position
    std::ptrdiff_t count;    ///< registers
};

/// `G w G'`: [position][register][element], of int16 or of bytes.
template <class A, int Outputs, class T>
void winograd_weights(const winograd_kernels& call) {
    using rule = winograd<Outputs>;
    using values = lanes<A, T>;
    constexpr int n = rule::inputs;
    constexpr std::ptrdiff_t elements = A::width / sizeof(T), ahead = 1024;
    const std::int8_t* from = call.from;
    std::byte* to = call.to;
    const std::ptrdiff_t next = call.next; // which no store can change
    for (std::ptrdiff_t left = call.count; left > 0; --left, from += 9 * elements, to += A::width) {
        for (std::ptrdiff_t j = 0; j < 9 * elements; j += 64)
            __builtin_prefetch(from + ahead + j);
        values w[3][3];
        repeat<9>([&](auto k) QUANTAL_INLINE_LAMBDA {
            if constexpr (sizeof(T) == 1)
                w[k / 3][k % 3] = load<values>(from + k * elements);
            else
                w[k / 3][k % 3] = convert<A>::widen_signed(from + k * elements);
        });
        // Line by line, so that few registers are needed: a store waits for each that is not there.
        std::byte* line = to;
        repeat<n>([&](auto i) QUANTAL_INLINE_LAMBDA {
            values half[3];
            repeat<3>([&](auto j) QUANTAL_INLINE_LAMBDA {
                half[j] = rule::template weight<i>(w[0][j], w[1][j], w[2][j]);
            });
            repeat<n>([&](auto j) QUANTAL_INLINE_LAMBDA {
                store(line + j * next, rule::template weight<j>(half[0], half[1], half[2]));
            });
            line += n * next;
            __asm__("" : "+r"(line)); // or the offsets of all lines take registers
        });
    }
}

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
