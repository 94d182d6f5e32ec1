// SPDX-License-Identifier: Apache-2.0
/// What becomes of a sum before it is stored: codes, reals, or the sum itself. `value(sum, of)` is
/// what is stored; of those that a product calls `of(column)` has what the sums of a column share.
#ifndef QUANTAL_CUDA_FINISH_HPP
#define QUANTAL_CUDA_FINISH_HPP

#include <quantal/arith/requantize.hpp>
#include <quantal/kernel/cuda/thread.hpp>

namespace quantal {
inline namespace v0 {
namespace cuda {

/// Elements of a row-major output whose columns are channels.
template <class Y>
struct output {
    using element = Y;
    Y* y;
    std::int64_t pitch; ///< elements from row to row

    QUANTAL_DEVICE void put(int row, int column, Y value) const {
        store(y + row * pitch + column, value);
    }
};

/// `arith::requantize`; codes as `code - lowest_code`.
struct codes_out {
    output<std::uint8_t> to;
    const float* multipliers;
    std::int32_t zero_point, lo, hi;

    [[nodiscard]] QUANTAL_DEVICE float of(int column) const { return load(multipliers + column); }
    [[nodiscard]] QUANTAL_DEVICE std::uint8_t value(std::int32_t sum, float multiplier) const {
        return static_cast<std::uint8_t>(arith::requantize(sum, multiplier, zero_point, lo, hi));
    }
    QUANTAL_DEVICE void operator()(int row, int column, std::int32_t sum) const {
        to.put(row, column, value(sum, of(column)));
    }
};
/// The same, where rows are the pixels of images and have multipliers by their place in an image.
struct means_out {
    output<std::uint8_t> to;
    const float* multipliers;
    std::int32_t pixels, zero_point, lo, hi;

    QUANTAL_DEVICE void operator()(int row, int column, std::int32_t sum) const {
        const float m = load(multipliers + row % pixels);
        to.put(row, column,
               static_cast<std::uint8_t>(arith::requantize(sum, m, zero_point, lo, hi)));
    }
};
/// A sum that is a code already.
struct bytes_out {
    output<std::uint8_t> to;

    QUANTAL_DEVICE void operator()(int row, int column, std::int32_t code) const {
        to.put(row, column, static_cast<std::uint8_t>(code));
    }
};
/// `float(sum) * multiplier`.
struct reals_out {
    output<float> to;
    const float* multipliers;

    [[nodiscard]] QUANTAL_DEVICE float of(int column) const { return load(multipliers + column); }
    [[nodiscard]] QUANTAL_DEVICE float value(std::int32_t sum, float multiplier) const {
        return arith::product(static_cast<float>(sum), multiplier);
    }
    QUANTAL_DEVICE void operator()(int row, int column, std::int32_t sum) const {
        to.put(row, column, value(sum, of(column)));
    }
};
struct sums_out {
    output<std::int32_t> to;

    struct nothing {};
    [[nodiscard]] QUANTAL_DEVICE nothing of(int) const { return {}; }
    [[nodiscard]] QUANTAL_DEVICE std::int32_t value(std::int32_t sum, nothing) const { return sum; }
    QUANTAL_DEVICE void operator()(int row, int column, std::int32_t sum) const {
        to.put(row, column, sum);
    }
};
/// A sum of float16's as one, clamped.
struct halves_out {
    output<std::uint16_t> to;
    float lo, hi;

    struct nothing {};
    [[nodiscard]] QUANTAL_DEVICE nothing of(int) const { return {}; }
    [[nodiscard]] QUANTAL_DEVICE std::uint16_t value(float sum, nothing) const {
        return float_to_half(arith::clamp(sum, lo, hi));
    }
};

} // namespace cuda
} // namespace v0
} // namespace quantal

#endif
