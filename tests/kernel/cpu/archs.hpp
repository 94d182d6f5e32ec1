// SPDX-License-Identifier: Apache-2.0
/// The instruction sets that a test runs on.
#ifndef QUANTAL_TESTS_KERNEL_CPU_ARCHS_HPP
#define QUANTAL_TESTS_KERNEL_CPU_ARCHS_HPP

#include <quantal/kernel/cpu/kernels.hpp>

#include <vector>

namespace support {

/// The kernels of every instruction set that this file's flags allow, and the emulated ones.
inline std::vector<const quantal::cpu::kernel_set*> built_kernels() {
    std::vector<const quantal::cpu::kernel_set*> all;
    quantal::cpu::all_archs::for_each([&]<class A>() {
        if constexpr (A::built) all.push_back(&quantal::cpu::kernels_of<A>);
    });
    return all;
}

} // namespace support

#endif
