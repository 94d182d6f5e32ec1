// SPDX-License-Identifier: Apache-2.0
/// convolution [ARCH [THREADS [FIRST [END]]]]: integer convolutions of ResNet, VGG and MobileNet,
/// one image, the peers kept to the same instruction set. (XNNPACK's int8 kernels know nothing of
/// VNNI.)
#include "task.hpp"

#include <span>

using namespace benchmarks;

int main(int argc, char** argv) {
    constexpr conv_layer_size layers[] = {
        {56, 64, 64, 3, 1, 1},   {28, 128, 128, 3, 1, 1},   {14, 256, 256, 3, 1, 1},
        {7, 512, 512, 3, 1, 1},  {112, 64, 128, 3, 1, 1},   {224, 64, 64, 3, 1, 1},
        {224, 3, 64, 7, 2, 1},   {56, 64, 128, 1, 2, 1},    {56, 24, 144, 1, 1, 1},
        {56, 144, 24, 1, 1, 1},  {14, 384, 64, 1, 1, 1},    {7, 320, 1280, 1, 1, 1},
        {112, 32, 32, 3, 1, 32}, {56, 144, 144, 3, 1, 144}, {14, 384, 384, 3, 1, 384}};
    product_table table(argc > 1 ? argv[1] : "", argc > 2 ? std::atoi(argv[2]) : 1);
    const std::size_t first = argc > 3 ? std::stoul(argv[3]) : 0;
    const std::size_t end = argc > 4 ? std::stoul(argv[4]) : std::size(layers);
    for (const conv_layer_size& l : std::span(layers).subspan(first, end - first)) {
        char label[40];
        std::snprintf(label, sizeof label, "%3d^2 %4d -> %4d k%d s%d g%-3d", l.size, l.in, l.out,
                      l.kernel, l.stride, l.groups);
        const auto make = [&](int u_max, int w_max) { return conv_task(l, u_max, w_max); };
        table.row(label, make, quantal_conv, onednn_conv, xnnpack_conv);
    }
    table.print_means();
}
