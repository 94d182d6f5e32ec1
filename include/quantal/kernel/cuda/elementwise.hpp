// SPDX-License-Identifier: Apache-2.0
/// Quantize, dequantize, fake-quantize and requantize over arrays: arith/ in every element.
#ifndef QUANTAL_CUDA_ELEMENTWISE_HPP
#define QUANTAL_CUDA_ELEMENTWISE_HPP

#include <quantal/arith/requantize.hpp>
#include <quantal/kernel/cuda/kernel.hpp>
#include <quantal/kernel/cuda/thread.hpp>

namespace quantal {
inline namespace v0 {
namespace cuda {

/// Whose parameters an element has: element i those of slice `i / run % count`.
struct slicing {
    std::int64_t run, count;

    [[nodiscard]] QUANTAL_DEVICE std::int64_t of(std::int64_t i) const {
        return count == 1 ? 0 : i / run % count;
    }
};

/// The parameters of codes. Codes in memory are `code - lowest_code`, unsigned; so are zero points
/// and bounds.
struct code_grid {
    const float* scales;
    const std::int32_t* zero_points;
    slicing slices;
    std::int32_t lo, hi;

    [[nodiscard]] QUANTAL_DEVICE std::int32_t quantize(float x, std::int64_t i) const {
        const std::int64_t s = slices.of(i);
        return arith::quantize(x, load(scales + s), load(zero_points + s), lo, hi);
    }
    [[nodiscard]] QUANTAL_DEVICE float dequantize(std::int32_t q, std::int64_t i) const {
        const std::int64_t s = slices.of(i);
        return arith::dequantize(q, load(scales + s), load(zero_points + s));
    }
};

/// What is done to an element: `operator()(x, i)` of element i.
template <class Code>
struct to_code {
    code_grid codes;
    [[nodiscard]] QUANTAL_DEVICE Code operator()(float x, std::int64_t i) const {
        return static_cast<Code>(codes.quantize(x, i));
    }
};
template <class Code>
struct to_real {
    code_grid codes;
    [[nodiscard]] QUANTAL_DEVICE float operator()(Code q, std::int64_t i) const {
        return codes.dequantize(q, i);
    }
};
struct to_code_and_back {
    code_grid codes;
    [[nodiscard]] QUANTAL_DEVICE float operator()(float x, std::int64_t i) const {
        return codes.dequantize(codes.quantize(x, i), i);
    }
};

template <class Code>
struct sum_to_code {
    const float* multipliers;
    slicing slices;
    std::int32_t zero_point, lo, hi;
    [[nodiscard]] QUANTAL_DEVICE Code operator()(std::int32_t sum, std::int64_t i) const {
        const float m = load(multipliers + slices.of(i));
        return static_cast<Code>(arith::requantize(sum, m, zero_point, lo, hi));
    }
};

/// `y[i] = f(x[i], i)` for `count` elements. Four of them are loaded and stored at once: x and y
/// are aligned to four elements. Any grid of one dimension will do.
template <class X, class Y, class F>
struct elementwise_kernel {
    static constexpr const char* name = "elementwise";
    static constexpr int threads = 256;
    using shared = no_shared_memory;

    const X* x;
    Y* y;
    std::int64_t count;
    F f;

    QUANTAL_DEVICE void operator()() const {
        const std::int64_t step = std::int64_t{4} * threads * grid_size().x;
        std::int64_t i = 4 * (std::int64_t{threads} * block_index().x + thread_index());
        for (; i + 4 <= count; i += step) {
            const auto from = load_pack<4>(x + i);
            pack<Y, 4> to;
            for (int k = 0; k < 4; ++k)
                to[k] = f(from[k], i + k);
            store_pack(y + i, to);
        }
        for (; i < count; ++i) // of one thread only: what is left of its four
            store(y + i, f(load(x + i), i));
    }
};

/// float to Code (uint8, or uint16 for codes of 16 bits), back, both in one, and from sums to Code.
template <class Code>
using quantize_kernel = elementwise_kernel<float, Code, to_code<Code>>;
template <class Code>
using dequantize_kernel = elementwise_kernel<Code, float, to_real<Code>>;
using fake_quantize_kernel = elementwise_kernel<float, float, to_code_and_back>;
template <class Code>
using requantize_kernel = elementwise_kernel<std::int32_t, Code, sum_to_code<Code>>;

} // namespace cuda
} // namespace v0
} // namespace quantal

#endif
