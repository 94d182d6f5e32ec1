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

namespace {

/// XNNPACK has no switch for the instruction set; it asks libcpuinfo, whose answers are kept in a
/// global. Before its first initialization they are cut down to AVX2.
void hold_to_avx2() {
    cpuinfo_initialize();
    cpuinfo_isa.avx512f = cpuinfo_isa.avx512cd = cpuinfo_isa.avx512dq = cpuinfo_isa.avx512bw =
        cpuinfo_isa.avx512vl = cpuinfo_isa.avx512vnni = false;
}

} // namespace

gemm_implementation xnnpack_gemm(const gemm_task& t, const std::string& arch, int threads) {
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
        if (status != xnn_status_success) throw std::runtime_error("XNNPACK refuses the product");
    };
    if (arch == "avx2") hold_to_avx2();
    check(xnn_initialize(nullptr));
    if (threads > 1) s->pool = pthreadpool_create(static_cast<std::size_t>(threads));
    constexpr std::size_t over_read = 64;
    for (const std::uint8_t u : t.x)
        s->x.push_back(static_cast<std::int8_t>(u - 128));
    s->x.resize(s->x.size() + over_read);
    s->y.resize(t.outputs() + over_read);
    const std::vector<std::int32_t> bias(static_cast<std::size_t>(t.columns), 0);
    const auto in = static_cast<std::size_t>(t.depth), out = static_cast<std::size_t>(t.columns);
    check(xnn_create_fully_connected_nc_qs8(in, out, in, out, -128, 1.0f, 1.0f, t.w.data(),
                                            bias.data(), -128, std::ldexp(1.0f, t.shift), -128, 127,
                                            0, &s->op));
    check(xnn_setup_fully_connected_nc_qs8(s->op, static_cast<std::size_t>(t.rows), s->x.data(),
                                           s->y.data(), s->pool));
    return {"XNNPACK", [s] { xnn_run_operator(s->op, s->pool); },
            [s, outputs = t.outputs()] {
                std::vector<std::uint8_t> y;
                for (std::size_t i = 0; i < outputs; ++i)
                    y.push_back(static_cast<std::uint8_t>(s->y[i] + 128));
                return y;
            }};
}

} // namespace benchmarks
