// SPDX-License-Identifier: Apache-2.0
/// What all implementations by XNNPACK share.
#ifndef QUANTAL_BENCHMARKS_SUPPORT_XNNPACK_HPP
#define QUANTAL_BENCHMARKS_SUPPORT_XNNPACK_HPP

#include <cpuinfo.h>
#include <pthreadpool.h>
#include <xnnpack.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace benchmarks {

/// Keeps XNNPACK to the instruction set that quantal names so. It has no switch for it, but asks
/// libcpuinfo, whose answers are variables. Before its first use.
inline void hold_xnnpack(const std::string& arch) {
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

/// An operator on codes of int8, with its arrays.
struct xnnpack_run {
    xnn_operator_t op = nullptr;
    pthreadpool_t pool = nullptr;
    std::vector<std::int8_t> x, y;
    std::size_t outputs;

    xnnpack_run(const std::vector<std::uint8_t>& bytes, std::size_t results, int threads)
        : outputs(results) {
        constexpr std::size_t over_read = 64;
        require(xnn_initialize(nullptr));
        if (threads > 1) pool = pthreadpool_create(static_cast<std::size_t>(threads));
        for (const std::uint8_t u : bytes)
            x.push_back(static_cast<std::int8_t>(u - 128));
        x.resize(x.size() + over_read);
        y.resize(outputs + over_read);
    }
    xnnpack_run(const xnnpack_run&) = delete;
    xnnpack_run& operator=(const xnnpack_run&) = delete;
    ~xnnpack_run() {
        xnn_delete_operator(op);
        pthreadpool_destroy(pool);
    }

    static void require(xnn_status status) {
        if (status != xnn_status_success) throw std::runtime_error("XNNPACK refuses the task");
    }
    void run() const { xnn_run_operator(op, pool); }
    [[nodiscard]] std::vector<std::uint8_t> result() const {
        std::vector<std::uint8_t> bytes;
        for (std::size_t i = 0; i < outputs; ++i)
            bytes.push_back(static_cast<std::uint8_t>(y[i] + 128));
        return bytes;
    }
};

} // namespace benchmarks

#endif
