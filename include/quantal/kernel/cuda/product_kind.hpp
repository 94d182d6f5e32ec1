// SPDX-License-Identifier: Apache-2.0
/// Which kind of product a layer takes on a device.
#ifndef QUANTAL_CUDA_PRODUCT_KIND_HPP
#define QUANTAL_CUDA_PRODUCT_KIND_HPP

#include <quantal/kernel/cuda/operands.hpp>

namespace quantal {
inline namespace v0 {
namespace cuda {

enum class product_kind { bytes, nibbles, packed_4, packed_2 };

/// What decides: codes are below 2^code_bits, weights are of `weight_bits` bits in two's
/// complement, no sum of codes and weights has a magnitude above `largest_sum`, and rows are those
/// of a matrix or windows of images.
struct layer_facts {
    int code_bits, weight_bits;
    std::int64_t largest_sum;
    bool is_matrix;
};

/// Whether sums that are 2^shift times too large fit int32.
[[nodiscard]] constexpr bool fits_shifted(std::int64_t largest_sum, int shift) {
    return largest_sum < std::int64_t{1} << (31 - shift);
}

/// - Products of nibbles where both sides have at most 4 bits and the instruction is one of the
///   hardware: sm_80 to sm_89, at twice the rate of int8. From sm_90 on nvcc calls a routine for
///   each, slower than bytes. sm_75 has m8n8k32, four of which make one m16n8k64, and no
///   asynchronous copies to hide the packing behind: nobody has shown that it pays.
/// - Packed weights where rows are those of a matrix, as in a linear layer, whose time at small
///   batches is that of reading its weights: half or a quarter of the bytes, for 1.5 or 1.75
///   integer instructions a register. Convolutions read their weights for many pixels each: there
///   bytes do not decide.
[[nodiscard]] constexpr product_kind product_kind_of(const layer_facts& f, int compute_capability) {
    const bool has_int4 = compute_capability >= 80 && compute_capability < 90;
    if (has_int4 && f.code_bits <= 4 && f.weight_bits <= 4) return product_kind::nibbles;
    if (f.is_matrix && f.weight_bits <= 2 && fits_shifted(f.largest_sum, bytes_by_packed<2>::shift))
        return product_kind::packed_2;
    if (f.is_matrix && f.weight_bits <= 4 && fits_shifted(f.largest_sum, bytes_by_packed<4>::shift))
        return product_kind::packed_4;
    return product_kind::bytes;
}

/// `f.template operator()<Operands>()`.
template <class F>
decltype(auto) with_operands(product_kind kind, const F& f) {
    switch (kind) {
    case product_kind::nibbles:
        return f.template operator()<nibbles_by_nibbles>();
    case product_kind::packed_4:
        return f.template operator()<bytes_by_packed<4>>();
    case product_kind::packed_2:
        return f.template operator()<bytes_by_packed<2>>();
    case product_kind::bytes:
        break;
    }
    return f.template operator()<bytes_by_bytes>();
}

} // namespace cuda
} // namespace v0
} // namespace quantal

#endif
