// SPDX-License-Identifier: Apache-2.0
/// XNNPACK: s8 x s8, exact.
#include "task.hpp"

#include <cpuinfo.h>
#include <pthreadpool.h>
#include <xnnpack.h>

#include <cmath>
#include <memory>
#include <stdexcept>

namespace benchmarks {

/// XNNPACK has no switch for it; it asks libcpuinfo, whose answers are variables.
void hold_xnnpack(const std::string& arch) {
    if (!cpuinfo_initialize()) throw std::runtime_error("libcpuinfo does not know this CPU");
#if defined(__x86_64__)
    cpuinfo_x86_isa& has = cpuinfo_isa;
    if (arch == "avx512_vnni" || arch.empty()) return;
    has.avx512f = has.avx512bw = has.avx512cd = has.avx512dq = has.avx512vl = false;
    has.xop = false; // of AMD's Bulldozer only
    if (arch == "avx2" || arch == "avx_vnni") return;
    has.avx2 = has.avx = false;
#endif
}

conv_implementation xnnpack_conv(const conv_task& t, int threads) {
    struct state {
        xnn_operator_t op = nullptr;
        pthreadpool_t pool = nullptr;
        std::vector<std::int8_t> x, y;
        ~state() {
            xnn_delete_operator(op);
            pthreadpool_destroy(pool);
        }
    };
    auto s = std::make_shared<state>();
    const auto check = [](xnn_status status) {
        if (status != xnn_status_success) throw std::runtime_error("XNNPACK refuses the layer");
    };
    check(xnn_initialize(nullptr));
    if (threads > 1) s->pool = pthreadpool_create(static_cast<std::size_t>(threads));
    constexpr std::size_t over_read = 64;
    for (const std::uint8_t u : t.x)
        s->x.push_back(static_cast<std::int8_t>(u - 128));
    s->x.resize(s->x.size() + over_read);
    const auto outputs = static_cast<std::size_t>(t.output_size()) *
                         static_cast<std::size_t>(t.output_size() * t.out);
    s->y.resize(outputs + over_read);
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
    check(xnn_create_convolution2d_nhwc_qs8(
        u(t.padding()), u(t.padding()), u(t.padding()), u(t.padding()), u(t.kernel), u(t.kernel),
        u(t.stride), u(t.stride), 1, 1, u(t.groups), in, static_cast<std::size_t>(t.out / t.groups),
        static_cast<std::size_t>(t.in), static_cast<std::size_t>(t.out), -128, 1.0f, 1.0f, w.data(),
        bias.data(), -128, std::ldexp(1.0f, t.shift), -128, 127,
        depthwise ? XNN_FLAG_DEPTHWISE_CONVOLUTION : 0u, &s->op));
    check(xnn_setup_convolution2d_nhwc_qs8(s->op, 1, static_cast<std::size_t>(t.size),
                                           static_cast<std::size_t>(t.size), s->x.data(),
                                           s->y.data(), s->pool));
    return {"XNNPACK", [s] { xnn_run_operator(s->op, s->pool); },
            [s, outputs] {
                std::vector<std::uint8_t> y;
                for (std::size_t i = 0; i < outputs; ++i)
                    y.push_back(static_cast<std::uint8_t>(s->y[i] + 128));
                return y;
            }};
}

} // namespace benchmarks
