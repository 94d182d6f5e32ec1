// SPDX-License-Identifier: Apache-2.0
#include "archs.hpp"

std::vector<const quantal::cpu::kernel_set*> support::built_kernels() {
    std::vector<const quantal::cpu::kernel_set*> all;
    quantal::cpu::all_archs::for_each([&]<class A>() {
        if constexpr (A::built) all.push_back(&quantal::cpu::kernels_of<A>);
    });
    return all;
}
