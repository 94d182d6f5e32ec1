// SPDX-License-Identifier: Apache-2.0
// A signed code of 1 bit could only be 0 or -1: 1 bit is affine unsigned.
// expect: "one_bit_is_affine_unsigned"
#include <quantal/ops/quantize.hpp>

#include <vector>

#ifdef QUANTAL_MUST_FAIL
constexpr quantal::qspec spec{.bits = 1};
#else
constexpr quantal::qspec spec{.bits = 1, .kind = quantal::scheme::affine};
#endif

int main() {
    return quantal::quantize<spec>(std::vector<float>{1.0f}).code(0);
}
