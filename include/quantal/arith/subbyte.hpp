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

/// The smallest code that `bits` bits can hold.
[[nodiscard]] QUANTAL_HD constexpr std::int32_t lowest_code(int bits, bool is_signed) {
    return is_signed ? -(1 << (bits - 1)) : 0;
}

/// Packs `count` codes of at most 8 bits into the first bits of `stream`, which must be zero
/// before. They come as bytes `code - lowest_code(bits, is_signed)`.
QUANTAL_HD constexpr void pack_bytes(std::uint8_t* stream, int bits, bool is_signed,
                                     const std::uint8_t* bytes, std::size_t count) {
    const auto lowest = static_cast<std::uint64_t>(lowest_code(bits, is_signed));
    const std::uint64_t mask = (1u << bits) - 1u;
    std::size_t i = 0;
    for (; i + 8 <= count; i += 8) { // eight codes fill `bits` bytes
        std::uint64_t word = 0;
        for (std::size_t k = 0; k < 8; ++k)
            word |= ((bytes[i + k] + lowest) & mask) << (k * static_cast<std::size_t>(bits));
        for (int byte = 0; byte < bits; ++byte)
            *stream++ = static_cast<std::uint8_t>(word >> (8 * byte));
    }
    for (std::size_t k = 0; i + k < count; ++k)
        pack_code(stream, k, bits, bytes[i + k] + lowest_code(bits, is_signed));
}

/// The reverse of `pack_bytes`, from code `first` of the stream on, a multiple of 8.
QUANTAL_HD constexpr void unpack_bytes(const std::uint8_t* stream, std::size_t first, int bits,
                                       bool is_signed, std::uint8_t* bytes, std::size_t count) {
    const auto lowest = static_cast<std::uint64_t>(lowest_code(bits, is_signed));
    const std::uint64_t mask = (1u << bits) - 1u;
    stream += first / 8 * static_cast<std::size_t>(bits);
    std::size_t i = 0;
    for (; i + 8 <= count; i += 8) {
        std::uint64_t word = 0;
        for (int byte = 0; byte < bits; ++byte)
            word |= std::uint64_t{*stream++} << (8 * byte);
        for (std::size_t k = 0; k < 8; ++k)
            bytes[i + k] = static_cast<std::uint8_t>(
                ((word >> (k * static_cast<std::size_t>(bits))) - lowest) & mask);
    }
    for (std::size_t k = 0; i + k < count; ++k)
        bytes[i + k] = static_cast<std::uint8_t>(unpack_code(stream, k, bits, is_signed) -
                                                 lowest_code(bits, is_signed));
}

} // namespace arith
} // namespace v0
} // namespace quantal

#endif
