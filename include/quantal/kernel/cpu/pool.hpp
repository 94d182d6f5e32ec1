// SPDX-License-Identifier: Apache-2.0
/// Pools over tensors of height x width x channels, for bytes and float32.
#ifndef QUANTAL_KERNEL_CPU_POOL_HPP
#define QUANTAL_KERNEL_CPU_POOL_HPP

#include <quantal/kernel/cpu/finish.hpp>
#include <quantal/kernel/reference/geometry.hpp>

#include <limits>

namespace quantal {
inline namespace v0 {
namespace cpu {

/// Calls `f(ox, place, c, get, put)` for every register V of channels of an output row: c is its
/// first channel, `place` where it lies in the output; get and put load and store it, or what there
/// is of it at the end.
template <class A, class V, class F>
QUANTAL_INLINE void for_row(const reference::window& win, std::int64_t channels, std::int64_t oy,
                            F&& f) {
    using element = std::remove_cvref_t<decltype(V{}[0])>;
    constexpr std::int64_t lanes = sizeof(V) / sizeof(element);
    const std::int64_t whole = channels / lanes * lanes;
    const auto rest = static_cast<std::size_t>(channels - whole) * sizeof(element);
    const auto get = [](const element* x) QUANTAL_INLINE_LAMBDA { return load<V>(x); };
    const auto put = [](element* y, V v) QUANTAL_INLINE_LAMBDA { store(y, v); };
    const auto get_rest = [=](const element* x)
                              QUANTAL_INLINE_LAMBDA { return load_part<V>(x, rest); };
    const auto put_rest = [=](element* y, V v) QUANTAL_INLINE_LAMBDA { store_part(y, v, rest); };
    for (std::int64_t ox = 0; ox < win.out.w; ++ox) {
        const std::int64_t pixel = (oy * win.out.w + ox) * channels;
        for (std::int64_t c = 0; c < whole; c += lanes)
            f(ox, pixel + c, c, get, put);
        if (rest > 0) f(ox, pixel + whole, whole, get_rest, put_rest);
    }
}

/// Row `oy` of a max pool's output, image `y`: the largest value of each window, a channel each.
/// Padding never wins.
template <class A, class T>
void max_pool(const reference::window& win, std::int64_t channels, const T* x, std::int64_t oy,
              T* y) {
    using values = lanes<A, T>;
    constexpr T lowest = std::numeric_limits<T>::has_infinity ? -std::numeric_limits<T>::infinity()
                                                              : std::numeric_limits<T>::lowest();
    for_row<A, values>(
        win, channels, oy,
        [&](std::int64_t ox, std::int64_t place, std::int64_t c, auto get, auto put)
            QUANTAL_INLINE_LAMBDA {
                values largest = values{} + lowest;
                win.for_each(oy, ox, [&](std::int64_t pixel, std::int64_t) QUANTAL_INLINE_LAMBDA {
                    const values v = get(x + pixel * channels + c);
                    largest = v > largest ? v : largest;
                });
                put(y + place, largest);
            });
}

/// Row `oy` of an average pool's output: sums of `q - zero` over each window (padding adds
/// nothing), requantized with the multiplier of each column of the row.
template <class A>
void average_pool(const reference::window& win, std::int64_t channels, std::int32_t zero,
                  const float* multipliers, const byte_codes& to, const std::uint8_t* x,
                  std::int64_t oy, std::uint8_t* y) {
    using bytes = narrow<A, std::uint8_t>;
    for_row<A, bytes>(
        win, channels, oy,
        [&](std::int64_t ox, std::int64_t place, std::int64_t c, auto get,
            auto put) QUANTAL_INLINE_LAMBDA {
            lanes<A, std::int32_t> sum{};
            win.for_each(oy, ox, [&](std::int64_t pixel, std::int64_t) QUANTAL_INLINE_LAMBDA {
                const bytes v = get(x + pixel * channels + c);
                sum += convert<A>::widen(reinterpret_cast<const std::uint8_t*>(&v)) - zero;
            });
            put(y + place, convert<A>::to_bytes(requantize<A>(sum, fill<A>(multipliers[ox]), to)));
        });
}

/// Row `oy` of the mean of each window in float32: its sum by the divisor of each column of the
/// row.
template <class A>
void average_pool(const reference::window& win, std::int64_t channels, const float* divisors,
                  const float* x, std::int64_t oy, float* y) {
    using reals = lanes<A, float>;
    for_row<A, reals>(
        win, channels, oy,
        [&](std::int64_t ox, std::int64_t place, std::int64_t c, auto get, auto put)
            QUANTAL_INLINE_LAMBDA {
                reals sum{};
                win.for_each(oy, ox, [&](std::int64_t pixel, std::int64_t) QUANTAL_INLINE_LAMBDA {
                    sum += get(x + pixel * channels + c);
                });
                put(y + place, sum / divisors[ox]);
            });
}

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
