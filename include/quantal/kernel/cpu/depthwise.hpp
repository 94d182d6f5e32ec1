// SPDX-License-Identifier: Apache-2.0
/// Depthwise convolutions, one channel a lane, and the copy of pixels into rows of int16.
#ifndef QUANTAL_KERNEL_CPU_DEPTHWISE_HPP
#define QUANTAL_KERNEL_CPU_DEPTHWISE_HPP

#include <quantal/kernel/cpu/finish.hpp>

namespace quantal {
inline namespace v0 {
namespace cpu {

/// Output pixels of a depthwise convolution. Weights: [block of lane_count channels][pair of
/// kernel positions][channel], two int16 an int32; `pairs * 2` positions, the last one perhaps with
/// weight 0.
struct depthwise_call {
    const std::uint8_t* const* pixels; ///< [output pixel][position]: the input pixel under it
    std::ptrdiff_t count;              ///< output pixels
    std::ptrdiff_t pairs;
    int channels;
    const std::byte* weights;
    const std::int32_t* bias;
    const float* multipliers;
    const finish_rule* rule;
    output out;
};

namespace detail {

/// One output pixel, Registers registers of channels from `first` on, of which `count` are valid;
/// `pairs(a, b)` reads one register of them at two pixels.
template <class A, int Registers, class Pairs>
QUANTAL_INLINE void depthwise_block(const depthwise_call& call, std::ptrdiff_t pixel, int first,
                                    int count, Pairs pairs) {
    using sums = lanes<A, std::int32_t>;
    sums acc[Registers];
    repeat<Registers>([&](auto v) QUANTAL_INLINE_LAMBDA {
        acc[v] = load<sums>(call.bias + first + v * lane_count<A>);
    });
    const std::uint8_t* const* from = call.pixels + pixel * 2 * call.pairs;
    const std::byte* w = call.weights + first * call.pairs * 4;
    for (std::ptrdiff_t pair = 0; pair < call.pairs; ++pair, from += 2, w += A::width)
        repeat<Registers>([&](auto v) QUANTAL_INLINE_LAMBDA {
            const int channel = first + v * lane_count<A>;
            acc[v] = dot<A>::widen_madd(acc[v], pairs(from[0] + channel, from[1] + channel),
                                        load<sums>(w + v * call.pairs * A::width));
        });
    const output out = call.out.at(*call.rule, pixel, first);
    if (call.rule->kind == output_kind::codes && count == Registers * lane_count<A>)
        finish_codes<A>(call.rule->codes, acc, call.multipliers + first, out.y);
    else
        finish_row<A>(*call.rule, acc, call.multipliers + first, out, count);
}

} // namespace detail

template <class A>
void depthwise(const depthwise_call& call) {
    constexpr int lanes = lane_count<A>;
    const auto whole = [](const std::uint8_t* a, const std::uint8_t* b)
                           QUANTAL_INLINE_LAMBDA { return convert<A>::widen_pairs(a, b); };
    for (std::ptrdiff_t pixel = 0; pixel < call.count; ++pixel) {
        int first = 0;
        for (; first + 2 * lanes <= call.channels; first += 2 * lanes)
            detail::depthwise_block<A, 2>(call, pixel, first, 2 * lanes, whole);
        for (; first + lanes <= call.channels; first += lanes)
            detail::depthwise_block<A, 1>(call, pixel, first, lanes, whole);
        const int rest = call.channels - first;
        if (rest == 0) continue;
        const auto part = [&](const std::uint8_t* a, const std::uint8_t* b) QUANTAL_INLINE_LAMBDA {
            const auto bytes = static_cast<std::size_t>(rest);
            return widen_part<A>(a, bytes) | (widen_part<A>(b, bytes) << 16);
        };
        detail::depthwise_block<A, 1>(call, pixel, first, rest, part);
    }
}

/// `count` bytes to int16.
template <class A>
void widen_bytes(const std::uint8_t* from, std::int16_t* to, std::ptrdiff_t count) {
    using words = lanes<A, std::int16_t>;
    constexpr std::ptrdiff_t step = A::width / 2;
    using bytes = typename detail::vector<std::uint8_t, step>::type;
    const auto widen = [&](std::ptrdiff_t i) QUANTAL_INLINE_LAMBDA {
        store(to + i, __builtin_convertvector(load<bytes>(from + i), words));
    };
    std::ptrdiff_t i = 0;
    for (; i + step <= count; i += step)
        widen(i);
    if (i == count) return;
    if (count >= step) return widen(count - step); // overlaps what is there already
    for (; i < count; ++i)
        to[i] = from[i];
}

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
