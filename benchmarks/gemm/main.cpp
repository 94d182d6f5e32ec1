// SPDX-License-Identifier: Apache-2.0
/// gemm [ARCH [THREADS]]: integer matrix products as networks have them, the peers kept to the same
/// instruction set. (XNNPACK's int8 kernels know nothing of VNNI.)
#include "support/onednn.hpp"
#include "support/race.hpp"
#include "support/xnnpack.hpp"
#include "task.hpp"

#include <cmath>

using namespace benchmarks;

namespace {

struct shape {
    int rows, columns, depth;
};
constexpr shape shapes[] = {{1, 4096, 4096}, {64, 512, 512}, {196, 256, 2304}, {784, 128, 1152},
                            {3136, 64, 576}, {3136, 64, 64}, {49, 512, 4608},  {1024, 1024, 1024}};

struct width {
    const char* name;
    int u_max, w_max;
};
constexpr width widths[] = {{"W8A8", 255, 127}, {"W4A8", 255, 7}, {"W4A4", 15, 7}};

/// Stops unless all implementations agree on data that none of them saturates on.
void verify(const shape& s, const std::string& arch, int threads) {
    const gemm_task task(s.rows, s.columns, s.depth, 255, 63);
    const auto a = quantal_gemm(task, arch, threads);
    a.run();
    for (const auto& b : {onednn_gemm(task, threads), xnnpack_gemm(task, threads)}) {
        b.run();
        if (a.result() == b.result()) continue;
        std::printf("%s differs from %s\n", b.name.c_str(), a.name.c_str());
        std::exit(1);
    }
}

double geometric_mean(const std::vector<double>& ratios) {
    double sum = 0;
    for (const double r : ratios)
        sum += std::log(r);
    return std::exp(sum / static_cast<double>(ratios.size()));
}

} // namespace

int main(int argc, char** argv) {
    const std::string arch = argc > 1 ? argv[1] : "";
    const int threads = argc > 2 ? std::atoi(argv[2]) : 1;
    hold_onednn(arch);
    hold_xnnpack(arch);
    std::vector<double> ratios[4];
    std::printf("ratios to oneDNN u8s8: median [least, most] of 9 rounds; %d threads\n", threads);
    for (const shape& s : shapes) {
        verify(s, arch, threads);
        std::vector<gemm_task> tasks;
        for (const width& w : widths)
            tasks.emplace_back(s.rows, s.columns, s.depth, w.u_max, w.w_max);
        std::vector<contender> contenders;
        const auto add = [&](const gemm_implementation& i) {
            contenders.push_back({i.name, i.run});
        };
        add(onednn_gemm(tasks[0], threads));
        add(xnnpack_gemm(tasks[0], threads));
        for (const gemm_task& task : tasks)
            add(quantal_gemm(task, arch, threads));
        const auto results = race(contenders, threads);
        std::printf("%4d x %4d x %4d %s %5.0f Gop/s", s.rows, s.columns, s.depth,
                    results[0].name.c_str(), tasks[0].operations() / results[0].seconds * 1e-9);
        for (std::size_t i = 1; i < results.size(); ++i) {
            const result& r = results[i];
            std::printf(" | %s %.2f [%.2f, %.2f]", i == 1 ? "XNNPACK" : widths[i - 2].name, r.ratio,
                        r.least, r.most);
            ratios[i - 1].push_back(r.ratio);
        }
        std::printf(" (%s)\n", results[2].name.c_str());
        std::fflush(stdout);
    }
    std::printf("geometric means: XNNPACK %.2f", geometric_mean(ratios[0]));
    for (std::size_t i = 0; i < 3; ++i)
        std::printf(" | %s %.2f", widths[i].name, geometric_mean(ratios[i + 1]));
    std::printf(" | W8A8 to XNNPACK %.2f\n", geometric_mean(ratios[1]) / geometric_mean(ratios[0]));
}
