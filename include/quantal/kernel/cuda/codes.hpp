// SPDX-License-Identifier: Apache-2.0
/// From codes to codes, element by element: what `elementwise_kernel` does for add, multiply and
/// every function that a table holds.
#ifndef QUANTAL_CUDA_CODES_HPP
#define QUANTAL_CUDA_CODES_HPP

#include <quantal/kernel/cuda/elementwise.hpp>

namespace quantal {
inline namespace v0 {
namespace cuda {

/// `arith::residual_add` with `other`, of the same shape.
struct add_codes {
    const std::uint8_t* other;
    float scale, other_scale, y_scale;
    std::int32_t zero_point, other_zero_point, y_zero_point, lo, hi;

    [[nodiscard]] QUANTAL_DEVICE std::uint8_t operator()(std::uint8_t q, std::int64_t i) const {
        return static_cast<std::uint8_t>(arith::residual_add(
            {q, scale, zero_point}, {load(other + i), other_scale, other_zero_point}, y_scale,
            y_zero_point, lo, hi));
    }
};

/// The product with `other`, requantized. Other has an element for each of ours (`image` and
/// `channels` are 1), or `channels` for each `image` of our elements.
struct multiply_codes {
    const std::uint8_t* other;
    std::int64_t image, channels;
    float multiplier;
    std::int32_t zero_point, other_zero_point, y_zero_point, lo, hi;

    [[nodiscard]] QUANTAL_DEVICE std::uint8_t operator()(std::uint8_t q, std::int64_t i) const {
        const std::int32_t factor = load(other + i / image * channels + i % channels);
        return static_cast<std::uint8_t>(arith::requantize(
            (q - zero_point) * (factor - other_zero_point), multiplier, y_zero_point, lo, hi));
    }
};

/// Tables of 256 bytes, one a slice.
struct look_up {
    const std::uint8_t* tables;
    slicing slices;

    [[nodiscard]] QUANTAL_DEVICE std::uint8_t operator()(std::uint8_t q, std::int64_t i) const {
        return load(tables + 256 * slices.of(i) + q);
    }
};

template <class F>
using code_kernel = elementwise_kernel<std::uint8_t, std::uint8_t, F>;

} // namespace cuda
} // namespace v0
} // namespace quantal

#endif
