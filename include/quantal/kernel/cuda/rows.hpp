// SPDX-License-Identifier: Apache-2.0
/// What a matrix product reads: rows of bytes.
#ifndef QUANTAL_CUDA_ROWS_HPP
#define QUANTAL_CUDA_ROWS_HPP

#include <quantal/kernel/cuda/thread.hpp>
#include <quantal/kernel/cuda/tile.hpp>

namespace quantal {
inline namespace v0 {
namespace cuda {

/// `count` rows of `depth` bytes, `pitch` bytes apart; data and pitch are multiples of 16 bytes.
/// Beyond them are zeros.
struct matrix_rows {
    const std::uint8_t* data;
    std::int64_t pitch;
    std::int32_t count, depth;

    using place = const std::uint8_t*; ///< null beyond the last row

    [[nodiscard]] QUANTAL_DEVICE place at(int row) const {
        return row < count ? data + row * pitch : nullptr;
    }
    /// Chunk [k, k + 16) of a row to shared memory.
    QUANTAL_DEVICE void fetch(place row, int k, std::uint8_t* to) const {
        const int left = row ? depth - k : 0;
        const int valid = left < 0 ? 0 : left < chunk_bytes ? left : chunk_bytes;
        copy_async(to, valid > 0 ? row + k : data, valid);
    }
};

} // namespace cuda
} // namespace v0
} // namespace quantal

#endif
