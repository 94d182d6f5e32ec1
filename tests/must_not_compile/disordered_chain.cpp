// SPDX-License-Identifier: Apache-2.0
// An activation cannot come before the bias.
// expect: "a chain is a bias, an activation, an output, each at most once"
#include <quantal/ops/epilogue.hpp>

int main() {
#ifdef QUANTAL_MUST_FAIL
    (void)quantal::chain(quantal::relu{}, quantal::bias{});
#else
    (void)quantal::chain(quantal::bias{}, quantal::relu{});
#endif
}
