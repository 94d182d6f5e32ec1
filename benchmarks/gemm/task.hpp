// SPDX-License-Identifier: Apache-2.0
/// One matrix product with its data, and the implementations that compute it.
#ifndef QUANTAL_BENCHMARKS_GEMM_TASK_HPP
#define QUANTAL_BENCHMARKS_GEMM_TASK_HPP

#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <vector>

namespace benchmarks {

/// `y = clamp(rne(x * w^T * 2^-shift), 0, 255)`: bytes of activations in [0, u_max], weights in
/// [-w_max, w_max], both uniform.
struct gemm_task {
    int rows, columns, depth, u_max, w_max, shift = 0;
    std::vector<std::uint8_t> x; ///< [rows, depth]
    std::vector<std::int8_t> w;  ///< [columns, depth]

    gemm_task(int rows_, int columns_, int depth_, int u_max_, int w_max_)
        : rows(rows_), columns(columns_), depth(depth_), u_max(u_max_), w_max(w_max_) {
        std::mt19937 g(1);
        x.resize(static_cast<std::size_t>(rows) * static_cast<std::size_t>(depth));
        for (auto& v : x)
            v = static_cast<std::uint8_t>(std::uniform_int_distribution<>(0, u_max)(g));
        w.resize(static_cast<std::size_t>(columns) * static_cast<std::size_t>(depth));
        for (auto& v : w)
            v = static_cast<std::int8_t>(std::uniform_int_distribution<>(-w_max, w_max)(g));
        // About half of the outputs inside the range.
        for (double deviation = 0.33 * u_max * w_max;
             deviation * deviation * depth > 150.0 * 150.0 * (1 << shift) * (1 << shift);)
            ++shift;
    }
    [[nodiscard]] std::size_t outputs() const {
        return static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns);
    }
    [[nodiscard]] double operations() const { return 2.0 * rows * columns * depth; }
};

/// An implementation bound to a task: runs it, and hands out [rows, columns] codes.
struct gemm_implementation {
    std::string name;
    std::function<void()> run;
    std::function<std::vector<std::uint8_t>()> result;
};

gemm_implementation quantal_gemm(const gemm_task& task, const std::string& arch, int threads);
gemm_implementation onednn_gemm(const gemm_task& task, int threads);
/// Signed activations `u - 128` with zero point -128: the same products.
gemm_implementation xnnpack_gemm(const gemm_task& task, int threads);

} // namespace benchmarks

#endif
