// SPDX-License-Identifier: Apache-2.0
#include <quantal/data/synsets_mat.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <tuple>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    try {
        std::ignore = quantal::data::parse_synsets(std::as_bytes(std::span(bytes, size)), "fuzz");
    } catch (const quantal::error&) { // every other exception is a finding
    }
    return 0;
}
