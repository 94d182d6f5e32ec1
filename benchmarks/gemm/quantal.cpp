// SPDX-License-Identifier: Apache-2.0
#include "task.hpp"

#include <quantal/ops/gemm.hpp>
#include <quantal/ops/real_gemm.hpp>

#include <bit>
#include <cmath>

namespace benchmarks {

implementation quantal_gemm(const gemm_task& t, const std::string& arch, int threads) {
    using namespace quantal;
    const auto bits = [](int most) { return static_cast<int>(std::bit_width(unsigned(most))); };
    const qspec x_spec = activation_spec(bits(t.u_max));
    const qparams x{x_spec, {1.0f}, {0}};
    const qspec w_spec{.bits = bits(t.w_max) + 1};
    const std::vector<std::int32_t> codes(t.w.begin(), t.w.end());
    struct state {
        any_prepared w;
        bound_gemm product;
        thread_pool pool;
        std::vector<std::uint8_t> y;

        state(any_prepared weights, const qparams& params, float scale, int workers)
            : w(std::move(weights)), product(w, params, chain(requantize<a8>{scale})),
              pool(static_cast<std::size_t>(workers)) {}
    };
    const gemm_options options{.activation_bits = x_spec.bits};
    auto s = std::make_shared<state>(
        prepare(any_qtensor({w_spec, {1.0f}, {0}}, {t.columns, t.depth}, codes), options,
                cpu::kernels_named(arch.c_str())),
        x, std::ldexp(1.0f, t.shift), threads);
    s->y.resize(t.outputs());
    return {"quantal " + s->product.describe(t.rows),
            [s, x = t.x.data(), rows = t.rows] { s->product.run(x, rows, s->y.data(), s->pool); },
            [s] { return s->y; }};
}

float_implementation quantal_float_gemm(const gemm_task& t, const std::string& arch) {
    using namespace quantal;
    struct state {
        real_weights w;
        tensor<float> x, y;
    };
    const std::vector<std::int32_t> codes(t.w.begin(), t.w.end());
    auto s = std::make_shared<state>(
        prepare_for_reals(any_qtensor({{.bits = 8}, {1.0f}, {0}}, {t.columns, t.depth}, codes),
                          cpu::kernels_named(arch.c_str())),
        tensor<float>({t.rows, t.depth}), tensor<float>({0}));
    std::copy(t.x.begin(), t.x.end(), s->x.values().begin());
    return {"quantal float32", [s] { s->y = gemm(s->x, s->w); },
            [s] { return std::vector<float>(s->y.values().begin(), s->y.values().end()); }};
}

} // namespace benchmarks
