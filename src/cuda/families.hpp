// SPDX-License-Identifier: Apache-2.0
/// Every kernel that quantal launches, by families.
#ifndef QUANTAL_SRC_CUDA_FAMILIES_HPP
#define QUANTAL_SRC_CUDA_FAMILIES_HPP

#include <quantal/kernel/cuda/codes.hpp>
#include <quantal/kernel/cuda/depthwise.hpp>
#include <quantal/kernel/cuda/fake_quantize_gradient.hpp>
#include <quantal/kernel/cuda/histogram.hpp>
#include <quantal/kernel/cuda/image_rows.hpp>
#include <quantal/kernel/cuda/moves.hpp>
#include <quantal/kernel/cuda/moving_average.hpp>
#include <quantal/kernel/cuda/product.hpp>
#include <quantal/kernel/cuda/windows.hpp>

namespace quantal {
inline namespace v0 {
namespace cuda {

template <kernel... Kernels>
struct kernels {};

template <kernel... A, kernel... B, kernel... C>
kernels<A..., B..., C...> joined(kernels<A...>, kernels<B...>, kernels<C...>);

/// Matrix products of one kind, on tensor cores.
template <class Operands, class Rows, class Finish>
using products = kernels<product_kernel<Operands::tiles.large, Operands, Rows, Finish>,
                         product_kernel<Operands::tiles.narrow, Operands, Rows, Finish>,
                         product_kernel<Operands::tiles.small, Operands, Rows, Finish>>;
template <class Operands, class Rows>
using layers = decltype(joined(products<Operands, Rows, codes_out>{},
                               products<Operands, Rows, reals_out>{}, kernels<>{}));
/// Of matrices, and whole convolutions.
using product_family = decltype(joined(layers<bytes_by_bytes, matrix_rows>{},
                                       layers<bytes_by_bytes, image_rows>{}, kernels<>{}));
/// The same of codes and weights of up to 4 bits.
using nibbles_family = decltype(joined(layers<nibbles_by_nibbles, matrix_rows>{},
                                       layers<nibbles_by_nibbles, image_rows>{}, kernels<>{}));
/// Of bytes by packed weights.
using packed_family = decltype(joined(layers<bytes_by_packed<4>, matrix_rows>{},
                                      layers<bytes_by_packed<2>, matrix_rows>{}, kernels<>{}));
/// Of float16, to compare with.
using halves_family =
    decltype(joined(products<halves_by_halves, matrix_rows, halves_out>{},
                    products<halves_by_halves, image_rows, halves_out>{}, kernels<>{}));
/// Convolutions in groups, and pools.
using windows_family =
    kernels<depthwise_kernel<1>, depthwise_kernel<2>, window_kernel<grouped_sum, codes_out>,
            window_kernel<grouped_sum, reals_out>, window_kernel<window_sum, means_out>,
            window_kernel<window_max, bytes_out>>;
/// From codes to codes.
using codes_family =
    kernels<code_kernel<add_codes>, code_kernel<multiply_codes>, code_kernel<look_up>>;
/// What changes its place.
using moves_family =
    kernels<each_kernel<read_images>, each_kernel<join_channels>, each_kernel<short_cut>,
            each_kernel<flatten>, each_kernel<copy_values>>;
/// Between reals, sums and codes.
using quantize_family = kernels<quantize_kernel<std::uint8_t>, quantize_kernel<std::uint16_t>,
                                dequantize_kernel<std::uint8_t>, dequantize_kernel<std::uint16_t>,
                                requantize_kernel<std::uint8_t>, requantize_kernel<std::uint16_t>>;
/// For calibration: ranges and histograms.
using observe_family = kernels<min_max_kernel<float>, min_max_kernel<extent>, moving_average_kernel,
                               histogram_kernel, widen_kernel>;
/// For training: fake quantizers and their gradient.
using train_family = kernels<fake_quantize_kernel, fake_quantize_gradient_kernel>;

/// `f(name, kernels<...>)` for each family.
template <class F>
void for_each_family(F f) {
    f("product", product_family{});
    f("nibbles", nibbles_family{});
    f("packed", packed_family{});
    f("halves", halves_family{});
    f("windows", windows_family{});
    f("codes", codes_family{});
    f("moves", moves_family{});
    f("quantize", quantize_family{});
    f("observe", observe_family{});
    f("train", train_family{});
}

} // namespace cuda
} // namespace v0
} // namespace quantal

#endif
