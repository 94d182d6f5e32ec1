// SPDX-License-Identifier: Apache-2.0
#include <quantal/io/table.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <tuple>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    try {
        std::ignore =
            quantal::io::table_from_json({reinterpret_cast<const char*>(bytes), size}, "fuzz");
    } catch (const quantal::error&) { // every other exception is a finding
    }
    return 0;
}
