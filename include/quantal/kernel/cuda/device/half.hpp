// SPDX-License-Identifier: Apache-2.0
/// float16 (IEEE 754 binary16) and float32: on a device.
#ifndef QUANTAL_CUDA_DEVICE_HALF_HPP
#define QUANTAL_CUDA_DEVICE_HALF_HPP

#if defined(__CUDACC__)

#include <quantal/config.hpp>

#include <cstdint>

namespace quantal {
inline namespace v0 {
namespace cuda {

/// The nearest, ties to even; a NaN stays one.
[[nodiscard]] QUANTAL_DEVICE std::uint16_t float_to_half(float value) {
    std::uint16_t half;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(half) : "f"(value));
    return half;
}

} // namespace cuda
} // namespace v0
} // namespace quantal

#endif
#endif
