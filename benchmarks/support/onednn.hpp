// SPDX-License-Identifier: Apache-2.0
/// What all implementations by oneDNN share.
#ifndef QUANTAL_BENCHMARKS_SUPPORT_ONEDNN_HPP
#define QUANTAL_BENCHMARKS_SUPPORT_ONEDNN_HPP

#include <dnnl.hpp>

#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

namespace benchmarks {

/// Keeps oneDNN to the instruction set that quantal names so. Before its first use.
inline void hold_onednn(const std::string& arch) {
    const auto isa = arch == "avx_vnni" ? dnnl::cpu_isa::avx2_vnni
                     : arch == "avx2"   ? dnnl::cpu_isa::avx2
                     : arch == "sse4_1" ? dnnl::cpu_isa::sse41
                                        : dnnl::cpu_isa::all;
    if (dnnl::set_max_cpu_isa(isa) != dnnl::status::success)
        throw std::runtime_error("oneDNN's instruction set cannot be changed any more");
}

/// A primitive with its engine and its arguments: bytes in and out, weights reordered once.
struct onednn_run {
    dnnl::engine cpu{dnnl::engine::kind::cpu, 0};
    dnnl::stream queue{cpu};
    dnnl::memory x, w, y;
    dnnl::primitive primitive;

    /// `plain` describes `weights` as they lie, `wanted` as the primitive reads them.
    void bind(const dnnl::memory::desc& x_desc, const std::vector<std::uint8_t>& bytes,
              const dnnl::memory::desc& plain, const std::vector<std::int8_t>& weights,
              const dnnl::memory::desc& wanted, const dnnl::memory::desc& y_desc) {
        x = dnnl::memory(x_desc, cpu);
        y = dnnl::memory(y_desc, cpu);
        w = dnnl::memory(wanted, cpu);
        dnnl::memory source(plain, cpu);
        std::memcpy(x.get_data_handle(), bytes.data(), bytes.size());
        std::memcpy(source.get_data_handle(), weights.data(), weights.size());
        dnnl::reorder(source, w).execute(queue, source, w);
        queue.wait();
    }
    void run() {
        primitive.execute(queue, {{DNNL_ARG_SRC, x}, {DNNL_ARG_WEIGHTS, w}, {DNNL_ARG_DST, y}});
        queue.wait();
    }
    [[nodiscard]] std::vector<std::uint8_t> result() const {
        const auto* from = static_cast<const std::uint8_t*>(y.get_data_handle());
        return {from, from + y.get_desc().get_size()};
    }
};

} // namespace benchmarks

#endif
