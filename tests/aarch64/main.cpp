// SPDX-License-Identifier: Apache-2.0
/// The entry point of the tests that an emulator runs, with Boost.Test in it.
#define BOOST_TEST_MODULE quantal
#include "kernel/cpu/archs.hpp"

#include <boost/test/included/unit_test.hpp>

std::vector<const quantal::cpu::kernel_set*> support::built_kernels() {
    return {&quantal::cpu::default_kernels()};
}
