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
/// one of `stages` buffers at a time. Weights are packed, `packed` of them where x has one byte.
struct product_tile {
    int m, n, k, warps_m, warps_n, stages, packed = 1;

    friend constexpr bool operator==(const product_tile&, const product_tile&) = default;
    [[nodiscard]] QUANTAL_HD constexpr int threads() const { return warps_m * warps_n * warp_size; }
    /// Rows and columns of one warp.
    [[nodiscard]] QUANTAL_HD constexpr int warp_rows() const { return m / warps_m; }
    [[nodiscard]] QUANTAL_HD constexpr int warp_columns() const { return n / warps_n; }
    /// Bytes of a row of weights in a buffer.
    [[nodiscard]] QUANTAL_HD constexpr int k_w() const { return k / packed; }
    /// Whether a warp's part is whole products of 16 x 8 x 32 bytes of weights, two of them side by
    /// side, and every thread makes as many copies.
    [[nodiscard]] QUANTAL_HD constexpr bool is_possible() const;
};

/// Rows of `bytes` bytes (32, 64 or 128) in shared memory, which the threads of a block fill chunk
/// by chunk.
struct shared_rows {
    int count, bytes, threads;

    [[nodiscard]] QUANTAL_HD constexpr int chunks() const { return bytes / chunk_bytes; }
    /// Copies of a thread.
    [[nodiscard]] QUANTAL_HD constexpr int copies() const { return count * chunks() / threads; }
    /// Rows from one copy of a thread to its next, of the same chunk.
    [[nodiscard]] QUANTAL_HD constexpr int copy_rows() const { return threads / chunks(); }
    /// Where chunk `chunk` of row `row` lies, in bytes. Eight rows of one chunk, which
    /// `load_matrices` reads at a time, lie in eight different places of the 128 bytes that the
    /// banks serve at once. Eight rows on, the same chunk lies 8 * bytes on.
    [[nodiscard]] QUANTAL_HD constexpr int place(int row, int chunk) const {
        const int rows_of_line = 8 / chunks();
        return row * bytes + (chunk ^ (row / rows_of_line % chunks())) * chunk_bytes;
    }
    [[nodiscard]] QUANTAL_HD constexpr bool is_possible() const {
        return (bytes == 32 || bytes == 64 || bytes == 128) && count * chunks() % threads == 0 &&
               copy_rows() % 8 == 0;
    }
};

[[nodiscard]] QUANTAL_HD constexpr shared_rows rows_of_x(const product_tile& t) {
    return {t.m, t.k, t.threads()};
}
[[nodiscard]] QUANTAL_HD constexpr shared_rows rows_of_w(const product_tile& t) {
    return {t.n, t.k_w(), t.threads()};
}

QUANTAL_HD constexpr bool product_tile::is_possible() const {
    return m % (16 * warps_m) == 0 && n % (16 * warps_n) == 0 && stages >= 2 &&
           rows_of_x(*this).is_possible() && rows_of_w(*this).is_possible();
}

/// The tiles of one kind of product, all of them possible.
struct product_tiles {
    product_tile large;  ///< as few bytes for a product as 48 KiB of shared memory grant
    product_tile narrow; ///< the same parts of warps for layers of up to 64 channels: four warps
    product_tile small;  ///< for layers of few pixels or channels: more blocks
};

/// Whether a tile gives each multiprocessor of a device a block, and more than half of its columns
/// are there.
[[nodiscard]] constexpr bool fills(const product_tile& t, int rows, int columns,
                                   int multiprocessors) {
    return 2 * columns > t.n && blocks_of(rows, t.m) * blocks_of(columns, t.n) >= multiprocessors;
}
/// The first tile that fills the device, from the one with the fewest bytes for a product on; the
/// small one if none does.
[[nodiscard]] constexpr product_tile tile_for(const product_tiles& tiles, int rows, int columns,
                                              int multiprocessors) {
    for (const product_tile& t : {tiles.large, tiles.narrow})
        if (fills(t, rows, columns, multiprocessors)) return t;
    return tiles.small;
}
/// `f.template operator()<T>()` of the tile that `tile_for` gave.
template <product_tiles Tiles, class F>
void with_tile(const product_tile& tile, const F& f) {
    if (tile == Tiles.large)
        f.template operator()<Tiles.large>();
    else if (tile == Tiles.narrow)
        f.template operator()<Tiles.narrow>();
    else
        f.template operator()<Tiles.small>();
}

} // namespace cuda
} // namespace v0
} // namespace quantal

#endif
