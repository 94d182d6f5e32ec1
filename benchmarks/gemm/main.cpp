// SPDX-License-Identifier: Apache-2.0
/// gemm [ARCH [THREADS]]: integer matrix products as networks have them, the peers kept to the same
/// instruction set. (XNNPACK's int8 kernels know nothing of VNNI.)
#include "task.hpp"

using namespace benchmarks;

int main(int argc, char** argv) {
    constexpr int shapes[][3] = {{1, 4096, 4096},  {64, 512, 512},    {196, 256, 2304},
                                 {784, 128, 1152}, {3136, 64, 576},   {3136, 64, 64},
                                 {49, 512, 4608},  {1024, 1024, 1024}};
    product_table table(argc > 1 ? argv[1] : "", argc > 2 ? std::atoi(argv[2]) : 1);
    for (const auto& [rows, columns, depth] : shapes) {
        char label[40];
        std::snprintf(label, sizeof label, "%4d x %4d x %4d", rows, columns, depth);
        const auto make = [r = rows, c = columns, d = depth](int u_max, int w_max) {
            return gemm_task(r, c, d, u_max, w_max);
        };
        table.row(label, make, quantal_gemm, onednn_gemm, xnnpack_gemm);
    }
    table.print_means();
}
