// SPDX-License-Identifier: Apache-2.0
/// The dot products that every integer kernel is written over. An int32 lane holds four bytes or
/// two int16 of a row or a column; all of them are exact (sums wrap around modulo 2^32).
#ifndef QUANTAL_KERNEL_CPU_DOT_HPP
#define QUANTAL_KERNEL_CPU_DOT_HPP

#include <quantal/kernel/cpu/lanes.hpp>

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#endif

namespace quantal {
inline namespace v0 {
namespace cpu {

/// Products by operators, for any CPU and any width. What an instruction set does better it
/// overrides below; `fast_dot4` and `fast_pair_sums` say which forms are worth choosing.
template <class A>
struct operator_dot {
    using sums = lanes<A, std::int32_t>;
    using short_sums = lanes<A, std::int16_t>;

    static constexpr bool fast_dot4 = true;
    static constexpr bool fast_pair_sums = false;

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

    /// x0 w0 + x1 w1 in each int16 lane; x unsigned, w signed bytes. Exact only if that fits int16
    /// (real instructions saturate): callers hold a proof, see sum_bounds.hpp.
    static QUANTAL_INLINE short_sums pair_sums_u8s8(sums x, sums w) {
        const auto a = reinterpret_cast<lanes<A, std::uint16_t>>(x);
        const auto b = reinterpret_cast<short_sums>(w);
        const auto first = reinterpret_cast<short_sums>(a & 0xff) * ((b << 8) >> 8);
        return first + reinterpret_cast<short_sums>(a >> 8) * (b >> 8);
    }
};

/// The products of one instruction set.
template <class A>
struct dot : operator_dot<A> {};

#if XSIMD_WITH_SSE2
template <>
struct dot<sse2> : operator_dot<sse2> {
    static constexpr bool fast_dot4 = false;
    static QUANTAL_INLINE sums widen_madd(sums acc, sums x, sums w) {
        return acc + reinterpret_cast<sums>(_mm_madd_epi16(reinterpret_cast<__m128i>(x),
                                                           reinterpret_cast<__m128i>(w)));
    }
};
#endif

#if XSIMD_WITH_SSE4_1
template <>
struct dot<sse4_1> : operator_dot<sse4_1> {
    static constexpr bool fast_dot4 = false;
    static constexpr bool fast_pair_sums = true;
    static QUANTAL_INLINE sums widen_madd(sums acc, sums x, sums w) {
        return acc + reinterpret_cast<sums>(_mm_madd_epi16(reinterpret_cast<__m128i>(x),
                                                           reinterpret_cast<__m128i>(w)));
    }
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
    static constexpr bool fast_pair_sums = true;
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
