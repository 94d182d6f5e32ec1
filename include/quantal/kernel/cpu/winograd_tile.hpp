// SPDX-License-Identifier: Apache-2.0
/// What Winograd's convolution does to one tile before and after its products.
#ifndef QUANTAL_KERNEL_CPU_WINOGRAD_TILE_HPP
#define QUANTAL_KERNEL_CPU_WINOGRAD_TILE_HPP

#include <quantal/kernel/cpu/code_finish.hpp>
#include <quantal/kernel/cpu/winograd.hpp>

namespace quantal {
inline namespace v0 {
namespace cpu {

/// The inputs of one tile.
struct winograd_input {
    const std::uint8_t* x;    ///< the image [height][width][channels]
    std::ptrdiff_t top, left; ///< first pixel of the tile, perhaps outside the image
    std::ptrdiff_t height, width, channels;
    std::int32_t zero_point;    ///< also of the places outside the image
    std::byte* rows;            ///< the tile's row at position 0, whole registers long
    std::ptrdiff_t next;        ///< bytes from position to position
    const std::uint8_t* raised; ///< of bytes: what is added at each position
};

/// The sums of products of one tile and one panel.
struct winograd_output {
    const std::uint32_t* sums; ///< the tile's at position 0, [columns of the panel]
    std::ptrdiff_t next;       ///< elements from position to position
    const std::int32_t* bias;  ///< one a column, as are the multipliers
    const float* multipliers;
    const finish_rule* rule;
    output out;          ///< at the tile's first pixel and the panel's first column
    std::ptrdiff_t line; ///< pixels from one line of the image to the next
    int rows, columns;   ///< pixels of the tile inside the image
    int channels;        ///< of the panel
};

namespace detail {

/// Elements of one register as the transform takes them: bytes as they are, or widened to int16
/// less the zero point.
template <class A, class T>
QUANTAL_INLINE lanes<A, T> transform_operand(const std::uint8_t* from, std::size_t count,
                                             std::int32_t zero_point) {
    constexpr std::size_t whole = A::width / sizeof(T);
    using bytes = typename vector<std::uint8_t, int{whole}>::type;
    if constexpr (sizeof(T) == 1)
        return count >= whole ? load<bytes>(from) : load_part<bytes>(from, count);
    if (count >= whole)
        return reinterpret_cast<lanes<A, T>>(convert<A>::widen_bytes(from)) -
               static_cast<T>(zero_point);
    const auto part = load_part<bytes>(from, count);
    return reinterpret_cast<lanes<A, T>>(convert<A>::widen_bytes(&part)) -
           static_cast<T>(zero_point);
}

/// `f(line)` to every line of a square, then to every column.
template <int N, int M, class V, class F>
QUANTAL_INLINE void both_ways(const V (&from)[N][N], V (&to)[M][M], F&& f) {
    V half[M][N];
    repeat<N>([&](auto j) QUANTAL_INLINE_LAMBDA {
        V column[N], result[M];
        repeat<N>([&](auto i) QUANTAL_INLINE_LAMBDA { column[i] = from[i][j]; });
        f(column, result);
        repeat<M>([&](auto i) QUANTAL_INLINE_LAMBDA { half[i][j] = result[i]; });
    });
    repeat<M>([&](auto i) QUANTAL_INLINE_LAMBDA { f(half[i], to[i]); });
}

} // namespace detail

namespace detail {

/// The channels of one tile; `pixel(i, j)` is where those of an input are, null outside the image.
template <class A, int Outputs, class T, class P>
QUANTAL_INLINE void transform_channels(const winograd_input& in, P pixel) {
    using rule = winograd<Outputs>;
    using values = lanes<A, T>;
    constexpr int n = rule::inputs;
    constexpr std::ptrdiff_t step = A::width / sizeof(T);
    const values outside = values{} + static_cast<T>(sizeof(T) == 1 ? in.zero_point : 0);
    for (std::ptrdiff_t c = 0; c < in.channels; c += step) {
        const auto count = static_cast<std::size_t>(in.channels - c);
        values x[n][n], t[n][n];
        repeat<n>([&](auto i) QUANTAL_INLINE_LAMBDA {
            repeat<n>([&](auto j) QUANTAL_INLINE_LAMBDA {
                const std::uint8_t* from = pixel(i, j);
                x[i][j] = from ? transform_operand<A, T>(from + c, count, in.zero_point) : outside;
            });
        });
        both_ways(x, t,
                  [](const auto& from, auto& to) QUANTAL_INLINE_LAMBDA { rule::input(from, to); });
        std::byte* row = in.rows + c * std::ptrdiff_t{sizeof(T)};
        repeat<n * n>([&](auto k) QUANTAL_INLINE_LAMBDA {
            values& v = t[k / n][k % n];
            if constexpr (sizeof(T) == 1) v += in.raised[k];
            store(row + k * in.next, v);
        });
    }
}

} // namespace detail

/// `B' x B` of one tile: [position][channel], of int16 (x less the zero point) or of bytes (x as it
/// is; raised to be unsigned).
template <class A, int Outputs, class T>
void winograd_transform(const winograd_input& in) {
    constexpr int n = winograd<Outputs>::inputs;
    const std::ptrdiff_t line = in.width * in.channels;
    if (in.top >= 0 && in.left >= 0 && in.top + n <= in.height && in.left + n <= in.width) {
        const std::uint8_t* first = in.x + in.top * line + in.left * in.channels;
        return detail::transform_channels<A, Outputs, T>(
            in,
            [&](int i, int j) QUANTAL_INLINE_LAMBDA { return first + i * line + j * in.channels; });
    }
    const std::uint8_t* pixels[n][n];
    for (int i = 0; i < n; ++i)
        for (int j = 0; j < n; ++j) {
            const std::ptrdiff_t y = in.top + i, column = in.left + j;
            const bool inside = y >= 0 && y < in.height && column >= 0 && column < in.width;
            pixels[i][j] = inside ? in.x + y * line + column * in.channels : nullptr;
        }
    detail::transform_channels<A, Outputs, T>(
        in, [&](int i, int j) QUANTAL_INLINE_LAMBDA { return pixels[i][j]; });
}

/// `A' m A` of one tile and panel, less its factor, then bias and the layer's rule.
template <class A, int Outputs>
void winograd_finish(const winograd_output& call) {
    using rule = winograd<Outputs>;
    using sums = lanes<A, std::uint32_t>;
    using ints = lanes<A, std::int32_t>;
    constexpr int n = rule::inputs, m = rule::outputs;
    const finish_rule rule_of_layer = *call.rule; // which no store can change
    const code_finish<A> codes(rule_of_layer);
    const bool ends_in_codes = !is_emulated<A> && code_finish<A>::can_do(rule_of_layer.kind);
    for (int c = 0; c < call.channels; c += lane_count<A>) {
        sums x[n][n], y[m][m];
        repeat<n * n>([&](auto k) QUANTAL_INLINE_LAMBDA {
            x[k / n][k % n] = load<sums>(call.sums + k * call.next + c);
        });
        detail::both_ways(
            x, y, [](const auto& from, auto& to) QUANTAL_INLINE_LAMBDA { rule::output(from, to); });
        const ints bias = load<ints>(call.bias + c);
        const int left = call.channels - c;
        const auto at = [&](int i, int j) QUANTAL_INLINE_LAMBDA {
            return call.out.at(rule_of_layer, i * call.line + j, c);
        };
        if (ends_in_codes && left >= lane_count<A>) {
            // Pixels outside of the image are written over one inside, which comes after them.
            repeat<m * m / 4>([&](auto group) QUANTAL_INLINE_LAMBDA {
                ints four[4];
                repeat<4>([&](auto k) QUANTAL_INLINE_LAMBDA {
                    constexpr int i = (m * m - 1 - 4 * group - k);
                    four[k] = rule::template descaled<ints>(y[i / m][i % m]) + bias;
                });
                codes.template operator()<1>(
                    four, call.multipliers + c, [&](int k) QUANTAL_INLINE_LAMBDA {
                        const int i = m * m - 1 - 4 * group - k;
                        const int row = i / m, column = i % m;
                        return row < call.rows && column < call.columns ? at(row, column)
                                                                        : at(0, 0);
                    });
            });
            continue;
        }
        ints all[m * m]; // or `y` would live in memory above as well
        repeat<m * m>([&](auto k) QUANTAL_INLINE_LAMBDA {
            all[k] = rule::template descaled<ints>(y[k / m][k % m]) + bias;
        });
        for (int i = 0; i < call.rows; ++i)
            for (int j = 0; j < call.columns; ++j)
                finish<A>(rule_of_layer, all[i * m + j], call.multipliers + c, at(i, j),
                          left < lane_count<A> ? left : lane_count<A>);
    }
}

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
