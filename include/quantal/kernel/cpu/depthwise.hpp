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

/// One output pixel, the channels from `first` on; `widen(p)` reads one register of them at p.
template <class A, class Widen>
QUANTAL_INLINE void depthwise_block(const depthwise_call& call, std::ptrdiff_t pixel, int first,
                                    int count, Widen widen) {
    auto acc = load<lanes<A, std::int32_t>>(call.bias + first);
    const std::uint8_t* const* from = call.pixels + pixel * 2 * call.pairs;
    const std::byte* w = call.weights + first * call.pairs * 4;
    for (std::ptrdiff_t pair = 0; pair < call.pairs; ++pair, w += A::width) {
        const auto x = widen(from[2 * pair] + first) | (widen(from[2 * pair + 1] + first) << 16);
        acc = dot<A>::widen_madd(acc, x, load<lanes<A, std::int32_t>>(w));
    }
    finish<A>(*call.rule, acc, call.multipliers + first, call.out.at(*call.rule, pixel, first),
              count);
}

} // namespace detail

template <class A>
void depthwise(const depthwise_call& call) {
    constexpr int lanes = lane_count<A>;
    const int whole = call.channels / lanes * lanes;
    const int rest = call.channels - whole;
    for (std::ptrdiff_t pixel = 0; pixel < call.count; ++pixel) {
        for (int first = 0; first < whole; first += lanes)
            detail::depthwise_block<A>(call, pixel, first, lanes,
                                       [](const std::uint8_t* p)
                                           QUANTAL_INLINE_LAMBDA { return convert<A>::widen(p); });
        if (rest > 0)
            detail::depthwise_block<A>(call, pixel, whole, rest,
                                       [&](const std::uint8_t* p) QUANTAL_INLINE_LAMBDA {
                                           return widen_part<A>(p, static_cast<std::size_t>(rest));
                                       });
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
