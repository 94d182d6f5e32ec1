// SPDX-License-Identifier: Apache-2.0
/// Integer matrix products as networks have them, the peers kept to the same instruction set
/// (XNNPACK's int8 kernels know nothing of VNNI); and in float32, where quantal has one thread.
#include "task.hpp"

#include "support/product_table.hpp"

using namespace benchmarks;

namespace {

void race_products(const options& o) {
    constexpr int shapes[][3] = {{1, 4096, 4096},  {64, 512, 512},    {196, 256, 2304},
                                 {784, 128, 1152}, {3136, 64, 576},   {3136, 64, 64},
                                 {49, 512, 4608},  {1024, 1024, 1024}};
    product_table table("gemm", o);
    for (const auto& [rows, columns, depth] : shapes) {
        char label[40];
        std::snprintf(label, sizeof label, "%4d x %4d x %4d", rows, columns, depth);
        const auto make = [r = rows, c = columns, d = depth](int u_max, int w_max) {
            return gemm_task(r, c, d, u_max, w_max);
        };
        table.row(label, make, quantal_gemm, onednn_gemm, xnnpack_gemm);
        if (o.threads > 1) continue;
        const gemm_task floats = make(15, 7); // sums below 2^24: exact in any order
        table.float_row(label, floats.operations(), quantal_float_gemm(floats, o.arch),
                        openblas_gemm(floats, o.threads));
    }
    table.finish();
}

} // namespace

int main(int argc, char** argv) {
    CLI::App app("Matrix products in integers and in float32 against peers", "gemm_benchmark");
    options o;
    o.add_to(app);
    return run(app, argc, argv, [&] { race_products(o); });
}
