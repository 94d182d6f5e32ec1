// SPDX-License-Identifier: Apache-2.0
#include "archs.hpp"
#include "emulated_512.hpp"

std::vector<const quantal::cpu::kernel_set*> support::built_kernels() {
    using namespace quantal::cpu;
#if defined(QUANTAL_DISPATCH)
    std::vector<const kernel_set*> all = runnable_kernels();
#else
    std::vector<const kernel_set*> all{&default_kernels()};
#endif
    all.push_back(&kernels_of<emulated_512>);
    return all;
}
