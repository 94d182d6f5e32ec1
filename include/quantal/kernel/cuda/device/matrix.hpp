// SPDX-License-Identifier: Apache-2.0
/// Products of small matrices by a warp: on a device.
#ifndef QUANTAL_CUDA_DEVICE_MATRIX_HPP
#define QUANTAL_CUDA_DEVICE_MATRIX_HPP

#if defined(__CUDACC__)

#include <quantal/kernel/cuda/pack.hpp>

namespace quantal {
inline namespace v0 {
namespace cuda {

/// Four matrices of 8 rows of 16 bytes in shared memory: lane i names row i % 8 of matrix i / 8,
/// and gets of each matrix bytes 4 * (lane % 4) to + 3 of row lane / 4 (ldmatrix.x4).
[[nodiscard]] QUANTAL_DEVICE pack<std::uint32_t, 4> load_matrices(const std::uint8_t* row) {
    pack<std::uint32_t, 4> r;
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(static_cast<unsigned>(__cvta_generic_to_shared(row)))
                 : "memory");
    return r;
}

#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 800
namespace detail {
/// mma.m8n8k16, of which sm_75 makes an m16n8k32.
QUANTAL_DEVICE void mma_quarter(std::int32_t& c0, std::int32_t& c1, std::uint32_t a,
                                std::uint32_t b) {
    asm("mma.sync.aligned.m8n8k16.row.col.s32.u8.s8.s32 {%0, %1}, {%2}, {%3}, {%0, %1};"
        : "+r"(c0), "+r"(c1)
        : "r"(a), "r"(b));
}
/// mma.m8n8k32 of nibbles.
QUANTAL_DEVICE void mma_nibbles_quarter(std::int32_t& c0, std::int32_t& c1, std::uint32_t a,
                                        std::uint32_t b) {
    asm("mma.sync.aligned.m8n8k32.row.col.s32.u4.s4.s32 {%0, %1}, {%2}, {%3}, {%0, %1};"
        : "+r"(c0), "+r"(c1)
        : "r"(a), "r"(b));
}
} // namespace detail
#endif

/// `c += a * b`: a is 16 x 32 of uint8, b is 32 x 8 of int8, c is 16 x 8, in the fragments of
/// mma.m16n8k32 (PTX ISA, "Matrix Fragments for mma.m16n8k32"). Sums wrap around.
QUANTAL_DEVICE void mma(pack<std::int32_t, 4>& c, const pack<std::uint32_t, 4>& a,
                        const pack<std::uint32_t, 2>& b) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 800
    for (int half = 0; half < 2; ++half) {
        detail::mma_quarter(c[0], c[1], a[2 * half], b[half]);
        detail::mma_quarter(c[2], c[3], a[2 * half + 1], b[half]);
    }
#else
    asm("mma.sync.aligned.m16n8k32.row.col.s32.u8.s8.s32 "
        "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+r"(c[0]), "+r"(c[1]), "+r"(c[2]), "+r"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#endif
}

/// The same where a is 16 x 64 of uint4, b is 64 x 8 of int4, eight a register from its lowest bits
/// on (PTX ISA, "Matrix Fragments for mma.m16n8k64"). Architectures from sm_90 on have no such
/// instruction: nvcc makes it of int8 ones.
QUANTAL_DEVICE void mma_nibbles(pack<std::int32_t, 4>& c, const pack<std::uint32_t, 4>& a,
                                const pack<std::uint32_t, 2>& b) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 800
    for (int half = 0; half < 2; ++half) {
        detail::mma_nibbles_quarter(c[0], c[1], a[2 * half], b[half]);
        detail::mma_nibbles_quarter(c[2], c[3], a[2 * half + 1], b[half]);
    }
#else
    asm("mma.sync.aligned.m16n8k64.row.col.s32.u4.s4.s32 "
        "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+r"(c[0]), "+r"(c[1]), "+r"(c[2]), "+r"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#endif
}

/// The same where a is 16 x 16, b is 16 x 8 of float16, two a register, and c of float32 (PTX ISA,
/// "Matrix Fragments for mma.m16n8k16 with floating point type"). In which order products are added
/// is not documented.
QUANTAL_DEVICE void mma_halves(pack<float, 4>& c, const pack<std::uint32_t, 4>& a,
                               const pack<std::uint32_t, 2>& b) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 800
    for (int half = 0; half < 2; ++half)
        asm("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 "
            "{%0, %1, %2, %3}, {%4, %5}, {%6}, {%0, %1, %2, %3};"
            : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
            : "r"(a[2 * half]), "r"(a[2 * half + 1]), "r"(b[half]));
#else
    asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 "
        "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#endif
}

} // namespace cuda
} // namespace v0
} // namespace quantal

#endif
#endif
