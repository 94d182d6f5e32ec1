// SPDX-License-Identifier: Apache-2.0
/// Copies from global to shared memory that run beside the arithmetic: on a device. sm_75 has
/// none; there a copy is done when it is asked for.
#ifndef QUANTAL_CUDA_DEVICE_COPY_HPP
#define QUANTAL_CUDA_DEVICE_COPY_HPP

#if defined(__CUDACC__)

#include <quantal/kernel/cuda/pack.hpp>

namespace quantal {
inline namespace v0 {
namespace cuda {

/// 16 bytes to shared memory: `valid` of them from global memory, then zeros. Both places are
/// aligned to 16 bytes; the bytes are there after `wait_copies`.
QUANTAL_DEVICE void copy_async(std::uint8_t* to, const std::uint8_t* from, int valid) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 800
    pack<std::uint8_t, 16> bytes{};
    if (valid == 16)
        bytes = *reinterpret_cast<const pack<std::uint8_t, 16>*>(from);
    else
        for (int i = 0; i < 16; ++i)
            if (i < valid) bytes[i] = from[i];
    *reinterpret_cast<pack<std::uint8_t, 16>*>(to) = bytes;
#else
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(
                     static_cast<unsigned>(__cvta_generic_to_shared(to))),
                 "l"(__cvta_generic_to_global(from)), "r"(valid)
                 : "memory");
#endif
}

/// Ends a group: the copies that this thread has asked for since the last one.
QUANTAL_DEVICE void commit_copies() {
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 800
    asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}

/// Waits for all groups of this thread but the newest `Groups`.
template <int Groups>
QUANTAL_DEVICE void wait_copies() {
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 800
    asm volatile("cp.async.wait_group %0;" ::"n"(Groups) : "memory");
#endif
}

} // namespace cuda
} // namespace v0
} // namespace quantal

#endif
#endif
