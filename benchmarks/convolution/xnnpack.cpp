// SPDX-License-Identifier: Apache-2.0
/// XNNPACK: s8 x s8, exact.
#include "task.hpp"

#include <cmath>
#include <memory>

namespace benchmarks {

implementation xnnpack_conv(const conv_task& t, int threads) {
    const auto outputs = static_cast<std::size_t>(t.output_size()) *
                         static_cast<std::size_t>(t.output_size() * t.out);
    auto s = std::make_shared<xnnpack_run>(t.x, outputs, threads);
    // Weights [out, kernel, kernel, in]; depthwise ones [kernel, kernel, channels].
    const std::size_t positions = static_cast<std::size_t>(t.kernel) * t.kernel;
    const std::size_t in = static_cast<std::size_t>(t.in / t.groups);
    const bool depthwise = t.groups == t.in;
    std::vector<std::int8_t> w(t.w.size());
    for (std::size_t o = 0; o < static_cast<std::size_t>(t.out); ++o)
        for (std::size_t c = 0; c < in; ++c)
            for (std::size_t k = 0; k < positions; ++k)
                w[depthwise ? k * static_cast<std::size_t>(t.out) + o
                            : (o * positions + k) * in + c] = t.w[(o * in + c) * positions + k];
    const auto u = [](int v) { return static_cast<std::uint32_t>(v); };
    const std::vector<std::int32_t> bias(static_cast<std::size_t>(t.out), 0);
    s->require(xnn_create_convolution2d_nhwc_qs8(
        u(t.padding()), u(t.padding()), u(t.padding()), u(t.padding()), u(t.kernel), u(t.kernel),
        u(t.stride), u(t.stride), 1, 1, u(t.groups), in, static_cast<std::size_t>(t.out / t.groups),
        static_cast<std::size_t>(t.in), static_cast<std::size_t>(t.out), -128, 1.0f, 1.0f, w.data(),
        bias.data(), -128, std::ldexp(1.0f, t.shift), -128, 127,
        depthwise ? XNN_FLAG_DEPTHWISE_CONVOLUTION : 0u, &s->op));
    s->require(xnn_setup_convolution2d_nhwc_qs8(s->op, 1, static_cast<std::size_t>(t.size),
                                                static_cast<std::size_t>(t.size), s->x.data(),
                                                s->y.data(), s->pool));
    return {"XNNPACK", [s] { s->run(); }, [s] { return s->result(); }};
}

} // namespace benchmarks
