// SPDX-License-Identifier: Apache-2.0
#include <quantal/io/graph_json.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    try {
        const auto p =
            quantal::io::plan_from_json({reinterpret_cast<const char*>(bytes), size}, "fuzz");
        const std::string text = quantal::io::to_json(p);
        if (quantal::io::to_json(quantal::io::plan_from_json(text, "fuzz")) != text) std::abort();
    } catch (const quantal::error&) { // every other exception is a finding
    }
    return 0;
}
