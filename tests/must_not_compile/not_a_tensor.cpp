// SPDX-License-Identifier: Apache-2.0
// A number is no tensor.
// expect: "float_tensor"
#include <quantal/ops/quantize.hpp>

#include <vector>

#ifdef QUANTAL_MUST_FAIL
constexpr int data = 5;
#else
const std::vector<float> data{5.0f};
#endif

int main() {
    return quantal::quantize<quantal::a8>(data).code(0);
}
