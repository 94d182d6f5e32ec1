// SPDX-License-Identifier: Apache-2.0
/// The entry point of every test program.
#define BOOST_TEST_MODULE quantal
#include "sources.hpp"

#include <boost/test/unit_test.hpp>

std::filesystem::path source_file(const char* name) {
    return std::filesystem::path(QUANTAL_SOURCES) / name;
}
