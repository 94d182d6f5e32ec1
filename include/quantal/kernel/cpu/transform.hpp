// SPDX-License-Identifier: Apache-2.0
/// A function of registers applied along arrays; results that do not fit the caches go past them.
#ifndef QUANTAL_KERNEL_CPU_TRANSFORM_HPP
#define QUANTAL_KERNEL_CPU_TRANSFORM_HPP

#include <quantal/kernel/cpu/aligned.hpp>
#include <quantal/kernel/cpu/convert.hpp>

namespace quantal {
inline namespace v0 {
namespace cpu {

/// Results of this many bytes and more are stored past the caches: half of a last-level cache of
/// 8 MB, below which the next reader still finds them there.
inline constexpr std::size_t stream_bytes = std::size_t{4} << 20;

/// Copies a cache line past the caches, where the CPU can; both addresses are multiples of it.
template <class A>
QUANTAL_INLINE void stream_line(const void* from, void* to) {
#if XSIMD_WITH_AVX512BW
    if constexpr (std::is_base_of_v<xsimd::avx512bw, A>)
        return _mm512_stream_si512(static_cast<__m512i*>(to), _mm512_load_si512(from));
#endif
#if XSIMD_WITH_AVX2
    if constexpr (std::is_base_of_v<xsimd::avx2, A>) {
        for (std::size_t i = 0; i < cache_line / sizeof(__m256i); ++i)
            _mm256_stream_si256(static_cast<__m256i*>(to) + i,
                                _mm256_load_si256(static_cast<const __m256i*>(from) + i));
        return;
    }
#endif
#if XSIMD_WITH_SSE2
    for (std::size_t i = 0; i < cache_line / sizeof(__m128i); ++i)
        _mm_stream_si128(static_cast<__m128i*>(to) + i,
                         _mm_load_si128(static_cast<const __m128i*>(from) + i));
#else
    __builtin_memcpy(to, from, cache_line);
#endif
}

/// Makes what was streamed visible to other threads.
QUANTAL_INLINE void stream_fence() {
#if XSIMD_WITH_SSE2
    _mm_sfence();
#endif
}

/// What is read while results are streamed is asked for so many bytes ahead: beyond the page at
/// which the CPU's own prefetching ends. Zen 5, quantize of 128 MB to a copy, medians of seven
/// races: AVX2 0.79 without, 0.88 with; AVX-512 0.91 and 0.92. 8 and 32 KiB do as much.
inline constexpr std::size_t bytes_ahead = 16384;

/// Asks for so many bytes that far behind `x`.
QUANTAL_INLINE void prefetch_ahead(const void* x, std::size_t bytes) {
    for (std::size_t i = 0; i < bytes; i += cache_line)
        __builtin_prefetch(static_cast<const std::byte*>(x) + bytes_ahead + i);
}

/// Stores registers as they are.
struct as_they_are {
    static constexpr int registers = 1; ///< that make one of the output's
    template <class V>
    QUANTAL_INLINE void store(void* to, V v) const {
        cpu::store(to, v);
    }
};

/// `f(x...)` for all elements of the arrays: f reads `lane_count<A>` elements at each x and returns
/// as many results, which `end` stores at y: as they are, or as the codes of reals (code_bounds).
/// An x may be y.
template <class A, class Y, class End, class F, class... X>
requires(End::registers > 0) QUANTAL_INLINE
    void transform(std::size_t count, Y* y, const End& end, F&& f, const X*... x) {
    constexpr std::size_t lanes = lane_count<A>;
    constexpr std::size_t line = cache_line / sizeof(Y);
    constexpr std::size_t group = End::registers * lanes; // a register of Y
    std::size_t i = 0;
    const auto some = [&](std::size_t left) QUANTAL_INLINE_LAMBDA {
        [&](const auto&... parts) QUANTAL_INLINE_LAMBDA {
            narrow<A, Y> all;
            end.store(&all, f(reinterpret_cast<const X*>(&parts)...));
            store_part(y + i, all, left * sizeof(Y));
        }(load_part<narrow<A, X>>(x + i, left * sizeof(X))...);
        i += left;
    };
    const auto store_group = [&](std::size_t at, Y* to) QUANTAL_INLINE_LAMBDA {
        if constexpr (End::registers == 4)
            end.store(to, f(x + at...), f(x + (at + lanes)...), f(x + (at + 2 * lanes)...),
                      f(x + (at + 3 * lanes)...));
        else
            end.store(to, f(x + at...));
    };
    if (count * sizeof(Y) >= stream_bytes) {
        while (reinterpret_cast<std::uintptr_t>(y + i) % cache_line != 0)
            some(1);
        for (; i + line <= count; i += line) {
            (prefetch_ahead(x + i, line * sizeof(X)), ...);
            alignas(cache_line) Y results[line];
            repeat<int{line / group}>([&](auto k) QUANTAL_INLINE_LAMBDA {
                store_group(i + k * group, results + k * group);
            });
            stream_line<A>(results, y + i);
        }
        stream_fence();
    }
    for (; i + group <= count; i += group)
        store_group(i, y + i);
    for (; i + lanes <= count; i += lanes)
        end.store(y + i, f(x + i...));
    if (i < count) some(count - i);
}
template <class A, class Y, class F, class... X>
QUANTAL_INLINE void transform(std::size_t count, Y* y, F&& f, const X*... x) {
    transform<A>(count, y, as_they_are(), f, x...);
}

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
