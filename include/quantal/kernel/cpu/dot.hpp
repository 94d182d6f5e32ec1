// SPDX-License-Identifier: Apache-2.0
/// The dot products that every integer kernel is written over. An int32 lane holds four bytes or
/// two int16 of a row or a column; all of them are exact (sums wrap around modulo 2^32).
#ifndef QUANTAL_KERNEL_CPU_DOT_HPP
#define QUANTAL_KERNEL_CPU_DOT_HPP

#include <quantal/kernel/cpu/lanes.hpp>

namespace quantal {
inline namespace v0 {
namespace cpu {

/// Products by operators, for any CPU and any width; what an instruction set does better it
/// overrides below. `fast_dot4` says whether that product is the fastest there is; otherwise
/// `has_pair_sums` says whether there is a third:
///
///     short_sums pair_sums_u8s8(sums x, sums w)    x0 w0 + x1 w1 in each int16 lane
///
/// of unsigned and signed bytes. It saturates: callers hold a proof (sum_bounds.hpp).
template <class A>
struct operator_dot {
    using sums = lanes<A, std::int32_t>;
    using short_sums = lanes<A, std::int16_t>;

    static constexpr bool fast_dot4 = true;
    static constexpr bool has_pair_sums = false;

    /// acc + x0 w0 + x1 w1 + x2 w2 + x3 w3; x unsigned, w signed bytes.
    static QUANTAL_INLINE sums dot4_u8s8(sums acc, sums x, sums w) {
        repeat<4>([&](auto i) QUANTAL_INLINE_LAMBDA {
            constexpr int shift = 8 * i;
            acc += ((x >> shift) & 0xff) * ((w << (24 - shift)) >> 24);
        });
        return acc;
    }

    /// acc + x0 w0 + x1 w1; x and w int16.
    static QUANTAL_INLINE sums widen_madd(sums acc, sums x, sums w) {
        acc += ((x << 16) >> 16) * ((w << 16) >> 16);
        return acc + (x >> 16) * (w >> 16);
    }
};

/// The products of one instruction set.
template <class A>
struct dot : operator_dot<A> {};

#if XSIMD_WITH_SSE2 && !defined(__CUDACC__)
template <class A>
struct sse_dot : operator_dot<A> {
    using typename operator_dot<A>::sums;
    static constexpr bool fast_dot4 = false;
    static QUANTAL_INLINE sums widen_madd(sums acc, sums x, sums w) {
        return acc + reinterpret_cast<sums>(_mm_madd_epi16(reinterpret_cast<__m128i>(x),
                                                           reinterpret_cast<__m128i>(w)));
    }
};
template <>
struct dot<sse2> : sse_dot<sse2> {};
#endif

#if XSIMD_WITH_SSE4_1
template <>
struct dot<sse4_1> : sse_dot<sse4_1> {
    static constexpr bool has_pair_sums = true;
    static QUANTAL_INLINE short_sums pair_sums_u8s8(sums x, sums w) {
        return reinterpret_cast<short_sums>(
            _mm_maddubs_epi16(reinterpret_cast<__m128i>(x), reinterpret_cast<__m128i>(w)));
    }
};
#endif

#if XSIMD_WITH_AVX2
template <>
struct dot<avx2> : operator_dot<avx2> {
    static constexpr bool fast_dot4 = false;
    static constexpr bool has_pair_sums = true;
    static QUANTAL_INLINE sums widen_madd(sums acc, sums x, sums w) {
        return acc + reinterpret_cast<sums>(_mm256_madd_epi16(reinterpret_cast<__m256i>(x),
                                                              reinterpret_cast<__m256i>(w)));
    }
    static QUANTAL_INLINE short_sums pair_sums_u8s8(sums x, sums w) {
        return reinterpret_cast<short_sums>(
            _mm256_maddubs_epi16(reinterpret_cast<__m256i>(x), reinterpret_cast<__m256i>(w)));
    }
};
#endif

#if XSIMD_WITH_AVX2 && defined(__AVXVNNI__)
template <>
struct dot<avx_vnni> : operator_dot<avx_vnni> {
    static QUANTAL_INLINE sums dot4_u8s8(sums acc, sums x, sums w) {
        return reinterpret_cast<sums>(_mm256_dpbusd_avx_epi32(reinterpret_cast<__m256i>(acc),
                                                              reinterpret_cast<__m256i>(x),
                                                              reinterpret_cast<__m256i>(w)));
    }
    static QUANTAL_INLINE sums widen_madd(sums acc, sums x, sums w) {
        return reinterpret_cast<sums>(_mm256_dpwssd_avx_epi32(reinterpret_cast<__m256i>(acc),
                                                              reinterpret_cast<__m256i>(x),
                                                              reinterpret_cast<__m256i>(w)));
    }
};
#endif

#if XSIMD_WITH_AVX512BW && defined(__AVX512VNNI__)
template <>
struct dot<avx512_vnni> : operator_dot<avx512_vnni> {
    static QUANTAL_INLINE sums dot4_u8s8(sums acc, sums x, sums w) {
        return reinterpret_cast<sums>(_mm512_dpbusd_epi32(reinterpret_cast<__m512i>(acc),
                                                          reinterpret_cast<__m512i>(x),
                                                          reinterpret_cast<__m512i>(w)));
    }
    static QUANTAL_INLINE sums widen_madd(sums acc, sums x, sums w) {
        return reinterpret_cast<sums>(_mm512_dpwssd_epi32(reinterpret_cast<__m512i>(acc),
                                                          reinterpret_cast<__m512i>(x),
                                                          reinterpret_cast<__m512i>(w)));
    }
};
#endif

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
