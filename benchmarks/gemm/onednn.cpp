// SPDX-License-Identifier: Apache-2.0
/// oneDNN: u8 x s8 inner product, blocked weights of its own choice. It saturates without VNNI.
#include "task.hpp"

#include "support/onednn.hpp"

#include <omp.h>

#include <cmath>
#include <cstring>
#include <memory>

namespace benchmarks {

gemm_implementation onednn_gemm(const gemm_task& t, int threads) {
    using namespace dnnl;
    omp_set_num_threads(threads);
    struct state {
        engine cpu{engine::kind::cpu, 0};
        stream queue{cpu};
        memory x, w, y;
        inner_product_forward primitive;
    };
    auto s = std::make_shared<state>();
    const memory::desc x({t.rows, t.depth}, memory::data_type::u8, memory::format_tag::ab);
    const memory::desc y({t.rows, t.columns}, memory::data_type::u8, memory::format_tag::ab);
    const memory::dims w_dims{t.columns, t.depth};
    const memory::desc w(w_dims, memory::data_type::s8, memory::format_tag::any);
    primitive_attr attributes;
    attributes.set_output_scales(0, {std::ldexp(1.0f, -t.shift)});
    const inner_product_forward::primitive_desc description({prop_kind::forward_inference, x, w, y},
                                                            attributes, s->cpu);
    s->x = memory(x, s->cpu);
    s->y = memory(y, s->cpu);
    s->w = memory(description.weights_desc(), s->cpu);
    memory source({w_dims, memory::data_type::s8, memory::format_tag::ab}, s->cpu);
    std::memcpy(s->x.get_data_handle(), t.x.data(), t.x.size());
    std::memcpy(source.get_data_handle(), t.w.data(), t.w.size());
    reorder(source, s->w).execute(s->queue, source, s->w);
    s->queue.wait();
    s->primitive = inner_product_forward(description);
    return {std::string("oneDNN ") + description.impl_info_str(),
            [s] {
                s->primitive.execute(
                    s->queue,
                    {{DNNL_ARG_SRC, s->x}, {DNNL_ARG_WEIGHTS, s->w}, {DNNL_ARG_DST, s->y}});
                s->queue.wait();
            },
            [s] { return bytes_of(s->y); }};
}

} // namespace benchmarks
