// SPDX-License-Identifier: Apache-2.0
/// How the sums of a block leave the registers of a matrix product.
#ifndef QUANTAL_CUDA_PRODUCT_OUTPUT_HPP
#define QUANTAL_CUDA_PRODUCT_OUTPUT_HPP

#include <quantal/kernel/cuda/finish.hpp>
#include <quantal/kernel/cuda/tile.hpp>

#include <type_traits>

namespace quantal {
inline namespace v0 {
namespace cuda {

/// Where the part of a warp, and of a lane in it, lies in a block.
template <product_tile T>
struct warp_part {
    static constexpr int row_tiles = T.warp_rows() / 16, column_tiles = T.warp_columns() / 8;

    [[nodiscard]] static QUANTAL_DEVICE int lane() { return thread_index() % warp_size; }
    [[nodiscard]] static QUANTAL_DEVICE int first_row() {
        return thread_index() / warp_size / T.warps_n * T.warp_rows();
    }
    [[nodiscard]] static QUANTAL_DEVICE int first_column() {
        return thread_index() / warp_size % T.warps_n * T.warp_columns();
    }
    /// Of the pairs of neighbours that `mma` leaves a lane, two for each 16 rows and one for each 8
    /// columns.
    [[nodiscard]] static QUANTAL_DEVICE int row(int i) { return first_row() + lane() / 4 + 8 * i; }
    [[nodiscard]] static QUANTAL_DEVICE int column(int j) {
        return first_column() + 2 * (lane() % 4) + 8 * j;
    }
};

template <product_tile T, class Sum>
struct sums_of_warp {
    using part = warp_part<T>;
    pack<Sum, 4> of[part::row_tiles][part::column_tiles];

    [[nodiscard]] QUANTAL_DEVICE Sum at(int i, int j, int right) const {
        return of[i / 2][j][i % 2 * 2 + right];
    }
};

/// The end of a product for one thread: what its columns share is loaded once. Elements of one or
/// two bytes meet in shared memory and leave as chunks: a lane has two neighbours of each row only.
template <product_tile T, class Operands, class Finish>
class product_output {
    using sum = typename Operands::sum;
    using part = warp_part<T>;
    using element = typename decltype(Finish::to)::element;
    static constexpr int per_chunk = chunk_bytes / static_cast<int>(sizeof(element));

public:
    static constexpr bool is_staged = sizeof(element) <= 2;
    /// A chunk more than a row has puts the pairs of eight rows into different banks.
    struct staged {
        alignas(chunk_bytes) element y[T.m][T.n + per_chunk];
    };

    /// For `count` columns that begin with `start`.
    QUANTAL_DEVICE product_output(const Finish& finish, const sum* start, int count)
        : finish_(finish), count_(count) {
        QUANTAL_UNROLL
        for (int j = 0; j < 2 * part::column_tiles; ++j) {
            const int column = block_index().y * T.n + part::column(j / 2) + j % 2;
            begin_[j] = load(start + (column < count ? column : 0));
            of_[j] = finish.of(column < count ? column : 0);
        }
    }

    /// Stores the elements of `rows` rows one by one.
    QUANTAL_DEVICE void put(const sums_of_warp<T, sum>& sums, int rows) const {
        QUANTAL_UNROLL
        for (int i = 0; i < 2 * part::row_tiles; ++i) {
            const int row = block_index().x * T.m + part::row(i);
            if (row >= rows) continue;
            QUANTAL_UNROLL
            for (int j = 0; j < 2 * part::column_tiles; ++j) {
                const int column = block_index().y * T.n + part::column(j / 2) + j % 2;
                if (column < count_)
                    finish_.to.put(row, column, value(sums.at(i, j / 2, j % 2), j));
            }
        }
    }
    /// The same through shared memory, which no thread reads any more, a chunk at a time: up to the
    /// end of the last one of `count` columns. Rows of the output are whole chunks.
    QUANTAL_DEVICE void put(const sums_of_warp<T, sum>& sums, int rows, staged& s) const {
        QUANTAL_UNROLL
        for (int i = 0; i < 2 * part::row_tiles; ++i) {
            QUANTAL_UNROLL
            for (int j = 0; j < part::column_tiles; ++j)
                store_pack(&s.y[part::row(i)][part::column(j)],
                           pack<element, 2>{{value(sums.at(i, j, 0), 2 * j),
                                             value(sums.at(i, j, 1), 2 * j + 1)}});
        }
        sync_threads();
        constexpr int chunks = T.n / per_chunk;
        QUANTAL_UNROLL
        for (int place = thread_index(); place < T.m * chunks; place += T.threads()) {
            const int in_block = place / chunks, from = place % chunks * per_chunk;
            const int row = block_index().x * T.m + in_block;
            const int column = block_index().y * T.n + from;
            if (row < rows && column < count_)
                store_pack(finish_.to.y + row * finish_.to.pitch + column,
                           load_pack<per_chunk>(&s.y[in_block][from]));
        }
    }

private:
    [[nodiscard]] QUANTAL_DEVICE element value(sum s, int j) const {
        if constexpr (std::is_same_v<sum, float>)
            return finish_.value(begin_[j] + s, of_[j]);
        else
            return finish_.value(
                static_cast<std::int32_t>(static_cast<std::uint32_t>(begin_[j]) +
                                          static_cast<std::uint32_t>(s >> Operands::shift)),
                of_[j]);
    }

    const Finish& finish_;
    int count_;
    sum begin_[2 * part::column_tiles];
    decltype(finish_.of(0)) of_[2 * part::column_tiles];
};

} // namespace cuda
} // namespace v0
} // namespace quantal

#endif
