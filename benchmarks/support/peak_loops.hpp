// SPDX-License-Identifier: Apache-2.0
/// Loops of the multiply-adds that an instruction set has, on registers alone.
#ifndef QUANTAL_BENCHMARKS_SUPPORT_PEAK_LOOPS_HPP
#define QUANTAL_BENCHMARKS_SUPPORT_PEAK_LOOPS_HPP

#include <cstdint>
#include <string_view>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace benchmarks {

/// Keeps a value that nothing reads from being left out.
template <class T>
inline void keep(const T& value) {
    asm volatile("" : : "m"(value) : "memory");
}

/// `run(n)` makes `n` passes of `operations` operations (a multiply-add counts as two).
struct peak_loop {
    double operations;
    void (*run)(std::int64_t passes);
};

/// Sums side by side: more than the latency of a multiply-add times those that start in a cycle.
inline constexpr int sums_at_once = 12;

#if defined(__x86_64__)

// Each operand passes through an `asm`: no two products are the same to the compiler.

[[gnu::target("avx512f,avx512bw,avx512vnni")]] inline void avx512_vnni_bytes(std::int64_t n) {
    __m512i sums[sums_at_once] = {}, x = _mm512_set1_epi8(1);
    for (; n > 0; --n)
#pragma GCC unroll 12
        for (__m512i& sum : sums) {
            asm volatile("" : "+v"(x));
            sum = _mm512_dpbusd_epi32(sum, x, x);
        }
    for (const __m512i& sum : sums)
        keep(sum);
}

[[gnu::target("avx512f")]] inline void avx512_floats(std::int64_t n) {
    __m512 sums[sums_at_once] = {}, x = _mm512_set1_ps(0.5f);
    for (; n > 0; --n)
#pragma GCC unroll 12
        for (__m512& sum : sums) {
            asm volatile("" : "+v"(x));
            sum = _mm512_fmadd_ps(x, x, sum);
        }
    for (const __m512& sum : sums)
        keep(sum);
}

/// (The encoding of AVX-VNNI by name: neither compiler has an intrinsic that both know.)
[[gnu::target("avx2")]] inline void avx_vnni_bytes(std::int64_t n) {
    __m256i sums[sums_at_once] = {}, x = _mm256_set1_epi8(1);
    for (; n > 0; --n)
#pragma GCC unroll 12
        for (__m256i& sum : sums)
            asm volatile("%{vex%} vpdpbusd %1, %1, %0" : "+x"(sum) : "x"(x));
    for (const __m256i& sum : sums)
        keep(sum);
}

/// What peers use; it saturates. Exact products of 8 bits take more instructions.
[[gnu::target("avx2")]] inline void avx2_bytes(std::int64_t n) {
    const __m256i ones = _mm256_set1_epi16(1);
    __m256i sums[sums_at_once] = {}, x = _mm256_set1_epi8(1);
    for (; n > 0; --n)
#pragma GCC unroll 12
        for (__m256i& sum : sums) {
            asm volatile("" : "+x"(x));
            sum = _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_maddubs_epi16(x, x), ones));
        }
    for (const __m256i& sum : sums)
        keep(sum);
}

[[gnu::target("avx2,fma")]] inline void avx2_floats(std::int64_t n) {
    __m256 sums[sums_at_once] = {}, x = _mm256_set1_ps(0.5f);
    for (; n > 0; --n)
#pragma GCC unroll 12
        for (__m256& sum : sums) {
            asm volatile("" : "+x"(x));
            sum = _mm256_fmadd_ps(x, x, sum);
        }
    for (const __m256& sum : sums)
        keep(sum);
}

/// SSE2 multiplies words.
inline void sse2_bytes(std::int64_t n) {
    __m128i sums[sums_at_once] = {}, x = _mm_set1_epi16(1);
    for (; n > 0; --n)
#pragma GCC unroll 12
        for (__m128i& sum : sums) {
            asm volatile("" : "+x"(x));
            sum = _mm_add_epi32(sum, _mm_madd_epi16(x, x));
        }
    for (const __m128i& sum : sums)
        keep(sum);
}

#endif

/// Sixteen bytes of `T`, whatever the machine makes of their products.
template <class T>
void plain_loop(std::int64_t n) {
    using lanes [[gnu::vector_size(16)]] = T;
    lanes sums[sums_at_once] = {}, x = lanes{} + T{1};
    for (; n > 0; --n)
#pragma GCC unroll 12
        for (lanes& sum : sums) {
            asm volatile("" : "+m"(x));
            sum += x * x;
        }
    for (const lanes& sum : sums)
        keep(sum);
}

/// Products of bytes, summed in int32.
[[nodiscard]] inline peak_loop byte_loop([[maybe_unused]] std::string_view arch) {
#if defined(__x86_64__)
    if (arch == "avx512_vnni") return {sums_at_once * 64 * 2, avx512_vnni_bytes};
    if (arch == "avx_vnni") return {sums_at_once * 32 * 2, avx_vnni_bytes};
    if (arch == "avx2") return {sums_at_once * 32 * 2, avx2_bytes};
    return {sums_at_once * 8 * 2, sse2_bytes};
#else
    return {sums_at_once * 4 * 2, plain_loop<std::int32_t>};
#endif
}

[[nodiscard]] inline peak_loop float_loop([[maybe_unused]] std::string_view arch) {
#if defined(__x86_64__)
    if (arch == "avx512_vnni") return {sums_at_once * 16 * 2, avx512_floats};
    if (arch == "avx_vnni" || arch == "avx2") return {sums_at_once * 8 * 2, avx2_floats};
#endif
    return {sums_at_once * 4 * 2, plain_loop<float>};
}

} // namespace benchmarks

#endif
