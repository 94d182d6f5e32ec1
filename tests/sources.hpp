// SPDX-License-Identifier: Apache-2.0
#ifndef QUANTAL_TESTS_SOURCES_HPP
#define QUANTAL_TESTS_SOURCES_HPP

#include <filesystem>

/// A file of quantal's sources, named from their folder on.
[[nodiscard]] std::filesystem::path source_file(const char* name);

#endif
