// SPDX-License-Identifier: Apache-2.0
/// convolution [ARCH [THREADS [FIRST [END]]]]: integer convolutions of ResNet, VGG and MobileNet,
/// one image, the peers kept to the same instruction set. (XNNPACK's int8 kernels know nothing of
/// VNNI.)
#include "support/onednn.hpp"
#include "support/race.hpp"
#include "support/xnnpack.hpp"
#include "task.hpp"

#include <cmath>
#include <span>

using namespace benchmarks;

namespace {

struct layer {
    int size, in, out, kernel, stride, groups;
};
constexpr layer layers[] = {
    {56, 64, 64, 3, 1, 1},   {28, 128, 128, 3, 1, 1},   {14, 256, 256, 3, 1, 1},
    {7, 512, 512, 3, 1, 1},  {112, 64, 128, 3, 1, 1},   {224, 64, 64, 3, 1, 1},
    {224, 3, 64, 7, 2, 1},   {56, 64, 128, 1, 2, 1},    {56, 24, 144, 1, 1, 1},
    {56, 144, 24, 1, 1, 1},  {14, 384, 64, 1, 1, 1},    {7, 320, 1280, 1, 1, 1},
    {112, 32, 32, 3, 1, 32}, {56, 144, 144, 3, 1, 144}, {14, 384, 384, 3, 1, 384}};

struct width {
    const char* name;
    int u_max, w_max;
};
constexpr width widths[] = {{"W8A8", 255, 127}, {"W4A8", 255, 7}, {"W4A4", 15, 7}};

/// Stops unless all implementations agree on data that none of them saturates on.
void verify(const layer& l, const std::string& arch, int threads) {
    const conv_task task(l.size, l.in, l.out, l.kernel, l.stride, l.groups, 255, 63);
    const auto a = quantal_conv(task, arch, threads);
    a.run();
    for (const auto& b : {onednn_conv(task, threads), xnnpack_conv(task, threads)}) {
        b.run();
        if (a.result() == b.result()) continue;
        std::printf("%s differs from %s\n", b.name.c_str(), a.name.c_str());
        std::exit(1);
    }
}

} // namespace

int main(int argc, char** argv) {
    const std::string arch = argc > 1 ? argv[1] : "";
    const int threads = argc > 2 ? std::atoi(argv[2]) : 1;
    const std::size_t first = argc > 3 ? std::stoul(argv[3]) : 0;
    const std::size_t end = argc > 4 ? std::stoul(argv[4]) : std::size(layers);
    hold_onednn(arch);
    hold_xnnpack(arch);
    std::vector<double> logs[4];
    std::printf("ratios to oneDNN u8s8: median [least, most] of 9 rounds\n");
    const auto part = std::span(layers).subspan(first, end - first);
    for (const layer& l : part) {
        verify(l, arch, threads);
        std::vector<conv_task> tasks;
        for (const width& w : widths)
            tasks.emplace_back(l.size, l.in, l.out, l.kernel, l.stride, l.groups, w.u_max, w.w_max);
        std::vector<contender> contenders;
        const auto add = [&](const conv_implementation& i) {
            contenders.push_back({i.name, i.run});
        };
        add(onednn_conv(tasks[0], threads));
        add(xnnpack_conv(tasks[0], threads));
        for (const conv_task& task : tasks)
            add(quantal_conv(task, arch, threads));
        const auto results = race(contenders, threads);
        std::printf("%3d^2 %4d -> %4d k%d s%d g%-3d oneDNN %5.0f Gop/s", l.size, l.in, l.out,
                    l.kernel, l.stride, l.groups,
                    tasks[0].operations() / results[0].seconds * 1e-9);
        for (std::size_t i = 1; i < results.size(); ++i) {
            const result& r = results[i];
            std::printf(" | %s %.2f [%.2f, %.2f]", i == 1 ? "XNNPACK" : widths[i - 2].name, r.ratio,
                        r.least, r.most);
            logs[i - 1].push_back(std::log(r.ratio));
        }
        std::printf("\n");
        std::fflush(stdout);
    }
    std::printf("geometric mean, XNNPACK W8A8 W4A8 W4A4:");
    for (const auto& l : logs) {
        double sum = 0;
        for (const double v : l)
            sum += v;
        std::printf(" %.2f", std::exp(sum / static_cast<double>(l.size())));
    }
    std::printf("\n");
}
