// SPDX-License-Identifier: Apache-2.0
/// Four bytes in a register: on a device.
#ifndef QUANTAL_CUDA_DEVICE_BYTES_HPP
#define QUANTAL_CUDA_DEVICE_BYTES_HPP

#if defined(__CUDACC__)

#include <quantal/config.hpp>

#include <cstdint>

namespace quantal {
inline namespace v0 {
namespace cuda {

/// The bits of a where `mask` has ones, else those of b; nvcc takes two instructions for the
/// formula.
[[nodiscard]] QUANTAL_DEVICE std::uint32_t select_bits(std::uint32_t mask, std::uint32_t a,
                                                       std::uint32_t b) {
    std::uint32_t r;
    asm("lop3.b32 %0, %1, %2, %3, 0xe4;" : "=r"(r) : "r"(a), "r"(b), "r"(mask));
    return r;
}

/// Byte i of the result is byte `places >> 4 * i & 7` of the eight bytes of low and high (prmt).
[[nodiscard]] QUANTAL_DEVICE std::uint32_t permute(std::uint32_t low, std::uint32_t high,
                                                   std::uint32_t places) {
    return __byte_perm(low, high, places);
}

/// `sum` and the products of four uint8 by four int8 (dp4a). Sums wrap around.
[[nodiscard]] QUANTAL_DEVICE std::int32_t dot4(std::uint32_t x, std::uint32_t w, std::int32_t sum) {
    std::int32_t r;
    asm("dp4a.u32.s32 %0, %1, %2, %3;" : "=r"(r) : "r"(x), "r"(w), "r"(sum));
    return r;
}

/// Four bytes in memory, aligned to 4, the first one lowest.
[[nodiscard]] QUANTAL_DEVICE std::uint32_t load_word(const std::uint8_t* from) {
    return *reinterpret_cast<const std::uint32_t*>(from);
}

} // namespace cuda
} // namespace v0
} // namespace quantal

#endif
#endif
