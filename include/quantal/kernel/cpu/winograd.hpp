// SPDX-License-Identifier: Apache-2.0
/// Winograd's minimal filtering in integers (Lavin and Gray, "Fast Algorithms for Convolutional
/// Neural Networks", 2016): a tile of m x m outputs of a 3x3 kernel from (m+2)^2 products a channel
/// in place of 9 m^2.
///
///     y = A' [(G w G') . (B' x B)] A
///
/// The rows of G are scaled to integers and the factors that are missing stand in A, so that the
/// outcome is an exact multiple of y, all of it modulo 2^32 (modulo 2^16 before the products, whose
/// operands fit int16).
#ifndef QUANTAL_KERNEL_CPU_WINOGRAD_HPP
#define QUANTAL_KERNEL_CPU_WINOGRAD_HPP

#include <quantal/config.hpp>

#include <cstdint>

namespace quantal {
inline namespace v0 {
namespace cpu {

/// One dimension of F(m x m, 3x3). Vectors hold unsigned integers, whose sums wrap around.
template <int Outputs>
struct winograd;

/// G is doubled: the outcome is 4 y.
template <>
struct winograd<2> {
    static constexpr int outputs = 2, inputs = 4;
    /// The outcome gives y while |y| is below this.
    static constexpr std::int64_t bound = std::int64_t{1} << 29;
    /// No transformed input is larger than so many inputs, no weight than so many weights.
    static constexpr std::int32_t input_gain = 4, weight_gain = 9;

    template <class V>
    static QUANTAL_INLINE void input(const V (&x)[4], V (&t)[4]) {
        t[0] = x[0] - x[2];
        t[1] = x[1] + x[2];
        t[2] = x[2] - x[1];
        t[3] = x[1] - x[3];
    }
    /// Line `I` of the transformed weights.
    template <int I, class T>
    static QUANTAL_INLINE constexpr T weight(T w0, T w1, T w2) {
        if constexpr (I == 0) return w0 + w0;
        if constexpr (I == 1) return w0 + w2 + w1;
        if constexpr (I == 2) return w0 + w2 - w1;
        if constexpr (I == 3) return w2 + w2;
    }
    template <class V>
    static QUANTAL_INLINE void output(const V (&m)[4], V (&y)[2]) {
        y[0] = m[0] + m[1] + m[2];
        y[1] = m[1] - m[2] - m[3];
    }
    /// y of the outcome, which is a multiple of 4.
    template <class Signed, class V>
    static QUANTAL_INLINE Signed descaled(V v) {
        return reinterpret_cast<Signed>(v) >> 2;
    }
};

/// The rows of G are multiplied by 4, -6, -6, 24, 24, 1, those of A by 6, -4, -4, 1, 1, 24: the
/// outcome is 24 * 24 * y = 9 * 64 * y.
template <>
struct winograd<4> {
    static constexpr int outputs = 4, inputs = 6;
    static constexpr std::int64_t bound = std::int64_t{1} << 25;
    static constexpr std::int32_t input_gain = 68, weight_gain = 49;

    template <class V>
    static QUANTAL_INLINE void input(const V (&x)[6], V (&t)[6]) {
        const V a = x[4] - (x[2] << 2), b = x[3] - (x[1] << 2);
        const V c = x[4] - x[2], d = (x[3] - x[1]) << 1;
        t[0] = (x[0] << 2) - (x[2] << 2) - x[2] + x[4];
        t[1] = a + b;
        t[2] = a - b;
        t[3] = c + d;
        t[4] = c - d;
        t[5] = (x[1] << 2) - (x[3] << 2) - x[3] + x[5];
    }
    template <int I, class T>
    static QUANTAL_INLINE constexpr T weight(T w0, T w1, T w2) {
        if constexpr (I == 0) return w0;
        if constexpr (I == 1) return w0 + w2 + w1;
        if constexpr (I == 2) return w0 + w2 - w1;
        if constexpr (I == 3) return w0 + (w2 << 2) + (w1 + w1);
        if constexpr (I == 4) return w0 + (w2 << 2) - (w1 + w1);
        if constexpr (I == 5) return w2;
    }
    template <class V>
    static QUANTAL_INLINE void output(const V (&m)[6], V (&y)[4]) {
        const V a = (m[1] + m[2]) << 2, b = (m[1] - m[2]) << 2;
        const V c = m[3] + m[4], d = (m[3] - m[4]) << 1;
        y[0] = (m[0] << 2) + (m[0] << 1) - a + c;
        y[1] = d - b;
        y[2] = (c << 2) - a;
        y[3] = (d << 2) - b + (m[5] << 4) + (m[5] << 3);
    }
    /// y of the outcome: by the inverse of 9 modulo 2^32, then by 64.
    template <class Signed, class V>
    static QUANTAL_INLINE Signed descaled(V v) {
        return reinterpret_cast<Signed>(v * 0x38e38e39u) >> 6;
    }
};

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
