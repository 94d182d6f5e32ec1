// SPDX-License-Identifier: Apache-2.0
/// The gradient of a fake quantizer (LSQ and its kin), without atomics: sums are added in the order
/// of the CPU, so that they have its bits.
#ifndef QUANTAL_CUDA_FAKE_QUANTIZE_GRADIENT_HPP
#define QUANTAL_CUDA_FAKE_QUANTIZE_GRADIENT_HPP

#include <quantal/arith/affine.hpp>
#include <quantal/kernel/cuda/kernel.hpp>
#include <quantal/kernel/cuda/thread.hpp>

namespace quantal {
inline namespace v0 {
namespace cuda {

/// As `cpu::gradient_sums`: of `g * (r - t)` inside, of `g * r` outside, of `g` outside.
struct gradient_sums {
    double rounding, steps, clipped;
};

/// `gx = g` strictly between the ends of the codes and 0 elsewhere; `parts[b]` are the sums of
/// block b of a row, `block_size` elements or what is left of the row. Half a warp makes a block:
/// element i belongs to lane i % 16, whose float32 sums are added in the order of the lanes, in
/// double.
struct fake_quantize_gradient_kernel {
    static constexpr const char* name = "fake_quantize_gradient";
    static constexpr int threads = 128, lanes = 16;
    using shared = no_shared_memory;

    const float* x;
    const float* g;
    float* gx;
    const float* scales; ///< one a row
    const std::int32_t* zero_points;
    std::int64_t row_size, block_size, blocks; ///< blocks of all rows
    std::int32_t lo, hi;
    gradient_sums* parts;

    QUANTAL_DEVICE void operator()() const {
        const std::int64_t of_row = (row_size + block_size - 1) / block_size;
        const std::int64_t block =
            (std::int64_t{threads} * block_index().x + thread_index()) / lanes;
        lane_sums sums{};
        if (block < blocks) {
            const std::int64_t row = block / of_row, begin = block % of_row * block_size;
            const std::int64_t left = row_size - begin,
                               count = left < block_size ? left : block_size;
            sums = of_lane(row, row * row_size + begin, count);
        }
        const gradient_sums all{of_block(sums.rounding), of_block(sums.steps),
                                of_block(sums.clipped)};
        if (block < blocks && thread_index() % lanes == 0) store(parts + block, all);
    }

private:
    struct lane_sums {
        float rounding, steps, clipped;
    };

    [[nodiscard]] QUANTAL_DEVICE lane_sums of_lane(std::int64_t row, std::int64_t first,
                                                   std::int64_t count) const {
        const float scale = load(scales + row);
        const std::int32_t zero = load(zero_points + row);
        lane_sums sums{};
        for (std::int64_t i = first + thread_index() % lanes; i < first + count; i += lanes) {
            const float t = load(x + i) / scale, gradient = load(g + i);
            const auto r = static_cast<float>(
                arith::round_half_even(arith::steps(load(x + i), scale, zero, lo, hi)));
            const bool inside =
                t > static_cast<float>(lo - zero) && t < static_cast<float>(hi - zero);
            store(gx + i, inside ? gradient : 0.0f);
            sums.rounding += arith::product(gradient, inside ? r - t : 0.0f);
            sums.steps += arith::product(gradient, inside ? 0.0f : r);
            sums.clipped += inside ? 0.0f : gradient;
        }
        return sums;
    }
    /// In lane 0.
    [[nodiscard]] static QUANTAL_DEVICE double of_block(float sum) {
        double all = 0.0;
        for (int lane = 0; lane < lanes; ++lane)
            all += double{shuffle_down(sum, lane)};
        return all;
    }
};

} // namespace cuda
} // namespace v0
} // namespace quantal

#endif
