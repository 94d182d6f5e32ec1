// SPDX-License-Identifier: Apache-2.0
/// Between bytes, int32 lanes and floats, with the roundings of arith/.
#ifndef QUANTAL_KERNEL_CPU_CONVERT_HPP
#define QUANTAL_KERNEL_CPU_CONVERT_HPP

#include <quantal/kernel/cpu/dot.hpp>
#include <quantal/kernel/cpu/interleave.hpp>

namespace quantal {
inline namespace v0 {
namespace cpu {

template <class A>
struct convert;

/// Conversions by operators; what an instruction set does better it overrides below.
template <class A>
struct operator_convert {
    using reals = lanes<A, float>;
    using ints = lanes<A, std::int32_t>;
    using shorts = lanes<A, std::int16_t>;

    /// v > lo ? v : lo (a NaN gives lo), and v < hi ? v : hi.
    static QUANTAL_INLINE reals at_least(reals v, reals lo) { return v > lo ? v : lo; }
    static QUANTAL_INLINE reals at_most(reals v, reals hi) { return v < hi ? v : hi; }

    /// The bytes at `from`, one an int32 lane.
    static QUANTAL_INLINE ints widen(const std::uint8_t* from) {
        return __builtin_convertvector(load<narrow<A, std::uint8_t>>(from), ints);
    }
    /// The first `count` of them, 0 in the other lanes.
    static QUANTAL_INLINE ints widen_part(const std::uint8_t* from, std::size_t count) {
        std::uint8_t bytes[lane_count<A>];
        store(bytes, load_part<narrow<A, std::uint8_t>>(from, count));
        return convert<A>::widen(bytes);
    }
    /// Lanes that hold 0 to 255, as bytes.
    static QUANTAL_INLINE narrow<A, std::uint8_t> to_bytes(ints v) {
        return __builtin_convertvector(v, narrow<A, std::uint8_t>);
    }
    /// The same of four registers, one after the other.
    static QUANTAL_INLINE lanes<A, std::uint8_t> to_bytes(ints a, ints b, ints c, ints d) {
        lanes<A, std::uint8_t> all;
        auto* to = reinterpret_cast<std::byte*>(&all);
        const ints parts[] = {a, b, c, d};
        for (const ints& v : parts) {
            store(to, to_bytes(v));
            to += lane_count<A>;
        }
        return all;
    }
    /// The same of two registers, stored.
    static QUANTAL_INLINE void store_bytes(void* to, ints v, ints w) {
        store(to, to_bytes(v));
        store(static_cast<std::byte*>(to) + sizeof(to_bytes(v)), to_bytes(w));
    }
    /// The same of two registers that are interleaved (interleave.hpp).
    static QUANTAL_INLINE void store_interleaved(void* to, ints v, ints w) {
        if constexpr (A::width == 16) return convert<A>::store_bytes(to, v, w); // in order anyway
        std::int32_t lane[2 * lane_count<A>];
        store(lane, v);
        store(lane + lane_count<A>, w);
        auto* bytes = static_cast<std::uint8_t*>(to);
        for (int i = 0; i < 2 * lane_count<A>; ++i)
            bytes[i] = static_cast<std::uint8_t>(lane[interleaved_place(i, lane_count<A>)]);
    }

    /// Half a register of bytes, one an int16 lane.
    static QUANTAL_INLINE shorts widen_bytes(const void* from) {
        using bytes = typename quantal::v0::cpu::detail::vector<std::uint8_t, A::width / 2>::type;
        return __builtin_convertvector(load<bytes>(from), shorts);
    }
    /// The same of signed bytes.
    static QUANTAL_INLINE shorts widen_signed(const void* from) {
        using bytes = typename quantal::v0::cpu::detail::vector<std::int8_t, A::width / 2>::type;
        return __builtin_convertvector(load<bytes>(from), shorts);
    }
    /// The int16 lanes of `v`, one an int32 lane: the first and the second half.
    static QUANTAL_INLINE void widen_shorts(shorts v, ints& first, ints& second) {
        using half = typename quantal::v0::cpu::detail::vector<std::int16_t, A::width / 2>::type;
        half halves[2];
        __builtin_memcpy(halves, &v, sizeof v);
        first = __builtin_convertvector(halves[0], ints);
        second = __builtin_convertvector(halves[1], ints);
    }
};

template <class A>
struct convert : operator_convert<A> {};

#if XSIMD_WITH_SSE2 && !defined(__CUDACC__)
template <class A>
struct sse_convert : operator_convert<A> {
    using typename operator_convert<A>::reals;
    using typename operator_convert<A>::ints;
    using typename operator_convert<A>::shorts;
    static QUANTAL_INLINE reals at_least(reals v, reals lo) { return _mm_max_ps(v, lo); }
    static QUANTAL_INLINE reals at_most(reals v, reals hi) { return _mm_min_ps(v, hi); }
    static QUANTAL_INLINE ints widen(const std::uint8_t* from) {
        const __m128i zero = _mm_setzero_si128();
        const __m128i bytes = _mm_cvtsi32_si128(load<std::int32_t>(from));
        return reinterpret_cast<ints>(_mm_unpacklo_epi16(_mm_unpacklo_epi8(bytes, zero), zero));
    }
    static QUANTAL_INLINE shorts widen_bytes(const void* from) {
        return reinterpret_cast<shorts>(_mm_unpacklo_epi8(
            _mm_loadl_epi64(static_cast<const __m128i*>(from)), _mm_setzero_si128()));
    }
    static QUANTAL_INLINE void widen_shorts(shorts v, ints& first, ints& second) {
        const auto all = reinterpret_cast<__m128i>(v);
        first = reinterpret_cast<ints>(_mm_unpacklo_epi16(all, all)) >> 16;
        second = reinterpret_cast<ints>(_mm_unpackhi_epi16(all, all)) >> 16;
    }
    static QUANTAL_INLINE narrow<A, std::uint8_t> to_bytes(ints v) {
        const __m128i words = _mm_packs_epi32(reinterpret_cast<__m128i>(v), _mm_setzero_si128());
        const int bytes = _mm_cvtsi128_si32(_mm_packus_epi16(words, words));
        return load<narrow<A, std::uint8_t>>(&bytes);
    }
    static QUANTAL_INLINE lanes<A, std::uint8_t> to_bytes(ints a, ints b, ints c, ints d) {
        const __m128i low =
            _mm_packs_epi32(reinterpret_cast<__m128i>(a), reinterpret_cast<__m128i>(b));
        const __m128i high =
            _mm_packs_epi32(reinterpret_cast<__m128i>(c), reinterpret_cast<__m128i>(d));
        return reinterpret_cast<lanes<A, std::uint8_t>>(_mm_packus_epi16(low, high));
    }
    static QUANTAL_INLINE void store_bytes(void* to, ints v, ints w) {
        const __m128i words =
            _mm_packs_epi32(reinterpret_cast<__m128i>(v), reinterpret_cast<__m128i>(w));
        _mm_storel_epi64(static_cast<__m128i*>(to), _mm_packus_epi16(words, words));
    }
};
template <>
struct convert<sse2> : sse_convert<sse2> {};
template <>
struct convert<sse4_1> : sse_convert<sse4_1> {};
#endif

#if XSIMD_WITH_AVX2
template <class A>
struct avx2_convert : operator_convert<A> {
    using typename operator_convert<A>::reals;
    using typename operator_convert<A>::ints;
    using typename operator_convert<A>::shorts;
    static QUANTAL_INLINE reals at_least(reals v, reals lo) { return _mm256_max_ps(v, lo); }
    static QUANTAL_INLINE reals at_most(reals v, reals hi) { return _mm256_min_ps(v, hi); }
    static QUANTAL_INLINE ints widen(const std::uint8_t* from) {
        return reinterpret_cast<ints>(
            _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from))));
    }
    static QUANTAL_INLINE shorts widen_bytes(const void* from) {
        return reinterpret_cast<shorts>(
            _mm256_cvtepu8_epi16(_mm_loadu_si128(static_cast<const __m128i*>(from))));
    }
    static QUANTAL_INLINE shorts widen_signed(const void* from) {
        return reinterpret_cast<shorts>(
            _mm256_cvtepi8_epi16(_mm_loadu_si128(static_cast<const __m128i*>(from))));
    }
    static QUANTAL_INLINE void widen_shorts(shorts v, ints& first, ints& second) {
        const auto all = reinterpret_cast<__m256i>(v);
        first = reinterpret_cast<ints>(_mm256_cvtepi16_epi32(_mm256_castsi256_si128(all)));
        second = reinterpret_cast<ints>(_mm256_cvtepi16_epi32(_mm256_extracti128_si256(all, 1)));
    }
    static QUANTAL_INLINE narrow<A, std::uint8_t> to_bytes(ints v) {
        const auto all = reinterpret_cast<__m256i>(v);
        const __m128i words =
            _mm_packs_epi32(_mm256_castsi256_si128(all), _mm256_extracti128_si256(all, 1));
        const __m128i bytes = _mm_packus_epi16(words, words);
        return load<narrow<A, std::uint8_t>>(&bytes);
    }
};
template <>
struct convert<avx2> : avx2_convert<avx2> {};
template <>
struct convert<avx_vnni> : avx2_convert<avx_vnni> {};
#endif

