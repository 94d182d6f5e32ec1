// SPDX-License-Identifier: Apache-2.0
// Sums of so many products of 8-bit codes may leave int32.
// expect: "sums of so many products of these specs can leave int32"
#include <quantal/ops/gemm.hpp>

#ifdef QUANTAL_MUST_FAIL
constexpr std::int64_t depth = quantal::max_depth(quantal::a8, quantal::w8) + 1;
#else
constexpr std::int64_t depth = quantal::max_depth(quantal::a8, quantal::w8);
#endif

quantal::tensor<float> multiply(const quantal::qtensor<quantal::a8>& x,
                                const quantal::prepared<quantal::w8>& w) {
    return quantal::gemm<depth>(x, w);
}

int main() {}
