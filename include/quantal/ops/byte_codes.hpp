// SPDX-License-Identifier: Apache-2.0
/// Packed codes of up to 8 bits to the bytes `q - qmin` that kernels take, and back.
#ifndef QUANTAL_OPS_BYTE_CODES_HPP
#define QUANTAL_OPS_BYTE_CODES_HPP

#include <quantal/tensor/qtensor.hpp>

namespace quantal {
inline namespace v0 {
namespace detail {

/// Whether the packed codes are these bytes as they lie.
[[nodiscard]] inline bool are_bytes(qspec s) {
    return s.bits == 8 && !s.is_signed();
}

/// `qmin` over the lowest code of the width: 1 where the range is narrow.
[[nodiscard]] inline int narrowed_by(qspec s) {
    return s.qmin() - arith::lowest_code(s.bits, s.is_signed());
}

[[nodiscard]] inline std::vector<std::uint8_t> to_bytes(const any_qtensor& codes) {
    const int narrowed = narrowed_by(codes.spec());
    std::vector<std::uint8_t> bytes(codes.size());
    codes.for_each_block([&](std::size_t first, const std::uint8_t* block, std::size_t count) {
        for (std::size_t i = 0; i < count; ++i)
            bytes[first + i] = static_cast<std::uint8_t>(block[i] - narrowed);
    });
    return bytes;
}

[[nodiscard]] inline any_qtensor from_bytes(qparams params, const extents& dims,
                                            std::vector<std::uint8_t> bytes) {
    const qspec s = params.spec;
    if (are_bytes(s)) return any_qtensor::from_packed(std::move(params), dims, std::move(bytes));
    for (std::uint8_t& byte : bytes)
        byte = static_cast<std::uint8_t>(byte + narrowed_by(s));
    return any_qtensor::from_bytes(std::move(params), dims, bytes);
}

} // namespace detail
} // namespace v0
} // namespace quantal

#endif
