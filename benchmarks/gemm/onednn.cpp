// SPDX-License-Identifier: Apache-2.0
/// oneDNN: u8 x s8 inner product, blocked weights of its own choice. It saturates without VNNI.
#include "task.hpp"

#include <omp.h>

#include <cmath>
#include <memory>

namespace benchmarks {

implementation onednn_gemm(const gemm_task& t, int threads) {
    using namespace dnnl;
    omp_set_num_threads(threads);
    auto s = std::make_shared<onednn_run>();
    const memory::desc x({t.rows, t.depth}, memory::data_type::u8, memory::format_tag::ab);
    const memory::desc y({t.rows, t.columns}, memory::data_type::u8, memory::format_tag::ab);
    const memory::dims w_dims{t.columns, t.depth};
    const memory::desc w(w_dims, memory::data_type::s8, memory::format_tag::any);
    primitive_attr attributes;
    attributes.set_output_scales(0, {std::ldexp(1.0f, -t.shift)});
    const inner_product_forward::primitive_desc description({prop_kind::forward_inference, x, w, y},
                                                            attributes, s->cpu);
    s->bind(x, t.x, {w_dims, memory::data_type::s8, memory::format_tag::ab}, t.w,
            description.weights_desc(), y);
    s->primitive = inner_product_forward(description);
    return {std::string("oneDNN ") + description.impl_info_str(), [s] { s->run(); },
            [s] { return s->result(); }};
}

} // namespace benchmarks
