// SPDX-License-Identifier: Apache-2.0
/// The 512-bit kernels on any CPU, so that their tiles are tested everywhere. Compile with
/// -Wno-psabi: vectors that are wider than the registers stay inside the file.
#ifndef QUANTAL_TESTS_KERNEL_CPU_EMULATED_512_HPP
#define QUANTAL_TESTS_KERNEL_CPU_EMULATED_512_HPP

#include <quantal/kernel/cpu/kernels.hpp>

namespace quantal {
inline namespace v0 {
namespace cpu {

struct emulated_512 {
    static constexpr const char* name() { return "emulated_512"; }
    static constexpr int width = 64;
    static constexpr int registers = 32;
};

template <>
inline constexpr bool is_emulated<emulated_512> = true;

/// `vpdpbusd` and `vpdpwssd` as their manual has them, lane after lane. (Never inlined: hundreds of
/// copies take the compiler minutes.)
template <>
struct dot<emulated_512> : operator_dot<emulated_512> {
    static QUANTAL_INLINE sums dot4_u8s8(sums acc, sums x, sums w) {
        each_lane<std::uint8_t, std::int8_t>(acc, x, w);
        return acc;
    }
    static QUANTAL_INLINE sums widen_madd(sums acc, sums x, sums w) {
        each_lane<std::int16_t, std::int16_t>(acc, x, w);
        return acc;
    }

private:
    template <class X, class W>
    [[gnu::noinline]] static void each_lane(sums& acc, const sums& x, const sums& w) {
        for (int i = 0; i < lane_count<emulated_512>; ++i) {
            auto lane = static_cast<std::uint32_t>(acc[i]);
            for (std::size_t shift = 0; shift < 32; shift += 8 * sizeof(X))
                lane += static_cast<std::uint32_t>(static_cast<X>(x[i] >> shift) *
                                                   static_cast<W>(w[i] >> shift));
            acc[i] = static_cast<std::int32_t>(lane);
        }
    }
};

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
