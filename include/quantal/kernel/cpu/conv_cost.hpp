// SPDX-License-Identifier: Apache-2.0
/// What the ways to compute a convolution cost, about, for an image of a batch: in products of
/// int16, two of which are one lane of `widen_madd`.
///
/// The constants are fits to ten 3x3 layers from 224^2 x 64 to 7^2 x 512 at W8A8 and W4A4, AVX2 and
/// AVX-512 on Zen 5, one thread: the ratios of Winograd's forms to the direct one are met within
/// 12 % (root of the mean square). What they choose for these layers is never slower than the
/// direct form, and at most 1.25 times slower than the best. The cost of sums in int16 is that of
/// AVX2 on Zen 3 (it was 0.43): ResNet18 at W4A4, least times, 4x4 in words to 2x2 in bytes: 56^2 x
/// 64 0.84 to 0.89, 28^2 x 128 0.90, 14^2 x 256 1.43, 7^2 x 512 2.
#ifndef QUANTAL_KERNEL_CPU_CONV_COST_HPP
#define QUANTAL_KERNEL_CPU_CONV_COST_HPP

#include <quantal/kernel/cpu/conv_problem.hpp>
#include <quantal/kernel/cpu/tile.hpp>

namespace quantal {
inline namespace v0 {
namespace cpu {

/// Gathering of rows and finishing of sums cost so many products an element.
inline constexpr double gemm_overhead = 1.8;
/// Transforming an element there and back, an element and a position.
inline constexpr double transform_overhead = 9.4;
/// Reading a transformed weight anew for a block of tiles, or making it on the fly.
inline constexpr double weight_overhead = 5.9, fly_overhead = 5.0;
/// Winograd's filtering has to promise this share of the direct cost: it takes more memory.
inline constexpr double worthwhile_share = 0.9;

[[nodiscard]] constexpr double product_cost(form how) {
    return how == form::words ? 1.0 : how == form::bytes ? 0.43 : 0.56;
}

[[nodiscard]] inline double gemm_cost(const conv_shape& s, form how) {
    const double each = product_cost(how);
    const auto depth = static_cast<double>(s.depth());
    const auto out = static_cast<double>(s.op.out_channels);
    return static_cast<double>(s.output_pixels()) *
           (depth * out * each + gemm_overhead * (depth + out));
}

/// `tiles` of `positions` products, `blocks` times all weights.
[[nodiscard]] inline double winograd_cost(const conv_shape& s, form how, std::size_t positions,
                                          std::int64_t tiles, std::int64_t blocks,
                                          bool on_the_fly) {
    const double each = product_cost(how);
    const auto in = static_cast<double>(s.channels);
    const auto out = static_cast<double>(s.op.out_channels);
    const double weight = on_the_fly ? fly_overhead : weight_overhead;
    return static_cast<double>(positions) *
           (static_cast<double>(tiles) * (in * out * each + transform_overhead * (in + out)) +
            static_cast<double>(blocks) * weight * each * in * out);
}

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