#if XSIMD_WITH_AVX512BW
/// The forms with a mask: g++ 12 warns of the header behind the plain ones.
template <>
struct convert<avx512_vnni> : operator_convert<avx512_vnni> {
    static QUANTAL_INLINE reals at_least(reals v, reals lo) {
        return _mm512_maskz_max_ps(0xffff, v, lo);
    }
    static QUANTAL_INLINE reals at_most(reals v, reals hi) {
        return _mm512_maskz_min_ps(0xffff, v, hi);
    }
    static QUANTAL_INLINE ints widen(const std::uint8_t* from) {
        return reinterpret_cast<ints>(_mm512_maskz_cvtepu8_epi32(
            0xffff, _mm_loadu_si128(reinterpret_cast<const __m128i*>(from))));
    }
    static QUANTAL_INLINE ints widen_part(const std::uint8_t* from, std::size_t count) {
        const auto mask = static_cast<__mmask16>((1u << count) - 1);
        return reinterpret_cast<ints>(
            _mm512_maskz_cvtepu8_epi32(0xffff, _mm_maskz_loadu_epi8(mask, from)));
    }
    static QUANTAL_INLINE shorts widen_bytes(const void* from) {
        return reinterpret_cast<shorts>(_mm512_maskz_cvtepu8_epi16(
            0xffffffff, _mm256_loadu_si256(static_cast<const __m256i*>(from))));
    }
    static QUANTAL_INLINE shorts widen_signed(const void* from) {
        return reinterpret_cast<shorts>(_mm512_maskz_cvtepi8_epi16(
            0xffffffff, _mm256_loadu_si256(static_cast<const __m256i*>(from))));
    }
    static QUANTAL_INLINE narrow<avx512_vnni, std::uint8_t> to_bytes(ints v) {
        return reinterpret_cast<narrow<avx512_vnni, std::uint8_t>>(
            _mm512_maskz_cvtepi32_epi8(0xffff, reinterpret_cast<__m512i>(v)));
    }
    static QUANTAL_INLINE lanes<avx512_vnni, std::uint8_t> to_bytes(ints a, ints b, ints c,
                                                                    ints d) {
        const auto packed = [](ints v, ints w) QUANTAL_INLINE_LAMBDA {
            return _mm512_maskz_packs_epi32(~0u, reinterpret_cast<__m512i>(v),
                                            reinterpret_cast<__m512i>(w));
        };
        // Each quarter has four bytes of each: a b c d.
        const __m512i order =
            _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
        return reinterpret_cast<lanes<avx512_vnni, std::uint8_t>>(_mm512_maskz_permutexvar_epi32(
            0xffff, order, _mm512_maskz_packus_epi16(~0ull, packed(a, b), packed(c, d))));
    }
    static QUANTAL_INLINE void store_bytes(void* to, ints v, ints w) {
        store(to, to_bytes(v));
        store(static_cast<std::byte*>(to) + sizeof(to_bytes(v)), to_bytes(w));
    }
    static QUANTAL_INLINE void store_interleaved(void* to, ints v, ints w) {
        const __m512i words = _mm512_maskz_packs_epi32(~0u, reinterpret_cast<__m512i>(v),
                                                       reinterpret_cast<__m512i>(w));
        store(to, _mm512_maskz_cvtepi16_epi8(~0u, words));
    }
};
#endif

