// SPDX-License-Identifier: Apache-2.0
/// The matrix product in integers on tensor cores: each row of x by each row of weights.
#ifndef QUANTAL_CUDA_PRODUCT_HPP
#define QUANTAL_CUDA_PRODUCT_HPP

#include <quantal/kernel/cuda/finish.hpp>
#include <quantal/kernel/cuda/kernel.hpp>
#include <quantal/kernel/cuda/rows.hpp>

namespace quantal {
inline namespace v0 {
namespace cuda {

/// `finish(r, c, start[c] + sum(x[r][k] * w[c][k]))` for `rows` rows and `w.count` columns. x holds
/// uint8 `code - lowest_code`, w int8 codes of zero point 0, start `bias - zero_point * sum(w)`
/// modulo 2^32. The caller has proved that every sum fits int32. Block (i, j) makes tile i of the
/// columns in tile j of the rows.
template <product_tile T, class Rows, class Finish>
requires(T.is_possible()) struct product_kernel {
    static constexpr const char* name = "product";
    static constexpr int threads = T.threads();
    struct shared {
        alignas(16) std::uint8_t x[T.stages][T.m * T.k];
        alignas(16) std::uint8_t w[T.stages][T.n * T.k];
    };

    Rows x;
    matrix_rows w;
    std::int32_t rows;
    const std::int32_t* start;
    Finish finish;

    /// Blocks of the grid. Rows may be many: they lie along x.
    [[nodiscard]] static constexpr grid_index grid(int rows, int columns) {
        return {blocks_of(rows, T.m), blocks_of(columns, T.n)};
    }

    QUANTAL_DEVICE void operator()() const {
        auto& s = shared_memory<shared>();
        const source from(*this);
        sums_of_warp sums{};
        const int steps = blocks_of(w.depth, T.k);
        for (int step = 0; step < T.stages - 1; ++step)
            from.fetch(*this, s, step, steps);
        for (int step = 0; step < steps; ++step) {
            wait_copies<T.stages - 2>();
            sync_threads();
            from.fetch(*this, s, step + T.stages - 1, steps);
            multiply(s.x[step % T.stages], s.w[step % T.stages], sums);
        }
        put(sums);
    }

private:
    static constexpr int row_tiles = T.warp_rows() / 16;
    static constexpr int column_tiles = T.warp_columns() / 8;

    struct sums_of_warp {
        pack<std::int32_t, 4> of[row_tiles][column_tiles];
    };

    /// The rows that a thread copies, which stay the same at every depth.
    struct source {
        typename Rows::place x[T.copies_x()];
        matrix_rows::place w[T.copies_w()];

        explicit QUANTAL_DEVICE source(const product_kernel& p) {
            for (int i = 0; i < T.copies_x(); ++i)
                x[i] = p.x.at(block_index().x * T.m + chunk_of(i) / T.chunks());
            for (int i = 0; i < T.copies_w(); ++i)
                w[i] = p.w.at(block_index().y * T.n + chunk_of(i) / T.chunks());
        }
        [[nodiscard]] static QUANTAL_DEVICE int chunk_of(int copy) {
            return thread_index() + copy * threads;
        }
        /// Starts the copies of one step of depth, if there is such a step, and ends their group.
        QUANTAL_DEVICE void fetch(const product_kernel& p, shared& s, int step, int steps) const {
            if (step < steps) {
                const int stage = step % T.stages;
                for (int i = 0; i < T.copies_x(); ++i)
                    fetch_chunk(p.x, x[i], chunk_of(i), step, s.x[stage]);
                for (int i = 0; i < T.copies_w(); ++i)
                    fetch_chunk(p.w, w[i], chunk_of(i), step, s.w[stage]);
            }
            commit_copies();
        }
        template <class Of>
        static QUANTAL_DEVICE void fetch_chunk(const Of& of, const typename Of::place& row,
                                               int chunk, int step, std::uint8_t* to) {
            const int column = chunk % T.chunks();
            of.fetch(row, step * T.k + column * chunk_bytes,
                     to + T.place(chunk / T.chunks(), column));
        }
    };

    [[nodiscard]] static QUANTAL_DEVICE int lane() { return thread_index() % warp_size; }
    [[nodiscard]] static QUANTAL_DEVICE int first_row() {
        return thread_index() / warp_size / T.warps_n * T.warp_rows();
    }
    [[nodiscard]] static QUANTAL_DEVICE int first_column() {
        return thread_index() / warp_size % T.warps_n * T.warp_columns();
    }

    /// Adds the products of one buffer. A lane names row lane % 8 of matrix lane / 8; the four
    /// matrices are the registers of an operand a, or those of two operands b.
    static QUANTAL_DEVICE void multiply(const std::uint8_t* x, const std::uint8_t* w,
                                        sums_of_warp& sums) {
        const int row = first_row() + lane() % 16;
        const int column = first_column() + lane() % 8 + lane() / 16 * 8;
        QUANTAL_UNROLL
        for (int chunk = 0; chunk < T.chunks(); chunk += 2) {
            pack<std::uint32_t, 4> a[row_tiles];
            QUANTAL_UNROLL
            for (int i = 0; i < row_tiles; ++i)
                a[i] = load_matrices(x + T.place(row + 16 * i, chunk + lane() / 16));
            QUANTAL_UNROLL
            for (int j = 0; j < column_tiles; j += 2) {
                const auto b = load_matrices(w + T.place(column + 8 * j, chunk + lane() / 8 % 2));
                QUANTAL_UNROLL
                for (int i = 0; i < row_tiles; ++i) {
                    mma(sums.of[i][j], a[i], {{b[0], b[1]}});
                    mma(sums.of[i][j + 1], a[i], {{b[2], b[3]}});
                }
            }
        }
    }

    QUANTAL_DEVICE void put(const sums_of_warp& sums) const {
        const int first_r = block_index().x * T.m + first_row() + lane() / 4;
        const int first_c = block_index().y * T.n + first_column() + 2 * (lane() % 4);
        QUANTAL_UNROLL
        for (int j = 0; j < 2 * column_tiles; ++j) {
            const int column = first_c + j / 2 * 8 + j % 2;
            if (column >= w.count) continue;
            const auto begin = static_cast<std::uint32_t>(load(start + column));
            QUANTAL_UNROLL
            for (int i = 0; i < 2 * row_tiles; ++i) {
                const int row = first_r + 8 * i;
                if (row >= rows) continue;
                const std::int32_t sum = sums.of[i / 2][j / 2][i % 2 * 2 + j % 2];
                finish(row, column,
                       static_cast<std::int32_t>(begin + static_cast<std::uint32_t>(sum)));
            }
        }
    }
};

} // namespace cuda
} // namespace v0
} // namespace quantal

#endif
