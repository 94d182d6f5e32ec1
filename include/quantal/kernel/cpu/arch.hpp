// SPDX-License-Identifier: Apache-2.0
/// The instruction sets that the kernels know: tags on xsimd's. The one bridge to xsimd, whose
/// version 8 has no tag for VNNI and none for a plain CPU.
#ifndef QUANTAL_KERNEL_CPU_ARCH_HPP
#define QUANTAL_KERNEL_CPU_ARCH_HPP

#include <quantal/config.hpp>

#include <xsimd/config/xsimd_arch.hpp>

// The intrinsics that the flags allow: all of them take a compiler 0.3 s.
#if defined(__AVX2__)
#include <immintrin.h>
#elif defined(__SSE4_1__)
#include <smmintrin.h>
#elif defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace quantal {
inline namespace v0 {
namespace cpu {

/// What a tag says: its name, the bytes of a register, how many registers a micro-kernel may fill,
/// and whether this translation unit's flags allow its instructions.
struct generic {
    static constexpr const char* name() { return "generic"; }
    static constexpr bool built = true;
    static constexpr int width = 16;
    static constexpr int registers = 16;
};

struct sse2 : xsimd::sse2 {
    static constexpr const char* name() { return "sse2"; }
    static constexpr bool built = XSIMD_WITH_SSE2;
    static constexpr int width = 16;
    static constexpr int registers = 16;
};

struct sse4_1 : xsimd::sse4_1 {
    static constexpr const char* name() { return "sse4_1"; }
    static constexpr bool built = XSIMD_WITH_SSE4_1;
    static constexpr int width = 16;
    static constexpr int registers = 16;
};

struct avx2 : xsimd::avx2 {
    static constexpr const char* name() { return "avx2"; }
    static constexpr bool built = XSIMD_WITH_AVX2;
    static constexpr int width = 32;
    static constexpr int registers = 16;
};

struct avx_vnni : xsimd::avx2 {
    static constexpr const char* name() { return "avx_vnni"; }
#if defined(__AVXVNNI__)
    static constexpr bool built = XSIMD_WITH_AVX2;
#else
    static constexpr bool built = false;
#endif
    static constexpr int width = 32;
    static constexpr int registers = 16;
};

struct avx512_vnni : xsimd::avx512bw {
    static constexpr const char* name() { return "avx512_vnni"; }
#if defined(__AVX512VNNI__) && defined(__AVX512VL__) && defined(__AVX512DQ__)
    static constexpr bool built = XSIMD_WITH_AVX512BW;
#else
    static constexpr bool built = false;
#endif
    static constexpr int width = 64;
    static constexpr int registers = 32;
};

/// Whether the registers of a tag are only imagined: kernels keep them in memory (tests do this).
template <class A>
inline constexpr bool is_emulated = false;

/// A list of tags, the best first.
template <class... Arch>
struct arch_list {
    /// Calls `f.template operator()<A>()` for every tag, the best first.
    template <class F>
    static constexpr void for_each(F&& f) {
        (f.template operator()<Arch>(), ...);
    }
};
#if defined(__CUDACC__) // which cannot convert vectors to intrinsics' types
using all_archs = arch_list<generic>;
#else
using all_archs = arch_list<avx512_vnni, avx_vnni, avx2, sse4_1, sse2, generic>;
#endif

namespace detail {

template <class First, class... Rest>
constexpr auto first_built(arch_list<First, Rest...>) {
    if constexpr (First::built)
        return First{};
    else
        return first_built(arch_list<Rest...>{});
}

} // namespace detail

/// The best instruction set that this translation unit's flags allow.
using best_arch = decltype(detail::first_built(all_archs{}));

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
