// SPDX-License-Identifier: Apache-2.0
/// Bytes as a file, for libraries that read files by name only.
#ifndef QUANTAL_IO_TEMPORARY_FILE_HPP
#define QUANTAL_IO_TEMPORARY_FILE_HPP

#include <quantal/error.hpp>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>

#include <stdlib.h> // mkstemp
#include <unistd.h>

namespace quantal {
inline namespace v0 {
namespace io {

/// A new file in the system's temporary folder, removed at the end. Throws `data_error` if it
/// cannot be written.
class temporary_file {
public:
    explicit temporary_file(std::span<const std::byte> bytes) {
        std::string name = (std::filesystem::temp_directory_path() / "quantal_XXXXXX").string();
        const int descriptor = mkstemp(name.data());
        if (descriptor < 0) detail::fail<data_error>("no temporary file ", name, " can be made");
        ::close(descriptor);
        path_ = name;
        std::ofstream file(path_, std::ios::binary);
        file.write(reinterpret_cast<const char*>(bytes.data()),
                   static_cast<std::streamsize>(bytes.size()));
        file.close();
        if (file) return;
        remove();
        detail::fail<data_error>("the temporary file ", path_, " cannot be written");
    }
    temporary_file(const temporary_file&) = delete;
    temporary_file& operator=(const temporary_file&) = delete;
    ~temporary_file() { remove(); }

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

private:
    void remove() const {
        std::error_code ignored;
        std::filesystem::remove(path_, ignored);
    }

    std::filesystem::path path_;
};

} // namespace io
} // namespace v0
} // namespace quantal

#endif
