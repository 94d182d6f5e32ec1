// SPDX-License-Identifier: Apache-2.0
/// Weights packed for a matrix product, and what may be packed.
#ifndef QUANTAL_CUDA_PACKED_ROWS_HPP
#define QUANTAL_CUDA_PACKED_ROWS_HPP

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace quantal {
inline namespace v0 {
namespace cuda {

/// Rows of `depth` int8 weights of `8 / packed` bits as rows of packed ones, which are whole 32
/// bytes: weight i of `32 * packed` is in bits `8 / packed * (i / 32)` and on of byte `i % 32`, and
/// beyond a row's end are zeros.
[[nodiscard]] inline std::vector<std::uint8_t> pack_rows(std::span<const std::uint8_t> weights,
                                                         std::size_t depth, int packed) {
    const std::size_t each = 32 * static_cast<std::size_t>(packed);
    const std::size_t pitch = (depth + each - 1) / each * 32;
    const std::size_t bits = 8 / static_cast<std::size_t>(packed);
    std::vector<std::uint8_t> result(weights.size() / depth * pitch);
    for (std::size_t i = 0; i < weights.size(); ++i) {
        const std::size_t row = i / depth, k = i % depth;
        const auto code = static_cast<std::uint8_t>(weights[i] & ((1u << bits) - 1));
        std::uint8_t& to = result[row * pitch + k / each * 32 + k % 32];
        to = static_cast<std::uint8_t>(to | code << (bits * (k % each / 32)));
    }
    return result;
}

} // namespace cuda
} // namespace v0
} // namespace quantal

#endif
