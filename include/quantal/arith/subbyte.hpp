// SPDX-License-Identifier: Apache-2.0
/// Codes as a dense stream of bits: code i of width b occupies bits [i*b, (i+1)*b) of the stream,
/// least significant bit first, two's complement, no padding but the last byte's (zeros). For 4 and
/// 2 bits this is the layout that ONNX stores (onnx.proto, TensorProto.raw_data).
#ifndef QUANTAL_ARITH_SUBBYTE_HPP
#define QUANTAL_ARITH_SUBBYTE_HPP

#include <quantal/config.hpp>

#include <cstddef>
#include <cstdint>

namespace quantal {
inline namespace v0 {
namespace arith {

/// Bytes that `count` codes of `bits` bits fill: `ceil(count * bits / 8)`.
[[nodiscard]] QUANTAL_HD constexpr std::size_t packed_size(std::size_t count, int bits) {
    const auto width = static_cast<std::size_t>(bits);
    return count / 8 * width + (count % 8 * width + 7) / 8;
}

/// Writes the low `bits` bits of `code` as code `index` of the stream. The bits must be zero
/// before.
QUANTAL_HD constexpr void pack_code(std::uint8_t* stream, std::size_t index, int bits,
                                    std::int32_t code) {
    const std::size_t first = index * static_cast<std::size_t>(bits);
    const auto shift = static_cast<unsigned>(first % 8);
    const std::uint32_t mask = (1u << bits) - 1u;
    const std::uint32_t word = (static_cast<std::uint32_t>(code) & mask) << shift;
    for (unsigned byte = 0; 8 * byte < shift + static_cast<unsigned>(bits); ++byte) {
        auto& target = stream[first / 8 + byte];
        target = static_cast<std::uint8_t>(target | (word >> (8 * byte)));
    }
}

/// Code `index` of the stream, sign-extended if `is_signed`.
[[nodiscard]] QUANTAL_HD constexpr std::int32_t
unpack_code(const std::uint8_t* stream, std::size_t index, int bits, bool is_signed) {
    const std::size_t first = index * static_cast<std::size_t>(bits);
    const auto shift = static_cast<unsigned>(first % 8);
    std::uint32_t word = 0;
    for (unsigned byte = 0; 8 * byte < shift + static_cast<unsigned>(bits); ++byte)
        word |= static_cast<std::uint32_t>(stream[first / 8 + byte]) << (8 * byte);
    const std::uint32_t value = (word >> shift) & ((1u << bits) - 1u);
    const std::uint32_t sign = is_signed ? 1u << (bits - 1) : 0u;
    return static_cast<std::int32_t>(value ^ sign) - static_cast<std::int32_t>(sign);
}

} // namespace arith
} // namespace v0
} // namespace quantal

#endif
