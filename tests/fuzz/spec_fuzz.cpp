// SPDX-License-Identifier: Apache-2.0
#include <quantal/spec/text.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    try {
        const auto s = quantal::parse_spec({reinterpret_cast<const char*>(bytes), size});
        if (quantal::parse_spec(to_string(s)) != s) std::abort();
    } catch (const quantal::error&) { // every other exception is a finding
    }
    return 0;
}
