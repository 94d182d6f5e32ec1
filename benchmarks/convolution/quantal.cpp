// SPDX-License-Identifier: Apache-2.0
#include "task.hpp"

#include <quantal/kernel/cpu/prepare_conv.hpp>
#include <quantal/runtime/thread_pool.hpp>

#include <cmath>

namespace benchmarks {

implementation quantal_conv(const conv_task& t, const std::string& arch, int threads) {
    using namespace quantal;
    struct state {
        std::shared_ptr<const cpu::conv_layer> layer;
        std::vector<cpu::aligned_vector<std::byte>> workspaces;
        std::vector<std::uint8_t> y;
        thread_pool pool;

        explicit state(int workers) : pool(static_cast<std::size_t>(workers)) {}
    };
    auto s = std::make_shared<state>(threads);
    const std::vector<std::int16_t> weights(t.w.begin(), t.w.end());
    const auto out = static_cast<std::size_t>(t.out);
    const std::vector<std::int32_t> bias(out, 0);
    const std::vector<float> multipliers(out, std::ldexp(1.0f, -t.shift));
    cpu::conv_problem p;
    p.shape = {{.out_channels = t.out,
                .kernel = t.kernel,
                .stride = t.stride,
                .padding = t.padding(),
                .groups = t.groups},
               t.in,
               t.size};
    p.u_max = t.u_max;
    p.weights = weights;
    p.bias = bias;
    p.multipliers = multipliers;
    p.rule = {cpu::output_kind::codes, {0, 0, 255}, {}};
    s->layer = cpu::prepare_conv(p, cpu::kernels_named(arch.c_str()));
    s->workspaces.assign(static_cast<std::size_t>(threads),
                         cpu::aligned_vector<std::byte>(s->layer->workspace_bytes()));
    s->y.resize(static_cast<std::size_t>(p.shape.output_pixels()) * out);
    return {"quantal " + s->layer->describe(),
            [s, x = t.x.data()] {
                const cpu::conv_call call{1, x, s->y.data(), nullptr,
                                          static_cast<std::int64_t>(s->pool.workers())};
                auto task = [&](std::size_t i, std::size_t worker) {
                    s->layer->run_task(i, call, s->workspaces[worker].data());
                };
                s->pool.run(s->layer->task_count(call), task);
            },
            [s] { return s->y; }};
}

} // namespace benchmarks
