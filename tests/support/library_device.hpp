// SPDX-License-Identifier: Apache-2.0
/// The device on which `quantal::cuda` runs tests.
#ifndef QUANTAL_TESTS_SUPPORT_LIBRARY_DEVICE_HPP
#define QUANTAL_TESTS_SUPPORT_LIBRARY_DEVICE_HPP

#include <quantal/runtime/cuda/linked.hpp>

#include <cstdio>
#include <cstdlib>

namespace support {

[[noreturn]] inline void skip(const char* why) {
    std::printf("skipped: %s\n", why);
    std::fflush(stdout);
    constexpr int skipped = 77;
    std::_Exit(skipped);
}

/// Ends the program, as skipped, where the library finds no device.
inline quantal::cuda::linked::device library_device() {
    try {
        return quantal::cuda::linked::device(0);
    } catch (const quantal::cuda::device_error& e) {
        skip(e.what());
    }
}

/// The same where its devices cannot take arrays of the host.
inline void need_host_runner() {
    if (!library_device().is_host_runner()) skip("quantal::cuda takes arrays of devices here");
}

} // namespace support

#endif
