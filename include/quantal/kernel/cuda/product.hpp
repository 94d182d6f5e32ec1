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
        const int steps = blocks_of(w.depth, T.k), whole_steps = w.depth / T.k;
        source from(*this);
        for (int stage = 0; stage < T.stages - 1; ++stage)
            from.fetch(s, stage, stage < steps);
        const lane_places at;
        sums_of_warp sums{};
        int step = 0;
        // While all that is fetched is whole: as many steps as there are buffers at a time, so that
        // addresses in shared memory are constants.
        for (; step + 2 * (T.stages - 1) < whole_steps; step += T.stages) {
            QUANTAL_UNROLL
            for (int stage = 0; stage < T.stages; ++stage) {
                wait_copies<T.stages - 2>();
                sync_threads();
                from.fetch_whole(s, (stage + T.stages - 1) % T.stages);
                multiply(s, stage, at, sums);
            }
        }
        for (int stage = 0; step < steps; ++step) {
            wait_copies<T.stages - 2>();
            sync_threads();
            from.fetch(s, (stage + T.stages - 1) % T.stages, step + T.stages - 1 < steps);
            multiply(s, stage, at, sums);
            stage = (stage + 1) % T.stages;
        }
        put(sums);
    }

private:
    static constexpr int row_tiles = T.warp_rows() / 16;
    static constexpr int column_tiles = T.warp_columns() / 8;

    struct sums_of_warp {
        pack<std::int32_t, 4> of[row_tiles][column_tiles];
    };

    /// What a thread copies: at each step of depth the same chunk of the same rows, to the same
    /// place of a buffer.
    struct source {
        typename Rows::template walk<T.copies_x()> x;
        matrix_rows::walk<T.copies_w()> w;
        int to;

        explicit QUANTAL_DEVICE source(const product_kernel& p)
            : x(p.x, block_index().x * T.m + row(), T.copy_rows(), column() * chunk_bytes),
              w(p.w, block_index().y * T.n + row(), T.copy_rows(), column() * chunk_bytes),
              to(T.place(row(), column())) {}

        [[nodiscard]] static QUANTAL_DEVICE int row() { return thread_index() / T.chunks(); }
        [[nodiscard]] static QUANTAL_DEVICE int column() { return thread_index() % T.chunks(); }

        /// Starts the copies of the next step, all of whose bytes there are, and ends their group.
        QUANTAL_DEVICE void fetch_whole(shared& s, int stage) {
            QUANTAL_UNROLL
            for (int i = 0; i < T.copies_x(); ++i)
                x.copy_whole(i, s.x[stage] + to + i * T.copy_rows() * T.k);
            QUANTAL_UNROLL
            for (int i = 0; i < T.copies_w(); ++i)
                w.copy_whole(i, s.w[stage] + to + i * T.copy_rows() * T.k);
            commit_copies();
            x.go_deeper(T.k);
            w.go_deeper(T.k);
        }
        /// The same for a step that may lack bytes, or that there may not be.
        QUANTAL_DEVICE void fetch(shared& s, int stage, bool is_there) {
            if (is_there) {
                for (int i = 0; i < T.copies_x(); ++i)
                    x.copy(i, s.x[stage] + to + i * T.copy_rows() * T.k);
                for (int i = 0; i < T.copies_w(); ++i)
                    w.copy(i, s.w[stage] + to + i * T.copy_rows() * T.k);
                x.go_deeper(T.k);
                w.go_deeper(T.k);
            }
            commit_copies();
        }
    };

    [[nodiscard]] static QUANTAL_DEVICE int lane() { return thread_index() % warp_size; }
    [[nodiscard]] static QUANTAL_DEVICE int first_row() {
        return thread_index() / warp_size / T.warps_n * T.warp_rows();
    }
    [[nodiscard]] static QUANTAL_DEVICE int first_column() {
        return thread_index() / warp_size % T.warps_n * T.warp_columns();
    }

    /// What a lane names to `load_matrices` in each buffer: row lane % 8 of matrix lane / 8, for
    /// each 32 bytes of depth. The four matrices are the registers of an operand a, or those of two
    /// operands b.
    struct lane_places {
        int x[T.chunks() / 2], w[T.chunks() / 2];

        QUANTAL_DEVICE lane_places() {
            const int row = first_row() + lane() % 16;
            const int column = first_column() + lane() % 8 + lane() / 16 * 8;
            QUANTAL_UNROLL
            for (int i = 0; i < T.chunks() / 2; ++i) {
                x[i] = T.place(row, 2 * i + lane() / 16);
                w[i] = T.place(column, 2 * i + lane() / 8 % 2);
            }
        }
    };

    /// Adds the products of one buffer.
    static QUANTAL_DEVICE void multiply(const shared& s, int stage, const lane_places& at,
                                        sums_of_warp& sums) {
        QUANTAL_UNROLL
        for (int k = 0; k < T.chunks() / 2; ++k) {
            pack<std::uint32_t, 4> a[row_tiles];
            QUANTAL_UNROLL
            for (int i = 0; i < row_tiles; ++i)
                a[i] = load_matrices(s.x[stage] + at.x[k] + 16 * T.k * i);
            QUANTAL_UNROLL
            for (int j = 0; j < column_tiles; j += 2) {
                const auto b = load_matrices(s.w[stage] + at.w[k] + 8 * T.k * j);
                QUANTAL_UNROLL
                for (int i = 0; i < row_tiles; ++i) {
                    mma(sums.of[i][j], a[i], {{b[0], b[1]}});
                    mma(sums.of[i][j + 1], a[i], {{b[2], b[3]}});
                }
            }
        }
    }

    /// What the sums of one column share is loaded once.
    QUANTAL_DEVICE void put(const sums_of_warp& sums) const {
        constexpr int columns = 2 * column_tiles;
        const int first_r = block_index().x * T.m + first_row() + lane() / 4;
        const int first_c = block_index().y * T.n + first_column() + 2 * (lane() % 4);
        const auto column_of = [first_c](int j) { return first_c + j / 2 * 8 + j % 2; };
        std::uint32_t begin[columns];
        decltype(finish.of(0)) of[columns];
        QUANTAL_UNROLL
        for (int j = 0; j < columns; ++j) {
            const int column = column_of(j) < w.count ? column_of(j) : 0;
            begin[j] = static_cast<std::uint32_t>(load(start + column));
            of[j] = finish.of(column);
        }
        QUANTAL_UNROLL
        for (int i = 0; i < 2 * row_tiles; ++i) {
            const int row = first_r + 8 * i;
            if (row >= rows) continue;
            QUANTAL_UNROLL
            for (int j = 0; j < columns; ++j) {
                if (column_of(j) >= w.count) continue;
                const std::int32_t sum = sums.of[i / 2][j / 2][i % 2 * 2 + j % 2];
                finish(row, column_of(j),
                       static_cast<std::int32_t>(begin[j] + static_cast<std::uint32_t>(sum)),
                       of[j]);
            }
        }
    }
};

} // namespace cuda
} // namespace v0
} // namespace quantal

#endif
