// SPDX-License-Identifier: Apache-2.0
/// oneDNN: u8 x s8, blocked weights of its own choice. Its kernels saturate without VNNI.
#include "task.hpp"

#include <omp.h>

#include <cmath>
#include <memory>

namespace benchmarks {

implementation onednn_conv(const conv_task& t, int threads) {
    using namespace dnnl;
    omp_set_num_threads(threads);
    auto s = std::make_shared<onednn_run>();
    const memory::dim n = 1, size = t.size, out_size = t.output_size(), pad = t.padding();
    const memory::dims w_dims = t.groups == 1 ? memory::dims{t.out, t.in, t.kernel, t.kernel}
                                              : memory::dims{t.groups, t.out / t.groups,
                                                             t.in / t.groups, t.kernel, t.kernel};
    const memory::desc x({n, t.in, size, size}, memory::data_type::u8, memory::format_tag::nhwc);
    const memory::desc y({n, t.out, out_size, out_size}, memory::data_type::u8,
                         memory::format_tag::nhwc);
    const memory::desc w(w_dims, memory::data_type::s8, memory::format_tag::any);
    const memory::desc plain(w_dims, memory::data_type::s8,
                             t.groups == 1 ? memory::format_tag::oihw : memory::format_tag::goihw);
    primitive_attr attributes;
    attributes.set_output_scales(
        2, std::vector<float>(static_cast<std::size_t>(t.out), std::ldexp(1.0f, -t.shift)));
    const convolution_forward::primitive_desc description({prop_kind::forward_inference,
                                                           algorithm::convolution_direct,
                                                           x,
                                                           w,
                                                           y,
                                                           {t.stride, t.stride},
                                                           {pad, pad},
                                                           {pad, pad}},
                                                          attributes, s->cpu);
    s->bind(x, t.x, plain, t.w, description.weights_desc(), y);
    s->primitive = convolution_forward(description);
    return {"oneDNN", [s] { s->run(); }, [s] { return s->result(); }};
}

} // namespace benchmarks
