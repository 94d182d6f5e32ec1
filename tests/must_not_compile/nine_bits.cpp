// SPDX-License-Identifier: Apache-2.0
// Codes have 1 to 8 bits, or 16.
// expect: "bits_are_1_to_8_or_16"
#include <quantal/ops/quantize.hpp>

#include <vector>

#ifdef QUANTAL_MUST_FAIL
constexpr quantal::qspec spec{.bits = 9};
#else
constexpr quantal::qspec spec{.bits = 16};
#endif

int main() {
    return quantal::quantize<spec>(std::vector<float>{1.0f}).code(0);
}
