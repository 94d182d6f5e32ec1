// SPDX-License-Identifier: Apache-2.0
/// Whole files that may be compressed by gzip.
#ifndef QUANTAL_IO_GZIP_HPP
#define QUANTAL_IO_GZIP_HPP

#include <quantal/error.hpp>

#include <zlib.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <vector>

namespace quantal {
inline namespace v0 {
namespace io {

/// The bytes of a file, inflated if it is one of gzip. Throws `data_error` if it cannot be read, is
/// damaged or truncated, or holds more than `limit` bytes.
[[nodiscard]] inline std::vector<std::byte> read_gzip(const std::filesystem::path& path,
                                                      std::size_t limit) {
    constexpr std::size_t piece = std::size_t{1} << 20;
    const std::unique_ptr<gzFile_s, int (*)(gzFile)> file(gzopen(path.c_str(), "rb"), &gzclose_r);
    if (!file) detail::fail<data_error>("the file ", path, " cannot be opened");
    std::vector<std::byte> bytes;
    for (int count = 1; count > 0;) {
        const std::size_t before = bytes.size();
        bytes.resize(before + piece);
        count = gzread(file.get(), bytes.data() + before, static_cast<unsigned>(piece));
        bytes.resize(before + static_cast<std::size_t>(std::max(count, 0)));
        if (bytes.size() > limit)
            detail::fail<data_error>("the file ", path, " holds more than ", limit,
                                     " bytes, which is no file of its kind");
    }
    int status = Z_OK;
    const char* problem = gzerror(file.get(), &status);
    if (status != Z_OK) detail::fail<data_error>("the file ", path, " is damaged: ", problem);
    return bytes;
}

} // namespace io
} // namespace v0
} // namespace quantal

#endif
