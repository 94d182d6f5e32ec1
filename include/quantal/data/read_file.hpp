// SPDX-License-Identifier: Apache-2.0
/// A whole file in memory.
#ifndef QUANTAL_DATA_READ_FILE_HPP
#define QUANTAL_DATA_READ_FILE_HPP

#include <quantal/error.hpp>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <ios>
#include <system_error>
#include <vector>

namespace quantal {
inline namespace v0 {
namespace data {

/// The bytes of a regular file; throws `data_error` if it is none or cannot be read.
[[nodiscard]] inline std::vector<std::byte> read_file(const std::filesystem::path& path) {
    std::error_code failed;
    if (!std::filesystem::is_regular_file(path, failed))
        detail::fail<data_error>("there is no file ", path);
    const std::uintmax_t size = std::filesystem::file_size(path, failed);
    std::ifstream file(path, std::ios::binary);
    if (failed || !file) detail::fail<data_error>("the file ", path, " cannot be opened");
    std::vector<std::byte> bytes(size);
    file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(size));
    if (static_cast<std::uintmax_t>(file.gcount()) != size)
        detail::fail<data_error>("of the ", size, " bytes of the file ", path, " only ",
                                 file.gcount(), " could be read");
    return bytes;
}

} // namespace data
} // namespace v0
} // namespace quantal

#endif
