// SPDX-License-Identifier: Apache-2.0
/// The gradient of a fake quantizer in one pass: that of its input, and the sums of which those of
/// a learned scale, offset or bound are made.
#ifndef QUANTAL_KERNEL_CPU_FAKE_QUANTIZE_GRADIENT_HPP
#define QUANTAL_KERNEL_CPU_FAKE_QUANTIZE_GRADIENT_HPP

#include <quantal/kernel/cpu/elementwise.hpp>

namespace quantal {
inline namespace v0 {
namespace cpu {

/// With `t = x / scale`, `r` what `t` is clamped and rounded to, and `g` the gradient that comes
/// in, over the elements inside (`first < t < last`, the codes' ends less the zero point) and the
/// rest:
struct gradient_sums {
    double rounding = 0.0; ///< of `g * (r - t)`, inside
    double steps = 0.0;    ///< of `g * r`, outside: r is `first` or `last`, 0 for NaN
    double clipped = 0.0;  ///< of `g`, outside

    friend bool operator==(const gradient_sums&, const gradient_sums&) = default;
    gradient_sums& operator+=(const gradient_sums& other) {
        rounding += other.rounding;
        steps += other.steps;
        clipped += other.clipped;
        return *this;
    }
};

/// `gx = g` inside and 0 outside. Sums are float32 in 16 lanes, element i in lane `i % 16`, for any
/// instruction set the same; the lanes are added in order, in double.
template <class A>
[[nodiscard]] gradient_sums fake_quantize_gradient(const float* x, const float* g,
                                                   std::size_t count, float scale,
                                                   const byte_codes& to, float* gx) {
    using reals = lanes<A, float>;
    constexpr int group = 16, registers = group / lane_count<A>;
    const auto first = static_cast<float>(to.lo - to.zero_point);
    const auto last = static_cast<float>(to.hi - to.zero_point);
    reals rounding[registers]{}, steps[registers]{}, clipped[registers]{};
    const auto add_group = [&](const float* from, const float* gradient,
                               float* result) QUANTAL_INLINE_LAMBDA {
        repeat<registers>([&](auto k) QUANTAL_INLINE_LAMBDA {
            const auto v = load<reals>(from + k * lane_count<A>);
            const auto d = load<reals>(gradient + k * lane_count<A>);
            const reals t = v / scale, r = to_float<A>(steps_of<A>(v, scale, to)), zero{};
            const auto inside = (t > first) & (t < last);
            store(result + k * lane_count<A>, inside ? d : zero);
            rounding[k] += rounded<A>(d * (inside ? r - t : zero));
            steps[k] += rounded<A>(d * (inside ? zero : r));
            clipped[k] += inside ? zero : d;
        });
    };
    std::size_t i = 0;
    for (; i + group <= count; i += group)
        add_group(x + i, g + i, gx + i);
    if (const std::size_t bytes = (count - i) * sizeof(float)) {
        float from[group]{}, gradient[group]{}, result[group];
        copy_part<sizeof from>(x + i, bytes, from);
        copy_part<sizeof gradient>(g + i, bytes, gradient);
        add_group(from, gradient, result);
        copy_part<sizeof result>(result, bytes, gx + i);
    }
    const auto total = [](const reals(&sums)[registers]) QUANTAL_INLINE_LAMBDA {
        double sum = 0.0;
        for (const reals& part : sums)
            for (int lane = 0; lane < lane_count<A>; ++lane)
                sum += double{part[lane]};
        return sum;
    };
    return {total(rounding), total(steps), total(clipped)};
}

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
