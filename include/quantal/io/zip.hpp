// SPDX-License-Identifier: Apache-2.0
/// Reading stored entries of a zip archive in memory (PKWARE's APPNOTE.TXT 6.3, sections 4.3.7,
/// 4.3.12, 4.3.14 to 4.3.16 and 4.5.3), with the 64-bit extension.
#ifndef QUANTAL_IO_ZIP_HPP
#define QUANTAL_IO_ZIP_HPP

#include <quantal/io/scalar.hpp>

#include <zlib.h>

#include <algorithm>
#include <map>
#include <span>
#include <string>

namespace quantal {
inline namespace v0 {
namespace io {

/// The entries of an archive by name; refers to the archive's bytes.
class zip_archive {
public:
    /// Throws `data_error` unless every entry is stored (not compressed, not encrypted), lies
    /// inside the archive and has the right checksum.
    zip_archive(std::span<const std::byte> bytes, std::string file)
        : bytes_(bytes), file_(std::move(file)) {
        const directory d = find_directory();
        std::uint64_t at = d.offset;
        for (std::uint64_t i = 0; i < d.count; ++i)
            at = read_entry(at);
    }

    /// Whether the bytes begin as an archive does.
    [[nodiscard]] static bool recognizes(std::span<const std::byte> bytes) {
        return bytes.size() >= 4 && detail::load<std::uint32_t>(bytes.data()) == 0x04034b50u;
    }

    [[nodiscard]] const std::map<std::string, std::span<const std::byte>>& entries() const {
        return entries_;
    }

private:
    struct directory {
        std::uint64_t count, offset;
    };

    template <class... Parts>
    [[noreturn]] void refuse(const Parts&... parts) const {
        detail::fail<data_error>(file_, ": ", parts...);
    }
    [[nodiscard]] std::span<const std::byte> part(std::uint64_t at, std::uint64_t size) const {
        if (at > bytes_.size() || size > bytes_.size() - at)
            refuse("the archive claims ", size, " bytes at ", at, ", it has ", bytes_.size());
        return bytes_.subspan(at, size);
    }
    template <class T>
    [[nodiscard]] T read(std::uint64_t at) const {
        return detail::load<T>(part(at, sizeof(T)).data());
    }

    /// The end record is 22 bytes and a comment of up to 65535 before the end of the file.
    [[nodiscard]] directory find_directory() const {
        constexpr std::uint64_t end_size = 22;
        constexpr std::uint32_t end_mark = 0x06054b50u;
        if (bytes_.size() < end_size) refuse(bytes_.size(), " bytes are no zip archive");
        std::uint64_t at = bytes_.size() - end_size;
        const std::uint64_t last = at > 65535 ? at - 65535 : 0;
        while (read<std::uint32_t>(at) != end_mark)
            if (at-- == last) refuse("the archive is truncated: it has no directory");
        if (read<std::uint16_t>(at + 10) != 0xffffu && read<std::uint32_t>(at + 16) != 0xffffffffu)
            return {read<std::uint16_t>(at + 10), read<std::uint32_t>(at + 16)};
        constexpr std::uint64_t locator_size = 20;
        if (at < locator_size || read<std::uint32_t>(at - locator_size) != 0x07064b50u)
            refuse("the archive's 64-bit directory is missing");
        const auto record = read<std::uint64_t>(at - locator_size + 8);
        if (read<std::uint32_t>(record) != 0x06064b50u)
            refuse("the archive's 64-bit directory is damaged");
        return {read<std::uint64_t>(record + 32), read<std::uint64_t>(record + 48)};
    }

    /// Reads the directory's entry at `at`; returns where the next one begins.
    std::uint64_t read_entry(std::uint64_t at) {
        constexpr std::uint64_t header_size = 46;
        const auto header = part(at, header_size);
        if (read<std::uint32_t>(at) != 0x02014b50u) refuse("the archive's directory is damaged");
        const auto name_size = read<std::uint16_t>(at + 28);
        const auto extra_size = read<std::uint16_t>(at + 30);
        const auto name_bytes = part(at + header_size, name_size);
        const std::string name(reinterpret_cast<const char*>(name_bytes.data()), name_size);
        const auto flags = detail::load<std::uint16_t>(header.data() + 8);
        if (const auto method = read<std::uint16_t>(at + 10); method != 0 || (flags & 1u))
            refuse("entry \"", name, "\" is compressed or encrypted (method ", method,
                   "); only stored entries are read");
        std::uint64_t size = read<std::uint32_t>(at + 24);
        std::uint64_t offset = read<std::uint32_t>(at + 42);
        widen(at + header_size + name_size, extra_size, size, offset);
        if (read<std::uint32_t>(offset) != 0x04034b50u)
            refuse("entry \"", name, "\" has no header at byte ", offset);
        const std::uint64_t begin =
            offset + 30 + read<std::uint16_t>(offset + 26) + read<std::uint16_t>(offset + 28);
        const auto data = part(begin, size);
        total_ += size;
        if (total_ > bytes_.size()) refuse("the archive's entries overlap");
        check_sum(name, data, read<std::uint32_t>(at + 16));
        entries_.emplace(name, data);
        return at + header_size + name_size + extra_size + read<std::uint16_t>(at + 32);
    }

    /// Takes 64-bit sizes from the extra fields: those that are all ones in the entry, in order of
    /// uncompressed size, compressed size, offset.
    void widen(std::uint64_t at, std::uint64_t extra_size, std::uint64_t& size,
               std::uint64_t& offset) const {
        const std::uint64_t end = at + extra_size;
        constexpr std::uint64_t unknown = 0xffffffffu;
        if (size != unknown && offset != unknown) return;
        for (; at + 4 <= end; at += 4 + read<std::uint16_t>(at + 2)) {
            if (read<std::uint16_t>(at) != 1) continue;
            std::uint64_t field = at + 4;
            if (size == unknown) {
                size = read<std::uint64_t>(field);
                field += 16; // a stored entry's compressed size is the same and follows
            }
            if (offset == unknown) offset = read<std::uint64_t>(field);
            return;
        }
    }

    void check_sum(const std::string& name, std::span<const std::byte> data,
                   std::uint32_t expected) const {
        uLong sum = crc32(0, nullptr, 0);
        for (std::size_t at = 0; at < data.size();) {
            const std::size_t step = std::min<std::size_t>(data.size() - at, 1u << 30);
            sum = crc32(sum, reinterpret_cast<const Bytef*>(data.data()) + at,
                        static_cast<uInt>(step));
            at += step;
        }
        if (sum != expected)
            refuse("entry \"", name, "\" is damaged: its checksum is ", sum, ", not ", expected);
    }

    std::span<const std::byte> bytes_;
    std::string file_;
    std::uint64_t total_ = 0; ///< bytes of the entries so far
    std::map<std::string, std::span<const std::byte>> entries_;
};

} // namespace io
} // namespace v0
} // namespace quantal

#endif
