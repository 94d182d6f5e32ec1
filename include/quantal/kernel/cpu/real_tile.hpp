// SPDX-License-Identifier: Apache-2.0
/// Products of rows of float32 with one panel of weights, and depthwise sums: the micro-kernels of
/// layers in float. They add in the same order whatever the number of threads; whether products and
/// sums are fused depends on the CPU.
#ifndef QUANTAL_KERNEL_CPU_REAL_TILE_HPP
#define QUANTAL_KERNEL_CPU_REAL_TILE_HPP

#include <quantal/kernel/cpu/convert.hpp>

#include <limits>

namespace quantal {
inline namespace v0 {
namespace cpu {

/// `sum + x * w`, fused where the CPU can.
template <class A>
QUANTAL_INLINE lanes<A, float> multiply_add(lanes<A, float> sum, lanes<A, float> x,
                                            lanes<A, float> w) {
#if defined(__FMA__)
    if constexpr (sizeof x == 32)
        return _mm256_fmadd_ps(x, w, sum);
    else if constexpr (sizeof x == 16)
        return _mm_fmadd_ps(x, w, sum);
#endif
#if XSIMD_WITH_AVX512F
    if constexpr (std::is_same_v<A, avx512_vnni>) return _mm512_fmadd_ps(x, w, sum);
#endif
    return sum + x * w;
}

/// How a product meets the sum: fused where the CPU can (the fastest, but the bits depend on the
/// CPU), or rounded before (docs/arithmetic.md, 14).
enum class products : std::uint8_t { fused, rounded };

/// The float at `from` in every lane. (Adding it to zeros would turn -0 into 0, so compilers keep
/// the addition; subtracting zeros from it is nothing.)
template <class A>
QUANTAL_INLINE lanes<A, float> broadcast_real(const float* from) {
    return *from - lanes<A, float>{};
}

/// An activation on real outputs: none by default.
struct real_bounds {
    float lo = -std::numeric_limits<float>::infinity();
    float hi = std::numeric_limits<float>::infinity();
    bool active = false;
};

/// Stores one register of sums, `count` lanes of it.
template <class A>
QUANTAL_INLINE void finish_reals(lanes<A, float> sums, const real_bounds& bounds, float* y,
                                 std::int64_t count) {
    if (bounds.active)
        sums =
            convert<A>::at_most(convert<A>::at_least(sums, fill<A>(bounds.lo)), fill<A>(bounds.hi));
    if (count >= lane_count<A>)
        store(y, sums);
    else
        store_part(y, sums, static_cast<std::size_t>(count) * sizeof(float));
}

/// Rows times one panel of weights [depth][columns, in whole registers].
struct real_panel_call {
    const float* rows;
    std::int64_t stride; ///< elements from row to row
    std::int64_t count;  ///< rows
    const float* panel;
    std::int64_t depth;
    std::int64_t columns;
    const float* bias; ///< one a column, in whole registers
    real_bounds bounds;
    float* y;           ///< row 0, column 0
    std::int64_t pitch; ///< elements from row to row of y
};

/// Registers across a panel.
inline constexpr int real_panel_registers = 2;
/// Rows of a tile: with two registers of weights and one of x it fills the registers there are.
template <class A>
inline constexpr int real_tile_rows = A::registers == 32 ? 12 : 6;

namespace detail {

template <class A, products P, int Rows, int Registers>
QUANTAL_INLINE void multiply_real_tile(const real_panel_call& call, std::int64_t row) {
    using reals = lanes<A, float>;
    reals acc[Rows][Registers];
    repeat<Registers>([&](auto v) QUANTAL_INLINE_LAMBDA {
        const auto start = load<reals>(call.bias + v * lane_count<A>);
        repeat<Rows>([&](auto r) QUANTAL_INLINE_LAMBDA { acc[r][v] = start; });
    });
    const float* x = call.rows + row * call.stride;
    const float* w = call.panel;
    const std::int64_t stride = call.stride;
    for (std::int64_t k = 0; k < call.depth; ++k, ++x, w += Registers * lane_count<A>) {
        reals column[Registers];
        repeat<Registers>(
            [&](auto v) QUANTAL_INLINE_LAMBDA { column[v] = load<reals>(w + v * lane_count<A>); });
        repeat<Rows>([&](auto r) QUANTAL_INLINE_LAMBDA {
            const reals value = broadcast_real<A>(x + r * stride);
            repeat<Registers>([&](auto v) QUANTAL_INLINE_LAMBDA {
                if constexpr (P == products::fused)
                    acc[r][v] = multiply_add<A>(acc[r][v], value, column[v]);
                else
                    acc[r][v] += rounded<A>(value * column[v]);
            });
        });
    }
    repeat<Registers>([&](auto v) QUANTAL_INLINE_LAMBDA {
        constexpr std::int64_t first = v * lane_count<A>;
        if (first >= call.columns) return;
        repeat<Rows>([&](auto r) QUANTAL_INLINE_LAMBDA {
            finish_reals<A>(acc[r][v], call.bounds, call.y + (row + r) * call.pitch + first,
                            call.columns - first);
        });
    });
}

/// All rows from `row` on: tiles of Rows rows, then lower ones.
template <class A, products P, int Rows, int Registers>
QUANTAL_INLINE void multiply_real_rows(const real_panel_call& call, std::int64_t row) {
    for (; row + Rows <= call.count; row += Rows)
        multiply_real_tile<A, P, Rows, Registers>(call, row);
    constexpr int lower = Rows > 8 ? 8 : Rows > 4 ? 4 : Rows / 2;
    if constexpr (lower > 0) multiply_real_rows<A, P, lower, Registers>(call, row);
}

} // namespace detail

/// As many registers wide as the panel's columns need.
template <class A, products P>
void multiply_real_panel(const real_panel_call& call) {
    if (call.columns > lane_count<A>)
        detail::multiply_real_rows<A, P, real_tile_rows<A>, real_panel_registers>(call, 0);
    else
        detail::multiply_real_rows<A, P, real_tile_rows<A>, 1>(call, 0);
}

/// One output pixel of a depthwise convolution. Weights: [position][channels in whole registers].
struct real_depthwise_call {
    const float* const* pixels; ///< the input pixel at each position
    std::int64_t positions;
    std::int64_t channels;
    const float* weights;
    std::int64_t pitch; ///< elements from position to position of the weights
    const float* bias;
    real_bounds bounds;
    float* y;
};

template <class A>
void real_depthwise(const real_depthwise_call& call) {
    using reals = lanes<A, float>;
    const auto block = [&](std::int64_t first, auto get) QUANTAL_INLINE_LAMBDA {
        auto sum = load<reals>(call.bias + first);
        for (std::int64_t k = 0; k < call.positions; ++k)
            sum = multiply_add<A>(sum, get(call.pixels[k] + first),
                                  load<reals>(call.weights + k * call.pitch + first));
        finish_reals<A>(sum, call.bounds, call.y + first, call.channels - first);
    };
    std::int64_t first = 0;
    for (; first + lane_count<A> <= call.channels; first += lane_count<A>)
        block(first, [](const float* x) QUANTAL_INLINE_LAMBDA { return load<reals>(x); });
    if (first == call.channels) return;
    const auto rest = static_cast<std::size_t>(call.channels - first) * sizeof(float);
    block(first, [&](const float* x) QUANTAL_INLINE_LAMBDA { return load_part<reals>(x, rest); });
}

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
