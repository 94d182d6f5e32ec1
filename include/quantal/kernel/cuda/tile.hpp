// SPDX-License-Identifier: Apache-2.0
/// How a matrix product is cut into pieces, and where the pieces lie in shared memory.
#ifndef QUANTAL_CUDA_TILE_HPP
#define QUANTAL_CUDA_TILE_HPP

#include <quantal/kernel/cuda/grid.hpp>

#include <initializer_list>

namespace quantal {
inline namespace v0 {
namespace cuda {

/// Bytes that one copy moves, and that one lane names to `load_matrices`.
inline constexpr int chunk_bytes = 16;

/// A block makes `m` rows of `n` columns by `warps_m * warps_n` warps; `k` bytes of depth are in
/// one of `stages` buffers at a time.
struct product_tile {
    int m, n, k, warps_m, warps_n, stages;

    friend constexpr bool operator==(const product_tile&, const product_tile&) = default;
    [[nodiscard]] QUANTAL_HD constexpr int threads() const { return warps_m * warps_n * warp_size; }
    /// Rows and columns of one warp.
    [[nodiscard]] QUANTAL_HD constexpr int warp_rows() const { return m / warps_m; }
    [[nodiscard]] QUANTAL_HD constexpr int warp_columns() const { return n / warps_n; }
    /// Chunks of a row.
    [[nodiscard]] QUANTAL_HD constexpr int chunks() const { return k / chunk_bytes; }
    /// Copies of a thread for each buffer.
    [[nodiscard]] QUANTAL_HD constexpr int copies_x() const { return m * chunks() / threads(); }
    [[nodiscard]] QUANTAL_HD constexpr int copies_w() const { return n * chunks() / threads(); }
    /// Rows from one copy of a thread to its next, of the same chunk.
    [[nodiscard]] QUANTAL_HD constexpr int copy_rows() const { return threads() / chunks(); }
    /// Where chunk `chunk` of row `row` lies, in bytes. Eight rows of one chunk, which
    /// `load_matrices` reads at a time, lie in eight different places of the 128 bytes that the
    /// banks serve at once. Eight rows on, the same chunk lies 8 * k bytes on.
    [[nodiscard]] QUANTAL_HD constexpr int place(int row, int chunk) const {
        const int rows_of_line = 8 / chunks();
        return row * k + (chunk ^ (row / rows_of_line % chunks())) * chunk_bytes;
    }
    /// Whether a warp's part is whole products of m16n8k32, two of them side by side, and every
    /// thread makes as many copies.
    [[nodiscard]] QUANTAL_HD constexpr bool is_possible() const {
        const bool whole_depth = k == 32 || k == 64 || k == 128;
        const bool whole_warps = m % (16 * warps_m) == 0 && n % (16 * warps_n) == 0;
        const bool whole_copies =
            m * chunks() % threads() == 0 && n * chunks() % threads() == 0 && copy_rows() % 8 == 0;
        return whole_depth && whole_warps && whole_copies && stages >= 2;
    }
};

/// 48 KiB of shared memory, what every architecture grants without asking. A warp's part is 64 x
/// 32: a byte that it reads from shared memory meets 21 others on the average, and 64 registers of
/// sums leave two blocks on a multiprocessor.
inline constexpr product_tile large_tile{128, 128, 64, 2, 4, 3};
/// The same parts of warps for layers of up to 64 channels: four warps, 36 KiB.
inline constexpr product_tile narrow_tile{128, 64, 64, 2, 2, 3};
/// For layers of few pixels or channels: 12 KiB, more blocks.
inline constexpr product_tile small_tile{32, 32, 64, 2, 2, 3};

/// Whether a tile gives each multiprocessor of a device a block, and more than half of its columns
/// are there.
[[nodiscard]] constexpr bool fills(const product_tile& t, int rows, int columns,
                                   int multiprocessors) {
    return 2 * columns > t.n && blocks_of(rows, t.m) * blocks_of(columns, t.n) >= multiprocessors;
}
/// The first tile that fills the device, from the one with the fewest bytes for a product on; the
/// small one if none does.
[[nodiscard]] constexpr product_tile tile_for(int rows, int columns, int multiprocessors) {
    for (const product_tile& t : {large_tile, narrow_tile})
        if (fills(t, rows, columns, multiprocessors)) return t;
    return small_tile;
}
/// `f.template operator()<T>()` of the tile that `tile_for` gave.
template <class F>
void with_tile(const product_tile& tile, const F& f) {
    if (tile == large_tile)
        f.template operator()<large_tile>();
    else if (tile == narrow_tile)
        f.template operator()<narrow_tile>();
    else
        f.template operator()<small_tile>();
}

static_assert(large_tile.is_possible() && narrow_tile.is_possible() && small_tile.is_possible());

} // namespace cuda
} // namespace v0
} // namespace quantal

#endif
