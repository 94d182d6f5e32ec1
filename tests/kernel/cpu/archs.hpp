// SPDX-License-Identifier: Apache-2.0
/// The instruction sets that a test runs on.
#ifndef QUANTAL_TESTS_KERNEL_CPU_ARCHS_HPP
#define QUANTAL_TESTS_KERNEL_CPU_ARCHS_HPP

#include <quantal/kernel/cpu/dispatch.hpp>

#include <vector>

namespace support {

/// The kernels that this program has and this CPU can run, and the emulated ones. (Compiled once
/// for a test program, in archs.cpp.)
std::vector<const quantal::cpu::kernel_set*> built_kernels();

} // namespace support

#endif
