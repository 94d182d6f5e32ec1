// SPDX-License-Identifier: Apache-2.0
/// Parts of a large file, read where they lie.
#ifndef QUANTAL_IO_RANDOM_ACCESS_HPP
#define QUANTAL_IO_RANDOM_ACCESS_HPP

#include <quantal/error.hpp>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

namespace quantal {
inline namespace v0 {
namespace io {

/// An open regular file. `read` may be called from several threads at once.
class random_access_file {
public:
    /// Throws `data_error` if it is no regular file or cannot be opened.
    explicit random_access_file(const std::filesystem::path& path)
        : path_(path), descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
        std::error_code failed;
        if (descriptor_ < 0 || !std::filesystem::is_regular_file(path, failed)) {
            close();
            detail::fail<data_error>("the file ", path, " cannot be opened");
        }
        size_ = std::filesystem::file_size(path, failed);
    }
    random_access_file(const random_access_file&) = delete;
    random_access_file& operator=(const random_access_file&) = delete;
    ~random_access_file() { close(); }

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }
    [[nodiscard]] std::uint64_t size() const { return size_; }

    /// Fills `out` with the bytes from `offset` on; throws `data_error` if there are fewer.
    void read(std::uint64_t offset, std::span<std::byte> out) const {
        while (!out.empty()) {
            const ssize_t count =
                ::pread(descriptor_, out.data(), out.size(), static_cast<off_t>(offset));
            if (count < 0 && errno == EINTR) continue;
            if (count <= 0)
                detail::fail<data_error>("of the file ", path_, " ", out.size(),
                                         " bytes from byte ", offset, " on cannot be read");
            offset += static_cast<std::uint64_t>(count);
            out = out.subspan(static_cast<std::size_t>(count));
        }
    }

private:
    void close() const {
        if (descriptor_ >= 0) ::close(descriptor_);
    }

    std::filesystem::path path_;
    int descriptor_;
    std::uint64_t size_ = 0;
};

} // namespace io
} // namespace v0
} // namespace quantal

#endif
