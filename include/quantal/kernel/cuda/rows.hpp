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
/// Beyond a row's end are zeros; beyond the last row is that row again, for sums that nobody needs.
struct matrix_rows {
    const std::uint8_t* data;
    std::int64_t pitch;
    std::int32_t count, depth;

    /// One chunk of each of `Copies` rows, which a thread copies again and again, deeper each time.
    template <int Copies>
    class walk {
    public:
        /// Rows `row`, `row + step` and so on, from byte k on.
        QUANTAL_DEVICE walk(const matrix_rows& rows, int row, int step, int k)
            : left_(rows.depth - k) {
            QUANTAL_UNROLL
            for (int i = 0; i < Copies; ++i) {
                const int r = row + i * step;
                from_[i] = rows.data + (r < rows.count ? r : rows.count - 1) * rows.pitch + k;
            }
        }
        /// The chunk of copy `i`, all of whose bytes there are.
        QUANTAL_DEVICE void copy_whole(int i, std::uint8_t* to) const {
            copy_async(to, from_[i], chunk_bytes);
        }
        /// The chunk of copy `i`, with zeros for what the row has not.
        QUANTAL_DEVICE void copy(int i, std::uint8_t* to) const {
            const int valid = left_ < 0 ? 0 : left_ < chunk_bytes ? left_ : chunk_bytes;
            copy_async(to, from_[i], valid);
        }
        QUANTAL_DEVICE void go_deeper(int bytes) {
            left_ -= bytes;
            QUANTAL_UNROLL
            for (int i = 0; i < Copies; ++i)
                from_[i] += bytes;
        }

    private:
        const std::uint8_t* from_[Copies];
        std::int32_t left_; ///< bytes of the rows from here on
    };
};

} // namespace cuda
} // namespace v0
} // namespace quantal

#endif
