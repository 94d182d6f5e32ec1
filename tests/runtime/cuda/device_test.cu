// SPDX-License-Identifier: Apache-2.0
/// The tests of whole networks as a program that runs them on a device.
#include "kernel/cuda/launch.hpp"
#include "runtime/cuda/observers_test.cpp"
#include "runtime/cuda/program_test.cpp"

/// Skips all of them where there is no device.
struct has_device {
    has_device() { support::check(cudaFree(nullptr)); }
};
BOOST_TEST_GLOBAL_FIXTURE(has_device);
