// SPDX-License-Identifier: Apache-2.0
/// matvec [ARCH [THREADS [CACHE_MIB]]]: one row times weights of 8, 4 and 2 bits that come from
/// memory. It goes round enough matrices of 4096 x 4096 that the narrowest set is four times the
/// last-level cache (of CACHE_MIB, or what the system says).
#include "support/race.hpp"

#include <quantal/kernel/cpu/dispatch.hpp>
#include <quantal/kernel/cpu/packed_gemm.hpp>
#include <quantal/runtime/thread_pool.hpp>

#include <cstdlib>
#include <fstream>
#include <random>

using namespace benchmarks;
using namespace quantal;

namespace {

constexpr std::int64_t size = 4096;

/// Matrices of one width, one row of x, and where the row goes.
struct task {
    int bits;
    std::vector<std::uint8_t> x;
    std::vector<std::int16_t> weights; ///< of all matrices, which are copies in memory
    std::vector<cpu::packed_gemm> matrices;
    cpu::gemm_constants constants;
    std::vector<std::int32_t> y;
    cpu::aligned_vector<std::byte> workspaces;
    std::size_t each, next = 0;

    task(int bits_, std::size_t count, const cpu::kernel_set& kernels, std::size_t threads)
        : bits(bits_), x(static_cast<std::size_t>(size)), weights(x.size() * x.size()),
          y(x.size()) {
        std::mt19937 g(static_cast<unsigned>(bits));
        for (auto& w : weights) // every code as often as any other
            w = static_cast<std::int16_t>(static_cast<int>(g() >> (32 - bits)) - (1 << (bits - 1)));
        for (auto& v : x)
            v = static_cast<std::uint8_t>(g());
        matrices.reserve(count);
        matrices.emplace_back(
            kernels, cpu::gemm_weights{size, size, false, size, weights, 255, gemm_rows::few});
        while (matrices.size() < count)
            matrices.push_back(cpu::packed_gemm(matrices[0]));
        constants.start.resize(static_cast<std::size_t>(matrices[0].padded_columns()));
        constants.multipliers.resize(constants.start.size());
        each = cpu::whole_lines(matrices[0].workspace_bytes(1));
        workspaces.resize(each * threads);
    }
    void verify() {
        for (std::size_t c = 0; c < y.size(); ++c) {
            std::int32_t sum = 0;
            for (std::size_t k = 0; k < x.size(); ++k)
                sum += x[k] * weights[c * x.size() + k];
            if (sum == y[c]) continue;
            std::printf("%d bits: channel %zu is wrong\n", bits, c);
            std::exit(1);
        }
    }
    void run(thread_pool& pool) {
        const cpu::packed_gemm& w = matrices[next];
        const cpu::gemm_call call{1, x.data(), y.data(), &constants};
        auto part = [&](std::size_t i, std::size_t worker) {
            w.run_task(i, pool.workers(), call, workspaces.data() + worker * each);
        };
        pool.run(w.task_count(1, pool.workers()), part);
        next = (next + 1) % matrices.size();
    }
};

/// What `lscpu -C` says; cpuid, and so sysconf, may tell of a host that is larger.
double cache_mib(int argc, char** argv) {
    if (argc > 3) return std::atof(argv[3]);
    double kib = 32 << 10;
    std::ifstream("/sys/devices/system/cpu/cpu0/cache/index3/size") >> kib;
    return kib / 1024;
}

} // namespace

int main(int argc, char** argv) {
    const cpu::kernel_set& kernels = cpu::kernels_named(argc > 1 ? argv[1] : "");
    const int threads = argc > 2 ? std::atoi(argv[2]) : 1;
    const double cache = cache_mib(argc, argv);
    constexpr double mib_of_two_bits = 4.0; // 4096 x 4096
    const auto count = static_cast<std::size_t>(4 * cache / mib_of_two_bits);
    thread_pool pool(static_cast<std::size_t>(threads));
    std::vector<task> tasks;
    tasks.reserve(3);
    std::vector<contender> contenders;
    for (const int bits : {8, 4, 2})
        tasks.emplace_back(bits, count, kernels, pool.workers());
    for (task& t : tasks) {
        t.run(pool);
        t.verify();
        contenders.push_back({std::to_string(t.bits), [&] { t.run(pool); }});
    }
    std::printf("%s, %d threads, %zu matrices, last-level cache of %.0f MiB; ratios to 8 bits\n",
                kernels.name, threads, count, cache);
    const auto results = race(contenders, threads, 9, 0.2);
    for (const result& r : results) {
        const double bytes = size * size / 8.0 * std::atof(r.name.c_str());
        std::printf(
            "%s bits (%s): %.2f [%.2f, %.2f], %.1f Gop/s, %.1f GB/s\n", r.name.c_str(),
            tasks[static_cast<std::size_t>(&r - results.data())].matrices[0].describe(1).c_str(),
            r.ratio, r.least, r.most, 2e-9 * size * size / r.seconds, 1e-9 * bytes / r.seconds);
    }
}
