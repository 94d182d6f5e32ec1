// SPDX-License-Identifier: Apache-2.0
/// Real data sets and weights, which are not part of this repository.
#ifndef QUANTAL_TESTS_SUPPORT_REAL_DATA_HPP
#define QUANTAL_TESTS_SUPPORT_REAL_DATA_HPP

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace support {

/// `$QUANTAL_DATA/name`. Where it is absent the program ends with the code that CTest counts as
/// skipped: a case that needs real data asks for it first.
inline std::filesystem::path real_data(const std::string& name) {
    const char* root = std::getenv("QUANTAL_DATA");
    const auto path = std::filesystem::path(root ? root : "") / name;
    if (root && std::filesystem::exists(path)) return path;
    std::printf("skipped: %s is not there; set QUANTAL_DATA to the folder that holds it\n",
                path.c_str());
    std::fflush(stdout);
    constexpr int skipped = 77;
    std::_Exit(skipped);
}

} // namespace support

#endif
