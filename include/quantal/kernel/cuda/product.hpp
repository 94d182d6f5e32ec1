// SPDX-License-Identifier: Apache-2.0
/// The matrix product on tensor cores: each row of x by each row of weights.
#ifndef QUANTAL_CUDA_PRODUCT_HPP
#define QUANTAL_CUDA_PRODUCT_HPP

#include <quantal/kernel/cuda/kernel.hpp>
#include <quantal/kernel/cuda/operands.hpp>
#include <quantal/kernel/cuda/product_output.hpp>
#include <quantal/kernel/cuda/rows.hpp>

namespace quantal {
inline namespace v0 {
namespace cuda {

/// Stores `finish.value(start[c] + sum(x[r][k] * w[c][k]), finish.of(c))` for `rows` rows and
/// `w.count` columns. In integers x holds uint8 `code - lowest_code`, w codes of zero point 0,
/// start `bias - zero_point * sum(w)` modulo 2^32, and the caller has proved that every sum,
/// shifted by what the operands say, fits int32. `depth` bytes of x count; w has as many rows'
/// worth of weights, packed by 32 bytes of x, and zeros. Block (i, j) makes tile i of the columns
/// in tile j of the rows.
template <product_tile T, class Operands, class Rows, class Finish>
requires(T.is_possible()) struct product_kernel {
    static constexpr const char* name = "product";
    static constexpr int threads = T.threads();
    using operands = Operands;
    using output = product_output<T, Operands, Finish>;
    struct buffers {
        alignas(chunk_bytes) std::uint8_t x[T.stages][T.m * T.k];
        alignas(chunk_bytes) std::uint8_t w[T.stages][T.n * T.k_w()];
    };
    union shared {
        buffers in;
        std::conditional_t<output::is_staged, typename output::staged, char> out;
    };

    Rows x;
    matrix_rows w;
    std::int32_t depth, rows;
    const typename Operands::sum* start;
    Finish finish;

    /// Blocks of the grid. Rows may be many: they lie along x.
    [[nodiscard]] static constexpr grid_index grid(int rows, int columns) {
        return {blocks_of(rows, T.m), blocks_of(columns, T.n)};
    }

    QUANTAL_DEVICE void operator()() const {
        auto& s = shared_memory<shared>();
        sums_of_warp<T, typename Operands::sum> sums{};
        add_products(s.in, sums);
        const output to(finish, start, w.count);
        if constexpr (output::is_staged) {
            sync_threads();
            to.put(sums, rows, s.out);
        } else {
            to.put(sums, rows);
        }
    }

private:
    using part = warp_part<T>;
    /// Operands a and b of 32 bytes in one buffer.
    static constexpr int k_products = rows_of_w(T).chunks() / 2;

    QUANTAL_DEVICE void add_products(buffers& s,
                                     sums_of_warp<T, typename Operands::sum>& sums) const {
        const int steps = blocks_of(depth, T.k), whole_steps = depth / T.k;
        source from(*this);
        for (int stage = 0; stage < T.stages - 1; ++stage)
            from.fetch(s, stage, stage < steps);
        const lane_places at;
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
    }

    /// What a thread copies of rows: at each step of depth the same chunk of the same rows, to the
    /// same place of a buffer.
    template <shared_rows To, class From>
    struct part_source {
        typename From::template walk<To.copies()> walk;
        int to;

        explicit QUANTAL_DEVICE part_source(const From& rows, int first)
            : walk(rows, first + row(), To.copy_rows(), column() * chunk_bytes),
              to(To.place(row(), column())) {}

        [[nodiscard]] static QUANTAL_DEVICE int row() { return thread_index() / To.chunks(); }
        [[nodiscard]] static QUANTAL_DEVICE int column() { return thread_index() % To.chunks(); }
        [[nodiscard]] QUANTAL_DEVICE std::uint8_t* place(std::uint8_t* buffer, int copy) const {
            const int part = copy * To.copy_rows() * To.bytes;
            return buffer + to + part;
        }
        QUANTAL_DEVICE void copy_whole(std::uint8_t* buffer) {
            QUANTAL_UNROLL
            for (int i = 0; i < To.copies(); ++i)
                walk.copy_whole(i, place(buffer, i));
            walk.go_deeper(To.bytes);
        }
        QUANTAL_DEVICE void copy(std::uint8_t* buffer) {
            for (int i = 0; i < To.copies(); ++i)
                walk.copy(i, place(buffer, i));
            walk.go_deeper(To.bytes);
        }
    };

    struct source {
        part_source<rows_of_x(T), Rows> x;
        part_source<rows_of_w(T), matrix_rows> w;

        explicit QUANTAL_DEVICE source(const product_kernel& p)
            : x(p.x, block_index().x * T.m), w(p.w, block_index().y * T.n) {}

        /// Starts the copies of the next step, all of whose bytes there are, and ends their group.
        QUANTAL_DEVICE void fetch_whole(buffers& s, int stage) {
            x.copy_whole(s.x[stage]);
            w.copy_whole(s.w[stage]);
            commit_copies();
        }
        /// The same for a step that may lack bytes, or that there may not be.
        QUANTAL_DEVICE void fetch(buffers& s, int stage, bool is_there) {
            if (is_there) {
                x.copy(s.x[stage]);
                w.copy(s.w[stage]);
            }
            commit_copies();
        }
    };

    /// What a lane names to `load_matrices` in each buffer: row lane % 8 of matrix lane / 8, for
    /// each 32 bytes of depth. The four matrices are the registers of an operand a, or those of two
    /// operands b.
    struct lane_places {
        int x[k_products * T.packed], w[k_products];

        QUANTAL_DEVICE lane_places() {
            const int lane = part::lane();
            const int row = part::first_row() + lane % 16;
            const int column = part::first_column() + lane % 8 + lane / 16 * 8;
            QUANTAL_UNROLL
            for (int i = 0; i < k_products * T.packed; ++i)
                x[i] = rows_of_x(T).place(row, 2 * i + lane / 16);
            QUANTAL_UNROLL
            for (int i = 0; i < k_products; ++i)
                w[i] = rows_of_w(T).place(column, 2 * i + lane / 8 % 2);
        }
    };

    /// Adds the products of one buffer.
    static QUANTAL_DEVICE void multiply(const buffers& s, int stage, const lane_places& at,
                                        sums_of_warp<T, typename Operands::sum>& sums) {
        QUANTAL_UNROLL
        for (int k = 0; k < k_products; ++k) {
            typename Operands::x_operand x[part::row_tiles];
            QUANTAL_UNROLL
            for (int i = 0; i < part::row_tiles; ++i)
                x[i] = Operands::load(s.x[stage] + 16 * T.k * i, at.x + k * T.packed);
            QUANTAL_UNROLL
            for (int j = 0; j < part::column_tiles; j += 2) {
                const auto w = load_matrices(s.w[stage] + at.w[k] + 8 * T.k_w() * j);
                QUANTAL_UNROLL
                for (int i = 0; i < part::row_tiles; ++i) {
                    Operands::multiply(sums.of[i][j], x[i], {{w[0], w[1]}});
                    Operands::multiply(sums.of[i][j + 1], x[i], {{w[2], w[3]}});
                }
            }
        }
    }
};

} // namespace cuda
} // namespace v0
} // namespace quantal

#endif
