// SPDX-License-Identifier: Apache-2.0
// -ffinite-math-only would drop NaN checks.
// flags: -ffinite-math-only
// expect: "change results"
#include <quantal/arith/affine.hpp>

int main() {
    return quantal::arith::quantize(5.0f, 1.0f, 0, 0, 255);
}
