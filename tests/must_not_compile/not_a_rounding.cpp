// SPDX-License-Identifier: Apache-2.0
// A rounding gives integers.
// expect: "rounding_policy"
#include <quantal/ops/quantize.hpp>

/// Towards zero.
struct towards_zero {
#ifdef QUANTAL_MUST_FAIL
    float operator()(float x, std::uint64_t) const {
        return static_cast<float>(static_cast<int>(x));
    }
#else
    std::int32_t operator()(float x, std::uint64_t) const {
        return static_cast<std::int32_t>(x);
    }
#endif
};

int main() {
    const quantal::tensor<float> weights({2, 2});
    return quantal::quantize<quantal::w4>(weights, quantal::observe::minmax{}, towards_zero{})
        .code(0);
}
