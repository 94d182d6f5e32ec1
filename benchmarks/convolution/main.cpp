// SPDX-License-Identifier: Apache-2.0
/// Integer convolutions of ResNet, VGG and MobileNet, one image, the peers kept to the same
/// instruction set. (XNNPACK's int8 kernels know nothing of VNNI.)
#include "task.hpp"

#include "support/product_table.hpp"

#include <span>

using namespace benchmarks;

namespace {

constexpr conv_layer_size layers[] = {
    {56, 64, 64, 3, 1, 1},   {28, 128, 128, 3, 1, 1},   {14, 256, 256, 3, 1, 1},
    {7, 512, 512, 3, 1, 1},  {112, 64, 128, 3, 1, 1},   {224, 64, 64, 3, 1, 1},
    {224, 3, 64, 7, 2, 1},   {56, 64, 128, 1, 2, 1},    {56, 24, 144, 1, 1, 1},
    {56, 144, 24, 1, 1, 1},  {14, 384, 64, 1, 1, 1},    {7, 320, 1280, 1, 1, 1},
    {112, 32, 32, 3, 1, 32}, {56, 144, 144, 3, 1, 144}, {14, 384, 384, 3, 1, 384}};

void race_convolutions(const options& o, std::size_t first, std::size_t end) {
    product_table table("convolution", o);
    for (const conv_layer_size& l : std::span(layers).subspan(first, end - first)) {
        char label[40];
        std::snprintf(label, sizeof label, "%3d^2 %4d -> %4d k%d s%d g%-3d", l.size, l.in, l.out,
                      l.kernel, l.stride, l.groups);
        const auto make = [&](int u_max, int w_max) { return conv_task(l, u_max, w_max); };
        table.row(label, make, quantal_conv, onednn_conv, xnnpack_conv);
    }
    table.finish();
}

} // namespace

int main(int argc, char** argv) {
    CLI::App app("Convolutions in integers against peers", "convolution_benchmark");
    options o;
    std::size_t first = 0, end = std::size(layers);
    o.add_to(app);
    app.add_option("first", first, "the first layer")->check(CLI::Range(std::size(layers) - 1));
    app.add_option("end", end, "the one behind the last")
        ->check(CLI::Range(std::size_t{1}, std::size(layers)));
    return run(app, argc, argv, [&] { race_convolutions(o, first, std::max(first + 1, end)); });
}
