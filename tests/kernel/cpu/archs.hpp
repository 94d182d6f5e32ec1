// SPDX-License-Identifier: Apache-2.0
/// The instruction sets that a test runs on.
#ifndef QUANTAL_TESTS_KERNEL_CPU_ARCHS_HPP
#define QUANTAL_TESTS_KERNEL_CPU_ARCHS_HPP

#include "emulated_512.hpp"

#include <quantal/kernel/cpu/dispatch.hpp>

#include <vector>

namespace support {

/// The kernels that this CPU can run, and the emulated ones.
inline std::vector<const quantal::cpu::kernel_set*> all_kernels() {
    using namespace quantal::cpu;
#if defined(QUANTAL_DISPATCH)
    std::vector<const kernel_set*> all = runnable_kernels();
#else
    std::vector<const kernel_set*> all{&default_kernels()};
#endif
    all.push_back(&kernels_of<emulated_512>);
    return all;
}

} // namespace support

#endif
