// SPDX-License-Identifier: Apache-2.0
/// One matrix product with its data, and the implementations that compute it.
#ifndef QUANTAL_BENCHMARKS_GEMM_TASK_HPP
#define QUANTAL_BENCHMARKS_GEMM_TASK_HPP

#include "support/products.hpp"

namespace benchmarks {

/// `x * w^T` with x [rows, depth] and w [columns, depth].
struct gemm_task : uniform_operands {
    int rows, columns, depth;

    gemm_task(int rows_, int columns_, int depth_, int u_max_, int w_max_)
        : uniform_operands(static_cast<std::size_t>(rows_) * static_cast<std::size_t>(depth_),
                           static_cast<std::size_t>(columns_) * static_cast<std::size_t>(depth_),
                           depth_, u_max_, w_max_),
          rows(rows_), columns(columns_), depth(depth_) {}
    [[nodiscard]] std::size_t outputs() const {
        return static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns);
    }
    [[nodiscard]] double operations() const { return 2.0 * rows * columns * depth; }
};

implementation quantal_gemm(const gemm_task& task, const std::string& arch, int threads);
implementation onednn_gemm(const gemm_task& task, int threads);
/// Signed activations `u - 128` with zero point -128: the same products.
implementation xnnpack_gemm(const gemm_task& task, int threads);
/// On one thread.
float_implementation quantal_float_gemm(const gemm_task& task, const std::string& arch);
float_implementation openblas_gemm(const gemm_task& task, int threads);

} // namespace benchmarks

#endif
