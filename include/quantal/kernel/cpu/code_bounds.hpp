// SPDX-License-Identifier: Apache-2.0
/// From reals to the bytes of an output's codes, many registers at a time: the end of most layers.
#ifndef QUANTAL_KERNEL_CPU_CODE_BOUNDS_HPP
#define QUANTAL_KERNEL_CPU_CODE_BOUNDS_HPP

#include <quantal/kernel/cpu/convert.hpp>

namespace quantal {
inline namespace v0 {
namespace cpu {

/// The codes of an output as bytes, `q - qmin`: where they are cut off, and the code of real 0.
struct byte_codes {
    std::int32_t zero_point, lo, hi;
};

/// `clamp(rne(v) + zero_point, lo, hi)` in every lane.
template <class A>
QUANTAL_INLINE lanes<A, std::int32_t> to_codes(lanes<A, float> v, const byte_codes& y) {
    return to_codes<A>(v, static_cast<float>(y.lo - y.zero_point),
                       static_cast<float>(y.hi - y.zero_point), y.zero_point);
}

/// `clamp(rne(v) + zero_point, lo, hi)` of reals `v`, as bytes (a NaN gives `lo`): `byte_codes` in
/// registers.
template <class A>
class code_bounds {
    using reals = lanes<A, float>;
    using ints = lanes<A, std::int32_t>;

public:
    static constexpr int registers = 4; ///< of reals that make one of bytes

    explicit QUANTAL_INLINE code_bounds(const byte_codes& y)
        : first_(fill<A>(static_cast<float>(y.lo - y.zero_point))),
          last_(fill<A>(static_cast<float>(y.hi - y.zero_point))),
          shift_(fill<A>(y.zero_point - bits_of_rounding)) {
        settle<A>(shift_); // or compilers take the difference apart again
    }

    /// Stores those of four registers one after the other, of two, of one.
    QUANTAL_INLINE void store(void* to, reals a, reals b, reals c, reals d) const {
        cpu::store(to, convert<A>::to_bytes(codes(a), codes(b), codes(c), codes(d)));
    }
    QUANTAL_INLINE void store(void* to, reals a, reals b) const {
        convert<A>::store_bytes(to, codes(a), codes(b));
    }
    QUANTAL_INLINE void store(void* to, reals a) const {
        cpu::store(to, convert<A>::to_bytes(codes(a)));
    }
    /// Four registers at two places, at four.
    QUANTAL_INLINE void store_halves(void* first, void* second, reals a, reals b, reals c,
                                     reals d) const {
        store(first, a, b);
        store(second, c, d);
    }
    QUANTAL_INLINE void store_quarters(void* const (&to)[4], reals a, reals b, reals c,
                                       reals d) const {
        store(to[0], a);
        store(to[1], b);
        store(to[2], c);
        store(to[3], d);
    }
    /// Two that are interleaved (interleave.hpp), stored in order; and two such pairs.
    QUANTAL_INLINE void store_interleaved(void* to, const reals (&v)[2]) const {
        convert<A>::store_interleaved(to, codes(v[0]), codes(v[1]));
    }
    QUANTAL_INLINE void store_interleaved(void* first, const reals (&v)[2], void* second,
                                          const reals (&w)[2]) const {
        store_interleaved(first, v);
        store_interleaved(second, w);
    }

private:
    [[nodiscard]] QUANTAL_INLINE ints codes(reals v) const {
        return cpu::to_codes<A>(v, first_, last_, shift_);
    }

    reals first_, last_;
    ints shift_;
};

#if XSIMD_WITH_AVX2
/// Packing saturates, so that only the upper bound is left to be kept for each real (beyond 2^31 it
/// would become negative); a zero point is added to 16 codes at once. Zen 3, g++ 12, products of
/// 252 rows with 96 columns to codes, to a clamp and a rounding by addition for each register
/// before: 1.23 times as fast with 16 products a sum, 1.07 with 32, 1.02 with 256.
template <class A>
class avx2_code_bounds {
    using reals = lanes<A, float>;

public:
    static constexpr int registers = 4;

    explicit QUANTAL_INLINE avx2_code_bounds(const byte_codes& y)
        : last_(fill<A>(static_cast<float>(y.hi - y.zero_point))),
          zero_(_mm256_set1_epi16(static_cast<short>(y.zero_point))),
          lo_(_mm256_set1_epi8(static_cast<char>(y.lo))) {}

    QUANTAL_INLINE void store(void* to, reals a, reals b, reals c, reals d) const {
        cpu::store(to, bytes(a, b, c, d));
    }
    QUANTAL_INLINE void store(void* to, reals a, reals b) const {
        const __m256i w = words(a, b);
        const __m256i sorted = _mm256_permute4x64_epi64(w, 0b11'01'10'00);
        cpu::store(to, _mm_max_epu8(_mm_packus_epi16(_mm256_castsi256_si128(sorted),
                                                     _mm256_extracti128_si256(sorted, 1)),
                                    _mm256_castsi256_si128(lo_)));
    }
    QUANTAL_INLINE void store(void* to, reals a) const {
        const __m256i all = bytes(a, a, a, a);
        _mm_storel_epi64(static_cast<__m128i*>(to), _mm256_castsi256_si128(all));
    }
    QUANTAL_INLINE void store_halves(void* first, void* second, reals a, reals b, reals c,
                                     reals d) const {
        const __m256i all = bytes(a, b, c, d);
        cpu::store(first, _mm256_castsi256_si128(all));
        cpu::store(second, _mm256_extracti128_si256(all, 1));
    }
    QUANTAL_INLINE void store_quarters(void* const (&to)[4], reals a, reals b, reals c,
                                       reals d) const {
        const __m256i all = bytes(a, b, c, d);
        const __m128i low = _mm256_castsi256_si128(all), high = _mm256_extracti128_si256(all, 1);
        _mm_storel_epi64(static_cast<__m128i*>(to[0]), low);
        _mm_storeh_pd(static_cast<double*>(to[1]), _mm_castsi128_pd(low));
        _mm_storel_epi64(static_cast<__m128i*>(to[2]), high);
        _mm_storeh_pd(static_cast<double*>(to[3]), _mm_castsi128_pd(high));
    }
    QUANTAL_INLINE void store_interleaved(void* to, const reals (&v)[2]) const {
        const __m256i w = words(v[0], v[1]);
        cpu::store(to, _mm256_castsi256_si128(_mm256_permute4x64_epi64(both(w, w), 0b1000)));
    }
    QUANTAL_INLINE void store_interleaved(void* first, const reals (&v)[2], void* second,
                                          const reals (&w)[2]) const {
        const __m256i all =
            _mm256_permute4x64_epi64(both(words(v[0], v[1]), words(w[0], w[1])), 0b11'01'10'00);
        cpu::store(first, _mm256_castsi256_si128(all));
        cpu::store(second, _mm256_extracti128_si256(all, 1));
    }

private:
    /// All of four registers, one after the other.
    [[nodiscard]] QUANTAL_INLINE __m256i bytes(reals a, reals b, reals c, reals d) const {
        // Each half has four bytes of each: a b c d.
        return _mm256_permutevar8x32_epi32(both(words(a, b), words(c, d)),
                                           _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
    }
    /// Codes of two registers that may still lie below `lo`, as int16: four of each in each half.
    [[nodiscard]] QUANTAL_INLINE __m256i words(reals a, reals b) const {
        // A NaN stays one in this order, and becomes the lowest integer.
        const __m256i whole = _mm256_packs_epi32(_mm256_cvtps_epi32(_mm256_min_ps(last_, a)),
                                                 _mm256_cvtps_epi32(_mm256_min_ps(last_, b)));
        return _mm256_adds_epi16(whole, zero_);
    }
    [[nodiscard]] QUANTAL_INLINE __m256i both(__m256i a, __m256i b) const {
        return _mm256_max_epu8(_mm256_packus_epi16(a, b), lo_);
    }

    reals last_;
    __m256i zero_, lo_;
};
template <>
class code_bounds<avx2> : public avx2_code_bounds<avx2> {
    using avx2_code_bounds::avx2_code_bounds;
};
template <>
class code_bounds<avx_vnni> : public avx2_code_bounds<avx_vnni> {
    using avx2_code_bounds::avx2_code_bounds;
};
#endif

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
