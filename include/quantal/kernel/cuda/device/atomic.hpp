// SPDX-License-Identifier: Apache-2.0
/// Additions that threads may make to the same place at once: on a device.
#ifndef QUANTAL_CUDA_DEVICE_ATOMIC_HPP
#define QUANTAL_CUDA_DEVICE_ATOMIC_HPP

#if defined(__CUDACC__)

#include <quantal/config.hpp>

#include <cstdint>

namespace quantal {
inline namespace v0 {
namespace cuda {

QUANTAL_DEVICE void add_atomic(std::uint32_t* to, std::uint32_t value) {
    atomicAdd(to, value);
}
QUANTAL_DEVICE void add_atomic(std::uint64_t* to, std::uint64_t value) {
    static_assert(sizeof(unsigned long long) == sizeof(std::uint64_t));
    atomicAdd(reinterpret_cast<unsigned long long*>(to), static_cast<unsigned long long>(value));
}

} // namespace cuda
} // namespace v0
} // namespace quantal

#endif
#endif
