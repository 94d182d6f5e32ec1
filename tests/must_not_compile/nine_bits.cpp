// SPDX-License-Identifier: Apache-2.0
// Codes have 1 to 8 bits.
// expect: "bits_from_1_to_8"
#include <quantal/ops/quantize.hpp>

#include <vector>

#ifdef QUANTAL_MUST_FAIL
constexpr quantal::qspec spec{.bits = 9};
#else
constexpr quantal::qspec spec{.bits = 8};
#endif

int main() {
    return quantal::quantize<spec>(std::vector<float>{1.0f}).code(0);
}