/// float(v), rounded to nearest.
template <class A>
QUANTAL_INLINE lanes<A, float> to_float(lanes<A, std::int32_t> v) {
    return __builtin_convertvector(v, lanes<A, float>);
}

/// The bits of 1.5 * 2^23.
inline constexpr std::int32_t bits_of_rounding = 0x4b400000;

/// arith::clamp, then arith::round_half_even, then `+ zero`: the end of every requantization.
/// `first` and `last` are the clamp's bounds less `zero`; |bounds| < 2^22. `shift` is `zero` less
/// the bits of 1.5 * 2^23.
template <class A>
QUANTAL_INLINE lanes<A, std::int32_t> to_codes(lanes<A, float> v, lanes<A, float> first,
                                               lanes<A, float> last, lanes<A, std::int32_t> shift) {
    // 1.5 * 2^23 leaves no bits for a fraction: the sum is rounded to even, its bits count from
    // those of the constant.
    const auto bounded = convert<A>::at_most(convert<A>::at_least(v, first), last);
    const lanes<A, float> shifted = rounded<A>(bounded) + fill<A>(12582912.0f);
    return reinterpret_cast<lanes<A, std::int32_t>>(shifted) + shift;
}
template <class A>
QUANTAL_INLINE lanes<A, std::int32_t> to_codes(lanes<A, float> v, float first, float last,
                                               std::int32_t zero) {
    return to_codes<A>(v, fill<A>(first), fill<A>(last), fill<A>(zero - bits_of_rounding));
}

/// `count` bytes to int16.
template <class A>
void widen_bytes(const std::uint8_t* from, std::int16_t* to, std::ptrdiff_t count) {
    constexpr std::ptrdiff_t step = A::width / 2;
    std::ptrdiff_t i = 0;
    for (; i + step <= count; i += step)
        store(to + i, convert<A>::widen_bytes(from + i));
    if (i == count) return;
    if (count >= step) { // overlaps what is there already
        store(to + count - step, convert<A>::widen_bytes(from + count - step));
        return;
    }
    for (; i < count; ++i)
        to[i] = from[i];
}

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
