// SPDX-License-Identifier: Apache-2.0
/// Quantize, dequantize, fake-quantize, residual add and extrema over arrays, at the speed of
/// memory and equal to arith/ in every bit.
#ifndef QUANTAL_KERNEL_CPU_ELEMENTWISE_HPP
#define QUANTAL_KERNEL_CPU_ELEMENTWISE_HPP

#include <quantal/kernel/cpu/finish.hpp>
#include <quantal/kernel/cpu/transform.hpp>

#include <limits>

namespace quantal {
inline namespace v0 {
namespace cpu {

/// `x / scale`; NaN gives 0.
template <class A>
QUANTAL_INLINE lanes<A, float> ratio_of(lanes<A, float> x, float scale) {
    const lanes<A, float> ratio = x / scale;
    return ratio == ratio ? ratio : lanes<A, float>{};
}

/// `rne(x / scale)`, clamped to the codes less their zero point: arith::quantize without its last
/// addition. A quotient cannot be contracted with the addition that rounds it. NaN gives 0.
template <class A>
QUANTAL_INLINE lanes<A, std::int32_t> steps_of(lanes<A, float> x, float scale,
                                               const byte_codes& to) {
    return to_codes<A>(ratio_of<A>(x, scale), static_cast<float>(to.lo - to.zero_point),
                       static_cast<float>(to.hi - to.zero_point), 0);
}

/// `q[i] = clamp(rne(x[i] / scale) + zero_point, lo, hi)` (docs/arithmetic.md, 3).
template <class A>
void quantize(const float* x, std::size_t count, float scale, const byte_codes& to,
              std::uint8_t* q) {
    const auto f = [&](const float* from) QUANTAL_INLINE_LAMBDA {
        return ratio_of<A>(load<lanes<A, float>>(from), scale);
    };
    transform<A>(count, q, code_bounds<A>(to), f, x);
}

/// `x[i] = float(q[i] - zero_point) * scale`.
template <class A>
void dequantize(const std::uint8_t* q, std::size_t count, float scale, std::int32_t zero_point,
                float* x) {
    const auto f = [&](const std::uint8_t* codes) QUANTAL_INLINE_LAMBDA {
        return to_float<A>(convert<A>::widen(codes) - zero_point) * scale;
    };
    transform<A>(count, x, f, q);
}

/// `dequantize(quantize(x))` without the codes in between, which need not be bytes.
template <class A>
void fake_quantize(const float* x, std::size_t count, float scale, const byte_codes& to, float* y) {
    const auto f = [&](const float* from) QUANTAL_INLINE_LAMBDA {
        return to_float<A>(steps_of<A>(load<lanes<A, float>>(from), scale, to)) * scale;
    };
    transform<A>(count, y, f, x);
}

/// The residual add of two arrays of codes (docs/arithmetic.md, 7).
template <class A>
void add(const std::uint8_t* a, const std::uint8_t* b, std::size_t count, const residual& r,
         std::uint8_t* y) {
    const auto f = [&](const std::uint8_t* p, const std::uint8_t* q) QUANTAL_INLINE_LAMBDA {
        return residual_ratio<A>(convert<A>::widen(p), convert<A>::widen(q), r);
    };
    transform<A>(count, y, code_bounds<A>(r.y), f, a, b);
}

/// The products of two arrays of codes less their zero points, requantized (docs/arithmetic.md, 7).
template <class A>
void multiply(const std::uint8_t* a, const std::uint8_t* b, std::size_t count,
              const code_product& p, std::uint8_t* y) {
    const auto m = fill<A>(p.multiplier);
    const auto f = [&](const std::uint8_t* u, const std::uint8_t* v) QUANTAL_INLINE_LAMBDA {
        const auto products = (convert<A>::widen(u) - p.a_zero) * (convert<A>::widen(v) - p.b_zero);
        return to_float<A>(products) * m;
    };
    transform<A>(count, y, code_bounds<A>(p.y), f, a, b);
}

/// `y[i] = x[i] * z[i]`.
template <class A>
void multiply(const float* x, const float* z, std::size_t count, float* y) {
    const auto f = [](const float* p, const float* q) QUANTAL_INLINE_LAMBDA {
        return load<lanes<A, float>>(p) * load<lanes<A, float>>(q);
    };
    transform<A>(count, y, f, x, z);
}

/// `y[i] = x[i] + z[i]`.
template <class A>
void add(const float* x, const float* z, std::size_t count, float* y) {
    const auto f = [](const float* p, const float* q) QUANTAL_INLINE_LAMBDA {
        return load<lanes<A, float>>(p) + load<lanes<A, float>>(q);
    };
    transform<A>(count, y, f, x, z);
}

/// `y[row][i] += rounded(float(sums[row][i]) * scales[i])` for rows of `width` elements, a whole
/// number of registers (arith::add_group).
template <class A>
void add_scaled(const std::int32_t* sums, const float* scales, std::ptrdiff_t rows,
                std::ptrdiff_t width, float* y) {
    for (std::ptrdiff_t row = 0; row < rows; ++row)
        for (std::ptrdiff_t i = 0; i < width; i += lane_count<A>, sums += lane_count<A>) {
            const auto value = to_float<A>(load<lanes<A, std::int32_t>>(sums));
            const auto term = rounded<A>(value * load<lanes<A, float>>(scales + i));
            store(y, load<lanes<A, float>>(y) + term);
            y += lane_count<A>;
        }
}

/// `y[i] = clamp(x[i], lo, hi)` for codes and reals.
template <class A, class T>
void clamp(const T* x, std::size_t count, T lo, T hi, T* y) {
    using part = narrow<A, T>;
    const auto f = [&](const T* from) QUANTAL_INLINE_LAMBDA {
        const auto v = load<part>(from);
        const part bounded = v > part{} + lo ? v : part{} + lo;
        return bounded < part{} + hi ? bounded : part{} + hi;
    };
    transform<A>(count, y, f, x);
}

/// The smallest and the largest of `count` values, none of them NaN; [inf, -inf] of none.
struct extent {
    float lo, hi;
};
template <class A>
[[nodiscard]] extent min_max(const float* x, std::size_t count) {
    using reals = lanes<A, float>;
    constexpr std::size_t step = lane_count<A>;
    constexpr int unroll = 4;
    constexpr float infinity = std::numeric_limits<float>::infinity();
    reals lo[unroll], hi[unroll];
    repeat<unroll>([&](auto k) QUANTAL_INLINE_LAMBDA {
        lo[k] = fill<A>(infinity);
        hi[k] = fill<A>(-infinity);
    });
    std::size_t i = 0;
    for (; i + unroll * step <= count; i += unroll * step)
        repeat<unroll>([&](auto k) QUANTAL_INLINE_LAMBDA {
            const auto v = load<reals>(x + i + k * step);
            lo[k] = convert<A>::at_most(v, lo[k]);
            hi[k] = convert<A>::at_least(v, hi[k]);
        });
    extent result{infinity, -infinity};
    const auto include = [&](float low, float high) {
        result.lo = low < result.lo ? low : result.lo;
        result.hi = high > result.hi ? high : result.hi;
    };
    for (int k = 0; k < unroll; ++k)
        for (int l = 0; l < lane_count<A>; ++l)
            include(lo[k][l], hi[k][l]);
    for (; i < count; ++i)
        include(x[i], x[i]);
    return result;
}

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
