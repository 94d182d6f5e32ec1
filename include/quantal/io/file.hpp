// SPDX-License-Identifier: Apache-2.0
/// Whole files in and out.
#ifndef QUANTAL_IO_FILE_HPP
#define QUANTAL_IO_FILE_HPP

#include <quantal/error.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <vector>

namespace quantal {
inline namespace v0 {
namespace io {

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

/// Writes a file as a whole: to a temporary file beside it, which then takes its name. On failure
/// throws `data_error`, and what was there before is still there.
inline void write_file(const std::filesystem::path& path, std::span<const std::byte> bytes) {
    const std::filesystem::path partial = path.string() + ".partial";
    std::error_code failed;
    {
        std::ofstream file(partial, std::ios::binary | std::ios::trunc);
        file.write(reinterpret_cast<const char*>(bytes.data()),
                   static_cast<std::streamsize>(bytes.size()));
        file.close();
        if (!file) {
            std::filesystem::remove(partial, failed);
            detail::fail<data_error>("the file ", path, " cannot be written");
        }
    }
    std::filesystem::rename(partial, path, failed);
    if (!failed) return;
    const std::string why = failed.message();
    std::filesystem::remove(partial, failed);
    detail::fail<data_error>("the file ", path, " cannot be written: ", why);
}

} // namespace io
} // namespace v0
} // namespace quantal

#endif
