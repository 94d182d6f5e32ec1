// SPDX-License-Identifier: Apache-2.0
/// Fake quantizers of training, forward and backward in one pass each, on all cores. Results do not
/// depend on the number of threads: sums are made block by block and added in the blocks' order.
#ifndef QUANTAL_TRAIN_FAKE_QUANTIZE_HPP
#define QUANTAL_TRAIN_FAKE_QUANTIZE_HPP

#include <quantal/kernel/cpu/fake_quantize_gradient.hpp>
#include <quantal/runtime/thread_pool.hpp>
#include <quantal/tensor/qparams.hpp>

#include <span>

namespace quantal {
inline namespace v0 {
namespace train {

using cpu::gradient_sums;

/// Elements of one task.
inline constexpr std::size_t block_size = std::size_t{1} << 14;

/// Calls `f(row, first, count, block)` on several threads for the blocks of an array of `rows`
/// rows: `count` elements from `first` on, all of one row. Blocks are numbered in order.
template <class F>
void for_each_block(std::size_t size, std::size_t rows, parallel_ref parallel, F&& f) {
    const std::size_t row_size = size / rows;
    const std::size_t blocks = (row_size + block_size - 1) / block_size; // of a row
    auto task = [&](std::size_t block, std::size_t) {
        const std::size_t row = block / blocks, begin = block % blocks * block_size;
        f(row, row * row_size + begin, std::min(block_size, row_size - begin), block);
    };
    parallel.run(rows * blocks, task);
}

/// The sums of all blocks of each row of an array, `of(row, first, count)` those of one block.
template <class Sums, class F>
[[nodiscard]] std::vector<Sums> sum_rows(std::size_t size, std::size_t rows, parallel_ref parallel,
                                         F&& of) {
    const std::size_t blocks = (size / rows + block_size - 1) / block_size;
    std::vector<Sums> parts(rows * blocks), sums(rows);
    for_each_block(size, rows, parallel,
                   [&](std::size_t row, std::size_t first, std::size_t count, std::size_t block) {
                       parts[block] = of(row, first, count);
                   });
    for (std::size_t block = 0; block < parts.size(); ++block)
        sums[block / blocks] += parts[block];
    return sums;
}

/// `y = dequantize(quantize(x))` (docs/arithmetic.md, 3) for an array of as many rows of one length
/// as `p` has scales; x may be y.
inline void fake_quantize(std::span<const float> x, const qparams& p, std::span<float> y,
                          parallel_ref parallel) {
    for_each_block(x.size(), p.scales.size(), parallel,
                   [&](std::size_t row, std::size_t first, std::size_t count, std::size_t) {
                       const cpu::byte_codes to{p.zero_point(row), p.spec.qmin(), p.spec.qmax()};
                       cpu::fake_quantize<cpu::best_arch>(x.data() + first, count, p.scale(row), to,
                                                          y.data() + first);
                   });
}

/// The gradient of `fake_quantize`: `gx` is `gy` where x lies strictly between the ends of the
/// codes and 0 elsewhere; the sums are those of each row.
[[nodiscard]] inline std::vector<gradient_sums>
fake_quantize_gradient(std::span<const float> x, std::span<const float> gy, const qparams& p,
                       std::span<float> gx, parallel_ref parallel) {
    return sum_rows<gradient_sums>(
        x.size(), p.scales.size(), parallel,
        [&](std::size_t row, std::size_t first, std::size_t count) {
            const cpu::byte_codes to{p.zero_point(row), p.spec.qmin(), p.spec.qmax()};
            return cpu::fake_quantize_gradient<cpu::best_arch>(
                x.data() + first, gy.data() + first, count, p.scale(row), to, gx.data() + first);
        });
}

} // namespace train
} // namespace v0
} // namespace quantal

#endif
