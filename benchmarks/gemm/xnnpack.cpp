// SPDX-License-Identifier: Apache-2.0
/// XNNPACK: s8 x s8, exact.
#include "task.hpp"

#include <cmath>
#include <memory>

namespace benchmarks {

implementation xnnpack_gemm(const gemm_task& t, int threads) {
    auto s = std::make_shared<xnnpack_run>(t.x, t.outputs(), threads);
    const std::vector<std::int32_t> bias(static_cast<std::size_t>(t.columns), 0);
    const auto in = static_cast<std::size_t>(t.depth), out = static_cast<std::size_t>(t.columns);
    s->require(xnn_create_fully_connected_nc_qs8(in, out, in, out, -128, 1.0f, 1.0f, t.w.data(),
                                                 bias.data(), -128, std::ldexp(1.0f, t.shift), -128,
                                                 127, 0, &s->op));
    s->require(xnn_setup_fully_connected_nc_qs8(s->op, static_cast<std::size_t>(t.rows),
                                                s->x.data(), s->y.data(), s->pool));
    return {"XNNPACK", [s] { s->run(); }, [s] { return s->result(); }};
}

} // namespace benchmarks
