// SPDX-License-Identifier: Apache-2.0
/// One weighted layer with random data, and its definition to hold it against.
#ifndef QUANTAL_TESTS_KERNEL_REFERENCE_LAYER_CASE_HPP
#define QUANTAL_TESTS_KERNEL_REFERENCE_LAYER_CASE_HPP

#include "support/random.hpp"

#include <quantal/passes/optimize.hpp>
#include <quantal/passes/place.hpp>
#include <quantal/runtime/calibrate.hpp>
#include <quantal/runtime/program.hpp>

namespace support {

using namespace quantal;

using ints = std::vector<std::int32_t>;

/// A network of one weighted layer, "layer", and what it computed for each image.
struct layer_case {
    plan p;
    table t;
    tensor<float> images;
    std::map<value, std::vector<ints>> codes{}; ///< by node, one entry an image
    tensor<float> output{};

    [[nodiscard]] const node& layer() const { return p.at(1); }
};

/// Calibrates and runs `net`.
template <requantizer R>
layer_case run(graph net, const quantization& q, tensor<float> images) {
    plan p = place(passes::optimize(std::move(net)), q);
    table t = calibrate(p, reference_executor(p.net), std::vector{images});
    layer_case c{std::move(p), std::move(t), std::move(images)};
    c.output =
        lower(c.p, c.t, R{})
            .run(c.images, 2, [&](value v, std::size_t, std::span<const std::int32_t> q_of_v) {
                c.codes[v].emplace_back(q_of_v.begin(), q_of_v.end());
            });
    return c;
}

/// A random convolution, and behind it what makes its output codes: a relu and a pool of 1 x 1.
template <requantizer R = requantizers::in_float>
layer_case random_convolution(std::mt19937& g, const quantization& q, bool to_codes) {
    const auto any = [&](std::int64_t lo, std::int64_t hi) {
        return std::uniform_int_distribution<std::int64_t>(lo, hi)(g);
    };
    const std::int64_t groups = any(1, 2);
    const std::int64_t in = groups * any(1, 7);
    graph net;
    const value x = net.input({in, any(4, 6), any(4, 6)});
    const value y = net.conv2d("layer", x,
                               {.out_channels = groups * any(1, 4),
                                .kernel = {any(1, 3), any(1, 3)},
                                .stride = {any(1, 2), any(1, 2)},
                                .padding = {any(0, 1), any(0, 1), any(0, 1), any(0, 1)},
                                .groups = groups,
                                .bias = any(0, 1) == 1});
    if (to_codes) net.max_pool("pool", net.relu("relu", y), {.kernel = 1, .stride = 1});
    support::randomize(net, g);
    tensor<float> images = support::normal(g, net.at(x).shape.with_front(3));
    return run<R>(std::move(net), q, std::move(images));
}

/// Calls `f(i, c, k)` for each input element i (channels, height, width) under output element
/// (o, y, x) of the layer; c and k are the input channel within its group and the row-major index
/// of the weight. In the order of the kernel positions, then channels.
template <class F>
void for_each_product(const layer_case& c, std::int64_t o, std::int64_t y, std::int64_t x, F&& f) {
    const auto& conv = *c.layer().as<op::conv2d>();
    const extents& in = c.p.at(0).shape;
    const std::int64_t channels = in[0] / conv.groups;
    const std::int64_t first = o / (conv.out_channels / conv.groups) * channels;
    for (std::int64_t ky = 0; ky < conv.kernel.h; ++ky)
        for (std::int64_t kx = 0; kx < conv.kernel.w; ++kx)
            for (std::int64_t i = 0; i < channels; ++i) {
                const std::int64_t h = y * conv.stride.h - conv.padding.top + ky;
                const std::int64_t w = x * conv.stride.w - conv.padding.left + kx;
                if (h < 0 || h >= in[1] || w < 0 || w >= in[2]) continue;
                f(static_cast<std::size_t>(((first + i) * in[1] + h) * in[2] + w),
                  static_cast<std::size_t>(i),
                  static_cast<std::size_t>(
                      ((o * channels + i) * conv.kernel.h + ky) * conv.kernel.w + kx));
            }
}

/// All outputs of an image in logical order, from `f(o, y, x)`.
template <class F>
auto for_each_output(const layer_case& c, F&& f) {
    std::vector<decltype(f(0, 0, 0))> result;
    const extents& s = c.layer().shape;
    for (std::int64_t o = 0; o < s[0]; ++o)
        for (std::int64_t y = 0; y < s[1]; ++y)
            for (std::int64_t x = 0; x < s[2]; ++x)
                result.push_back(f(o, y, x));
    return result;
}

/// `a * b` rounded to float32 before anything else: volatile, so that no sum can swallow it.
inline float times(float a, float b) {
    volatile float product = a * b;
    return product;
}

inline float bias_of(const layer_case& c, std::int64_t o) {
    const auto* bias = c.p.net.find_parameter(c.layer(), "bias");
    return bias ? (*bias)[static_cast<std::size_t>(o)] : 0.0f;
}

} // namespace support

#endif
