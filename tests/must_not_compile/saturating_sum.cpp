// SPDX-License-Identifier: Apache-2.0
// Two products of 8-bit codes do not fit int16, where an instruction would saturate.
// expect: "two products of these specs do not fit int16"
#include <quantal/kernel/cpu/sum_bounds.hpp>

#ifdef QUANTAL_MUST_FAIL
constexpr quantal::qspec weights = quantal::w8;
#else
constexpr quantal::qspec weights = quantal::w4;
#endif

int main() {
    return quantal::cpu::proved_steps::from_types<quantal::a8, weights>().count() == 9 ? 0 : 1;
}
