// SPDX-License-Identifier: Apache-2.0
#include <quantal/io/npy.hpp>

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    namespace io = quantal::io;
    try {
        const auto read = io::parse_npy(std::as_bytes(std::span(bytes, size)), "fuzz");
        const auto again = io::parse_npy(io::to_npy(read), "again");
        if (again.shape() != read.shape()) std::abort(); // NaNs are no equals
    } catch (const quantal::error&) {                    // every other exception is a finding
    }
    return 0;
}
