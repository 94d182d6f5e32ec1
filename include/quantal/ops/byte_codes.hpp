// SPDX-License-Identifier: Apache-2.0
/// Packed codes of up to 8 bits to the bytes `q - qmin` that kernels take, and back.
#ifndef QUANTAL_OPS_BYTE_CODES_HPP
#define QUANTAL_OPS_BYTE_CODES_HPP

#include <quantal/tensor/qtensor.hpp>

#include <algorithm>

namespace quantal {
inline namespace v0 {
namespace detail {

/// What turns the bits of a code into the byte `q - qmin`: `(bits ^ flip) - shift`, and back.
struct byte_offset {
    std::uint32_t flip, shift;

    explicit byte_offset(qspec s)
        : flip(s.is_signed() ? 1u << (s.bits - 1) : 0u),
          shift(s.is_signed() ? flip + static_cast<std::uint32_t>(s.qmin()) : 0u) {}
};

/// Eight codes are as many bytes as a code has bits.
inline void unpack_eight(const std::uint8_t* from, std::size_t bytes, int bits,
                         const byte_offset& offset, std::uint8_t (&to)[8]) {
    std::uint64_t word = 0;
    for (std::size_t i = 0; i < bytes; ++i)
        word |= std::uint64_t{from[i]} << (8 * i);
    const std::uint32_t mask = (1u << bits) - 1u;
    for (std::size_t i = 0; i < 8; ++i, word >>= bits)
        to[i] = static_cast<std::uint8_t>(
            ((static_cast<std::uint32_t>(word) & mask) ^ offset.flip) - offset.shift);
}

/// Whether the packed codes are these bytes as they lie.
[[nodiscard]] inline bool are_bytes(qspec s) {
    return s.bits == 8 && !s.is_signed();
}

[[nodiscard]] inline std::vector<std::uint8_t> to_bytes(const any_qtensor& codes) {
    const byte_offset offset(codes.spec());
    const auto bits = static_cast<std::size_t>(codes.spec().bits);
    const std::uint8_t* from = codes.packed().data();
    std::vector<std::uint8_t> bytes(codes.size());
    std::uint8_t eight[8];
    for (std::size_t i = 0; i < bytes.size(); i += 8, from += bits) {
        const std::size_t count = std::min<std::size_t>(8, bytes.size() - i);
        unpack_eight(from, arith::packed_size(count, codes.spec().bits), codes.spec().bits, offset,
                     eight);
        std::copy_n(eight, count, bytes.data() + i);
    }
    return bytes;
}

[[nodiscard]] inline any_qtensor from_bytes(qparams params, const extents& dims,
                                            std::vector<std::uint8_t> bytes) {
    const qspec s = params.spec;
    if (are_bytes(s)) return any_qtensor::from_packed(std::move(params), dims, std::move(bytes));
    const byte_offset offset(s);
    const auto bits = static_cast<std::size_t>(s.bits);
    std::vector<std::uint8_t> packed(arith::packed_size(bytes.size(), s.bits));
    const std::uint64_t mask = (1u << s.bits) - 1u;
    for (std::size_t i = 0; i < bytes.size(); i += 8) {
        std::uint64_t word = 0;
        const std::size_t count = std::min<std::size_t>(8, bytes.size() - i);
        for (std::size_t k = 0; k < count; ++k)
            word |= (((bytes[i + k] + offset.shift) ^ offset.flip) & mask) << (k * bits);
        for (std::size_t k = 0; k < arith::packed_size(count, s.bits); ++k, word >>= 8)
            packed[i / 8 * bits + k] = static_cast<std::uint8_t>(word);
    }
    return any_qtensor::from_packed(std::move(params), dims, std::move(packed));
}

} // namespace detail
} // namespace v0
} // namespace quantal

#endif
