// SPDX-License-Identifier: Apache-2.0
/// A function of registers applied along arrays; results that do not fit the caches go past them.
#ifndef QUANTAL_KERNEL_CPU_TRANSFORM_HPP
#define QUANTAL_KERNEL_CPU_TRANSFORM_HPP

#include <quantal/kernel/cpu/lanes.hpp>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace quantal {
inline namespace v0 {
namespace cpu {

/// Results of this many bytes and more are stored past the caches: half of a last-level cache of
/// 8 MB, below which the next reader still finds them there.
inline constexpr std::size_t stream_bytes = std::size_t{4} << 20;

/// Copies `Bytes` bytes, a multiple of 16, to an address that is one too, past the caches where the
/// CPU can.
template <std::size_t Bytes>
QUANTAL_INLINE void stream(const void* from, void* to) {
#if defined(__SSE2__)
    for (std::size_t i = 0; i < Bytes / sizeof(__m128i); ++i)
        _mm_stream_si128(static_cast<__m128i*>(to) + i,
                         _mm_load_si128(static_cast<const __m128i*>(from) + i));
#else
    __builtin_memcpy(to, from, Bytes);
#endif
}

/// Makes what was streamed visible to other threads.
QUANTAL_INLINE void stream_fence() {
#if defined(__SSE2__)
    _mm_sfence();
#endif
}

/// `f(x...)` for all elements of the arrays: f reads `lane_count<A>` elements at each x and returns
/// as many results, which are stored at y. The arrays may be the same ones.
template <class A, class Y, class F, class... X>
QUANTAL_INLINE void transform(std::size_t count, Y* y, F&& f, const X*... x) {
    constexpr std::size_t lanes = lane_count<A>;
    constexpr int unroll = 4;
    std::size_t i = 0;
    if (count * sizeof(Y) >= stream_bytes && reinterpret_cast<std::uintptr_t>(y) % 16 == 0) {
        for (; i + unroll * lanes <= count; i += unroll * lanes) {
            alignas(64) Y results[unroll * lanes];
            repeat<unroll>([&](auto k) QUANTAL_INLINE_LAMBDA {
                store(results + k * lanes, f(x + i + k * lanes...));
            });
            stream<sizeof results>(results, y + i);
        }
        stream_fence();
    }
    for (; i + lanes <= count; i += lanes)
        store(y + i, f(x + i...));
    if (i == count) return;
    const std::size_t rest = count - i;
    [&](const auto&... parts) QUANTAL_INLINE_LAMBDA {
        store_part(y + i, f(reinterpret_cast<const X*>(&parts)...), rest * sizeof(Y));
    }(load_part<narrow<A, X>>(x + i, rest * sizeof(X))...);
}

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
