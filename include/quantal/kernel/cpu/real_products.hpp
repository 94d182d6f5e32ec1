// SPDX-License-Identifier: Apache-2.0
/// Products of float32 matrices on the kernels of the CPU.
#ifndef QUANTAL_KERNEL_CPU_REAL_PRODUCTS_HPP
#define QUANTAL_KERNEL_CPU_REAL_PRODUCTS_HPP

#include <quantal/kernel/cpu/dispatch.hpp>
#include <quantal/kernel/cpu/real_conv.hpp>
#include <quantal/runtime/thread_pool.hpp>

namespace quantal {
inline namespace v0 {
namespace cpu {

/// `y[i][j] = sum over k of a[i][k] * b[j][k]`, with `b` packed once: a convolution of one pixel.
/// Sums have one order, whatever the number of threads.
class real_products {
public:
    /// `b` is [columns, depth].
    real_products(std::span<const float> b, std::size_t columns,
                  const kernel_set& kernels = default_kernels())
        : columns_(columns), depth_(b.size() / columns),
          layer_({{.out_channels = static_cast<std::int64_t>(columns)},
                  static_cast<std::int64_t>(depth_),
                  1},
                 b, {}, {}, kernels.arrays) {}

    /// `a` is [rows, depth]; returns [rows, columns].
    [[nodiscard]] std::vector<float> operator()(std::span<const float> a,
                                                parallel_ref parallel) const {
        const std::size_t rows = a.size() / depth_;
        std::vector<float> y(rows * columns_);
        const std::size_t bytes = whole_lines(layer_.workspace_bytes());
        aligned_vector<std::byte> workspaces(bytes * parallel.workers());
        const auto batch = static_cast<std::int64_t>(rows);
        auto task = [&](std::size_t i, std::size_t worker) {
            layer_.run_task(i, batch, a.data(), y.data(), workspaces.data() + worker * bytes);
        };
        parallel.run(layer_.task_count(batch), task);
        return y;
    }

private:
    std::size_t columns_, depth_;
    real_conv layer_;
};

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
