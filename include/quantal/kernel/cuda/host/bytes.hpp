// SPDX-License-Identifier: Apache-2.0
/// Four bytes in a register: in the host runner.
#ifndef QUANTAL_CUDA_HOST_BYTES_HPP
#define QUANTAL_CUDA_HOST_BYTES_HPP

#include <quantal/kernel/cuda/host/machine.hpp>

namespace quantal {
inline namespace v0 {
namespace cuda {

/// The bits of a where `mask` has ones, else those of b.
[[nodiscard]] inline std::uint32_t select_bits(std::uint32_t mask, std::uint32_t a,
                                               std::uint32_t b) {
    return (a & mask) | (b & ~mask);
}

/// Byte i of the result is byte `places >> 4 * i & 7` of the eight bytes of low and high (prmt).
[[nodiscard]] inline std::uint32_t permute(std::uint32_t low, std::uint32_t high,
                                           std::uint32_t places) {
    const std::uint64_t bytes = std::uint64_t{high} << 32 | low;
    std::uint32_t result = 0;
    for (int i = 0; i < 4; ++i)
        result |= static_cast<std::uint32_t>(bytes >> 8 * (places >> 4 * i & 7u) & 0xffu) << 8 * i;
    return result;
}

/// `sum` and the products of four uint8 by four int8 (dp4a). Sums wrap around.
[[nodiscard]] inline std::int32_t dot4(std::uint32_t x, std::uint32_t w, std::int32_t sum) {
    auto result = static_cast<std::uint32_t>(sum);
    for (int i = 0; i < 4; ++i)
        result += (x >> 8 * i & 0xffu) *
                  static_cast<std::uint32_t>(static_cast<std::int8_t>(w >> 8 * i & 0xffu));
    return static_cast<std::int32_t>(result);
}

/// Four bytes in memory, aligned to 4, the first one lowest.
[[nodiscard]] inline std::uint32_t load_word(const std::uint8_t* from,
                                             int line = __builtin_LINE()) {
    host::machine::running().check({from, 4, false}, 4, line);
    std::uint32_t word = 0;
    for (int i = 0; i < 4; ++i)
        word |= std::uint32_t{from[i]} << 8 * i;
    return word;
}

} // namespace cuda
} // namespace v0
} // namespace quantal

#endif
