// SPDX-License-Identifier: Apache-2.0
/// Convolution by plain loops, for integers and floats: the oracle that fast kernels equal.
#ifndef QUANTAL_KERNEL_REFERENCE_CONV2D_HPP
#define QUANTAL_KERNEL_REFERENCE_CONV2D_HPP

#include <quantal/kernel/reference/geometry.hpp>
#include <quantal/tensor/tensor.hpp>

#include <algorithm>
#include <vector>

namespace quantal {
inline namespace v0 {
namespace reference {

/// Weights in the order in which the loops read them: [kernel position][group][in][out], in and out
/// within the group. W holds what is multiplied: codes less their zero point, or floats.
template <class W>
struct conv_weights {
    std::int64_t groups, in, out; ///< channels within a group
    std::vector<W> values;
    std::int64_t block = in; ///< how many of `in` are summed together

    [[nodiscard]] bool is_depthwise() const { return in == 1 && out == 1; }
    [[nodiscard]] std::int64_t blocks() const { return (in + block - 1) / block; }
};

/// Reorders weights [out, in/groups, kh, kw] (or [out, in]); `get(i)` is row-major element i.
template <class W, class Get>
[[nodiscard]] conv_weights<W> arrange(const extents& shape, std::int64_t groups, Get&& get) {
    const std::int64_t out = shape[0] / groups;
    const std::int64_t in = shape[1];
    const std::int64_t positions = shape.rank() == 4 ? shape[2] * shape[3] : 1;
    conv_weights<W> w{groups, in, out, std::vector<W>(shape.count())};
    std::size_t i = 0;
    for (std::int64_t o = 0; o < shape[0]; ++o)
        for (std::int64_t c = 0; c < in; ++c)
            for (std::int64_t k = 0; k < positions; ++k, ++i) {
                const std::int64_t group = o / out;
                const std::int64_t place = ((k * groups + group) * in + c) * out + o % out;
                w.values[static_cast<std::size_t>(place)] = get(i);
            }
    return w;
}

namespace detail {

/// sums[o] += sum over c of x[c] * w[c][o], for one kernel position of one group.
template <class X, class W, class Acc>
void accumulate(const X* x, const W* w, std::int64_t in, std::int64_t out, Acc* sums) {
    for (std::int64_t c = 0; c < in; ++c, w += out) {
        const auto factor = static_cast<Acc>(x[c]);
        if (factor == Acc{0}) continue;
        for (std::int64_t o = 0; o < out; ++o)
            sums[o] += factor * static_cast<Acc>(w[o]);
    }
}

/// sums[c] += x[c] * w[c]: one kernel position of a depthwise convolution.
template <class X, class W, class Acc>
void accumulate_depthwise(const X* x, const W* w, std::int64_t channels, Acc* sums) {
    for (std::int64_t c = 0; c < channels; ++c)
        sums[c] += static_cast<Acc>(x[c]) * static_cast<Acc>(w[c]);
}

} // namespace detail

/// `sums[o] = start[o] + sum over the window of x * w` for each output position, handed to
/// `finish(position, sums)`. `x` is one image (codes less their zero point, or floats); padding
/// adds nothing, which is what padding with the zero point means. Sums run in the order of the
/// kernel positions, then input channels. Each block of input channels has sums of its own, one
/// block after the other.
template <class X, class W, class Acc, class Finish>
void conv2d(const window& win, const X* x, const conv_weights<W>& w, std::span<const Acc> start,
            Finish&& finish) {
    const std::int64_t in_channels = w.groups * w.in;
    const std::int64_t out_channels = w.groups * w.out;
    std::vector<Acc> sums(start.size());
    win.for_each_output([&](std::int64_t position, std::int64_t oy, std::int64_t ox) {
        std::copy(start.begin(), start.end(), sums.begin());
        win.for_each(oy, ox, [&](std::int64_t pixel, std::int64_t k) {
            const X* values = x + pixel * in_channels;
            const W* weights = w.values.data() + k * in_channels * w.out;
            if (w.is_depthwise())
                return detail::accumulate_depthwise(values, weights, w.groups, sums.data());
            for (std::int64_t g = 0; g < w.groups; ++g)
                for (std::int64_t b = 0; b < w.blocks(); ++b) {
                    const std::int64_t first = g * w.in + b * w.block;
                    detail::accumulate(values + first, weights + first * w.out,
                                       std::min(w.block, w.in - b * w.block), w.out,
                                       sums.data() + b * out_channels + g * w.out);
                }
        });
        finish(position, std::span<const Acc>(sums));
    });
}

} // namespace reference
} // namespace v0
} // namespace quantal

#endif
