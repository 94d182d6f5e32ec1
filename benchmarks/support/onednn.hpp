// SPDX-License-Identifier: Apache-2.0
/// What all implementations by oneDNN share.
#ifndef QUANTAL_BENCHMARKS_SUPPORT_ONEDNN_HPP
#define QUANTAL_BENCHMARKS_SUPPORT_ONEDNN_HPP

#include <dnnl.hpp>

#include <cstdint>
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

[[nodiscard]] inline std::vector<std::uint8_t> bytes_of(const dnnl::memory& y) {
    const auto* from = static_cast<const std::uint8_t*>(y.get_data_handle());
    return {from, from + y.get_desc().get_size()};
}

} // namespace benchmarks

#endif
