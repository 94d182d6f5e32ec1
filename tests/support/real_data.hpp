// SPDX-License-Identifier: Apache-2.0
/// Real data sets and weights, which are not part of this repository.
#ifndef QUANTAL_TESTS_SUPPORT_REAL_DATA_HPP
#define QUANTAL_TESTS_SUPPORT_REAL_DATA_HPP

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace support {

/// The path, if there is something. Else the program ends with the code that CTest counts as
/// skipped: a case that needs real data asks for it first.
inline std::filesystem::path present(const std::filesystem::path& path,
                                     const char* advice = "its package is not installed") {
    if (std::filesystem::exists(path)) return path;
    std::printf("skipped: %s is not there; %s\n", path.c_str(), advice);
    std::fflush(stdout);
    constexpr int skipped = 77;
    std::_Exit(skipped);
}

/// `$QUANTAL_DATA/name`, if it is present.
inline std::filesystem::path real_data(const std::string& name) {
    const char* root = std::getenv("QUANTAL_DATA");
    return present(std::filesystem::path(root ? root : "$QUANTAL_DATA") / name,
                   "set QUANTAL_DATA to the folder that holds it");
}

} // namespace support

#endif
