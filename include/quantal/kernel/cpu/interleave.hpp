// SPDX-License-Identifier: Apache-2.0
/// Pairs of int16 from two registers, in the order in which every instruction set makes them: in
/// each 16 bytes on their own.
#ifndef QUANTAL_KERNEL_CPU_INTERLEAVE_HPP
#define QUANTAL_KERNEL_CPU_INTERLEAVE_HPP

#include <quantal/kernel/cpu/lanes.hpp>

namespace quantal {
inline namespace v0 {
namespace cpu {

/// Which int32 lane of two interleaved registers, one behind the other, element `i` of both has.
[[nodiscard]] constexpr int interleaved_place(int i, int lanes) {
    return i % 8 / 4 * lanes + i / 8 * 4 + i % 4;
}

#if !defined(__CUDACC__) // which knows no shuffle of a pack
/// Element i of `a` and of `b` as a pair, in lane `interleaved_place(i)` of `pairs`.
template <class A>
QUANTAL_INLINE void interleave(lanes<A, std::int16_t> a, lanes<A, std::int16_t> b,
                               lanes<A, std::int32_t> (&pairs)[2]) {
    constexpr int elements = 2 * lane_count<A>;
    repeat<2>([&](auto half) QUANTAL_INLINE_LAMBDA {
        [&]<int... I>(std::integer_sequence<int, I...>) QUANTAL_INLINE_LAMBDA {
            pairs[half] = reinterpret_cast<lanes<A, std::int32_t>>(__builtin_shufflevector(
                a, b, (I / 8 * 8 + half * 4 + I % 8 / 2 + I % 2 * elements)...));
        }
        (std::make_integer_sequence<int, elements>{});
    });
}
#endif

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
