// SPDX-License-Identifier: Apache-2.0
/// OpenBLAS: float32. It is kept to an instruction set by OPENBLAS_CORETYPE, before it is loaded.
#include "task.hpp"

#include <cblas.h>

#include <memory>

namespace benchmarks {

float_implementation openblas_gemm(const gemm_task& t, int threads) {
    openblas_set_num_threads(threads);
    struct state {
        std::vector<float> x, w, y;
    };
    auto s = std::make_shared<state>();
    s->x.assign(t.x.begin(), t.x.end());
    s->w.assign(t.w.begin(), t.w.end());
    s->y.resize(t.outputs());
    return {std::string("OpenBLAS ") + openblas_get_corename(),
            [s, m = t.rows, n = t.columns, k = t.depth] {
                cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, m, n, k, 1.0f, s->x.data(), k,
                            s->w.data(), k, 0.0f, s->y.data(), n);
            },
            [s] { return s->y; }};
}

} // namespace benchmarks
