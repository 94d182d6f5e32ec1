// SPDX-License-Identifier: Apache-2.0
/// The kernels on arrays and pixels of one instruction set, as a table.
#ifndef QUANTAL_KERNEL_CPU_ARRAY_KERNELS_HPP
#define QUANTAL_KERNEL_CPU_ARRAY_KERNELS_HPP

#include <quantal/kernel/cpu/elementwise.hpp>
#include <quantal/kernel/cpu/pool.hpp>
#include <quantal/kernel/cpu/real_tile.hpp>

namespace quantal {
inline namespace v0 {
namespace cpu {

/// See elementwise.hpp and pool.hpp for what each does.
struct array_kernels {
    void (*quantize)(const float* x, std::size_t count, float scale, const byte_codes& to,
                     std::uint8_t* q);
    void (*dequantize)(const std::uint8_t* q, std::size_t count, float scale,
                       std::int32_t zero_point, float* x);
    void (*fake_quantize)(const float* x, std::size_t count, float scale, const byte_codes& to,
                          float* y);
    extent (*min_max)(const float* x, std::size_t count);
    void (*add_codes)(const std::uint8_t* a, const std::uint8_t* b, std::size_t count,
                      const residual& r, std::uint8_t* y);
    void (*add_reals)(const float* x, const float* z, std::size_t count, float* y);
    void (*multiply_codes)(const std::uint8_t* a, const std::uint8_t* b, std::size_t count,
                           const code_product& p, std::uint8_t* y);
    void (*multiply_reals)(const float* x, const float* z, std::size_t count, float* y);
    void (*add_scaled)(const std::int32_t* sums, const float* scales, std::ptrdiff_t rows,
                       std::ptrdiff_t width, float* y);
    void (*clamp_codes)(const std::uint8_t* x, std::size_t count, std::uint8_t lo, std::uint8_t hi,
                        std::uint8_t* y);
    void (*clamp_reals)(const float* x, std::size_t count, float lo, float hi, float* y);
    void (*max_pool_codes)(const reference::window& win, std::int64_t channels,
                           const std::uint8_t* x, std::int64_t oy, std::uint8_t* y);
    void (*max_pool_reals)(const reference::window& win, std::int64_t channels, const float* x,
                           std::int64_t oy, float* y);
    void (*average_pool_codes)(const reference::window& win, std::int64_t channels,
                               std::int32_t zero, const float* multipliers, const byte_codes& to,
                               const std::uint8_t* x, std::int64_t oy, std::uint8_t* y);
    void (*average_pool_reals)(const reference::window& win, std::int64_t channels,
                               const float* divisors, const float* x, std::int64_t oy, float* y);
    int real_rows;    ///< of a tile of float32
    int real_columns; ///< of a panel of float32, `real_panel_registers` registers
    void (*multiply_real_panel)(const real_panel_call& call);
    void (*multiply_rounded_panel)(const real_panel_call& call); ///< the bits of docs/arithmetic.md
    void (*real_depthwise)(const real_depthwise_call& call);
};

template <class A>
inline constexpr array_kernels array_kernels_of = {
    .quantize = quantize<A>,
    .dequantize = dequantize<A>,
    .fake_quantize = fake_quantize<A>,
    .min_max = min_max<A>,
    .add_codes = add<A>,
    .add_reals = add<A>,
    .multiply_codes = multiply<A>,
    .multiply_reals = multiply<A>,
    .add_scaled = add_scaled<A>,
    .clamp_codes = clamp<A, std::uint8_t>,
    .clamp_reals = clamp<A, float>,
    .max_pool_codes = max_pool<A, std::uint8_t>,
    .max_pool_reals = max_pool<A, float>,
    .average_pool_codes = average_pool<A>,
    .average_pool_reals = average_pool<A>,
    .real_rows = real_tile_rows<A>,
    .real_columns = real_panel_registers* lane_count<A>,
    .multiply_real_panel = multiply_real_panel<A, products::fused>,
    .multiply_rounded_panel = multiply_real_panel<A, products::rounded>,
    .real_depthwise = real_depthwise<A>,
};

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
