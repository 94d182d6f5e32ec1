// SPDX-License-Identifier: Apache-2.0
#include <quantal/io/zip.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    try {
        quantal::io::zip_archive(std::as_bytes(std::span(bytes, size)), "fuzz");
    } catch (const quantal::error&) { // every other exception is a finding
    }
    return 0;
}
