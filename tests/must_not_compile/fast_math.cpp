// SPDX-License-Identifier: Apache-2.0
// -ffast-math would drop NaN checks and reorder roundings.
// flags: -ffast-math
// expect: "change results"
#include <quantal/arith/affine.hpp>

int main() {
    return quantal::arith::quantize(5.0f, 1.0f, 0, 0, 255);
}
