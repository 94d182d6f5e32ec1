// SPDX-License-Identifier: Apache-2.0
/// Every macro of the library, and the assumptions about the compiler that its bits rest on.
#ifndef QUANTAL_CONFIG_HPP
#define QUANTAL_CONFIG_HPP

// Before xsimd: version 8 takes size_t for granted on ARM.
#include <cstddef>

#if defined(__FAST_MATH__) || (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__)
#error "quantal: -ffast-math and -ffinite-math-only change results; build without them"
#endif
#if defined(__FLT_EVAL_METHOD__) && __FLT_EVAL_METHOD__ != 0
#error "quantal: float arithmetic must round to float (FLT_EVAL_METHOD 0); on 32-bit x86 use SSE"
#endif

/// How an error leaves the library: `problem` is a `quantal::error`, and nothing runs after it. A
/// definition of one's own, the same in every file and before the first header of quantal, replaces
/// it; if that returns, the program is terminated. Without exceptions an error terminates at once.
#ifndef QUANTAL_THROW
#if defined(__cpp_exceptions)
#define QUANTAL_THROW(problem) throw problem
#else
#define QUANTAL_THROW(problem) static_cast<void>(problem)
#endif
#endif

/// Marks a function that also runs on a CUDA device.
#if defined(__CUDACC__)
#define QUANTAL_HD __host__ __device__
#else
#define QUANTAL_HD
#endif

/// Marks a function of a CUDA kernel; the host runner executes it too.
#if defined(__CUDACC__)
#define QUANTAL_DEVICE __device__ __forceinline__
#else
#define QUANTAL_DEVICE inline
#endif

/// A loop of a kernel that nvcc must unroll: its arrays are registers.
#if defined(__CUDACC__)
#define QUANTAL_UNROLL _Pragma("unroll")
#else
#define QUANTAL_UNROLL
#endif

/// A function, or a lambda, that the compiler must inline: per-architecture code, which the linker
/// must not merge with a copy that was compiled for another CPU.
#define QUANTAL_INLINE __attribute__((always_inline)) inline
#define QUANTAL_INLINE_LAMBDA __attribute__((always_inline))

#endif
