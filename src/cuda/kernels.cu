// SPDX-License-Identifier: Apache-2.0
/// Every kernel, for nvcc.
#include <quantal/kernel/cuda/codes.hpp>
#include <quantal/kernel/cuda/device/run.hpp>
#include <quantal/kernel/cuda/fake_quantize_gradient.hpp>
#include <quantal/kernel/cuda/image_rows.hpp>
#include <quantal/kernel/cuda/min_max.hpp>
#include <quantal/kernel/cuda/moves.hpp>
#include <quantal/kernel/cuda/product.hpp>
#include <quantal/kernel/cuda/windows.hpp>

namespace quantal {
inline namespace v0 {
namespace cuda {

template __global__ void run(const __grid_constant__ quantize_kernel<std::uint8_t>);
template __global__ void run(const __grid_constant__ quantize_kernel<std::uint16_t>);
template __global__ void run(const __grid_constant__ dequantize_kernel<std::uint8_t>);
template __global__ void run(const __grid_constant__ dequantize_kernel<std::uint16_t>);
template __global__ void run(const __grid_constant__ fake_quantize_kernel);
template __global__ void run(const __grid_constant__ fake_quantize_gradient_kernel);
template __global__ void run(const __grid_constant__ requantize_kernel<std::uint8_t>);
template __global__ void run(const __grid_constant__ requantize_kernel<std::uint16_t>);
template __global__ void run(const __grid_constant__ min_max_kernel<float>);
template __global__ void run(const __grid_constant__ min_max_kernel<extent>);
template __global__ void
run(const __grid_constant__ product_kernel<large_tile, matrix_rows, codes_out>);
template __global__ void
run(const __grid_constant__ product_kernel<small_tile, matrix_rows, codes_out>);
template __global__ void
run(const __grid_constant__ product_kernel<large_tile, image_rows, codes_out>);
template __global__ void
run(const __grid_constant__ product_kernel<small_tile, image_rows, codes_out>);
template __global__ void
run(const __grid_constant__ product_kernel<large_tile, image_rows, reals_out>);
template __global__ void
run(const __grid_constant__ product_kernel<small_tile, image_rows, reals_out>);
template __global__ void run(const __grid_constant__ window_kernel<grouped_sum, codes_out>);
template __global__ void run(const __grid_constant__ window_kernel<grouped_sum, reals_out>);
template __global__ void run(const __grid_constant__ window_kernel<window_sum, means_out>);
template __global__ void run(const __grid_constant__ window_kernel<window_max, bytes_out>);
template __global__ void run(const __grid_constant__ code_kernel<add_codes>);
template __global__ void run(const __grid_constant__ code_kernel<multiply_codes>);
template __global__ void run(const __grid_constant__ code_kernel<look_up>);
template __global__ void run(const __grid_constant__ each_kernel<read_images>);
template __global__ void run(const __grid_constant__ each_kernel<join_channels>);
template __global__ void run(const __grid_constant__ each_kernel<short_cut>);
template __global__ void run(const __grid_constant__ each_kernel<flatten>);

} // namespace cuda
} // namespace v0
} // namespace quantal
