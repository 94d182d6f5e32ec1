// SPDX-License-Identifier: Apache-2.0
/// Where the files of a tar archive lie, so that they can be read in place (POSIX.1-2017, pax,
/// "ustar Interchange Format" and "pax Header Block"; the GNU tar manual, "Basic Tar Format").
#ifndef QUANTAL_IO_TAR_HPP
#define QUANTAL_IO_TAR_HPP

#include <quantal/error.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace quantal {
inline namespace v0 {
namespace io {

/// A regular file in an archive: `size` bytes of the archive from `offset` on.
struct tar_member {
    std::string name;
    std::uint64_t offset, size;
};

/// Fills a span with the archive's bytes from an offset on.
using tar_source = std::function<void(std::uint64_t, std::span<std::byte>)>;

/// The block that stands before each file.
class tar_header {
public:
    static constexpr std::uint64_t size = 512;

    tar_header(const tar_source& read, std::uint64_t at) {
        read(at, std::as_writable_bytes(std::span(bytes_)));
    }

    [[nodiscard]] bool is_end_mark() const {
        return std::ranges::all_of(bytes_, [](char c) { return c == '\0'; });
    }
    [[nodiscard]] char type() const { return bytes_[156]; }
    /// Whether it holds a regular file; a link, directory or device (1 to 6) has no bytes at all.
    [[nodiscard]] bool is_file() const { return type() == '0' || type() == '\0' || type() == '7'; }
    [[nodiscard]] bool has_bytes() const { return type() < '1' || type() > '6'; }
    [[nodiscard]] std::optional<std::uint64_t> bytes_claimed() const { return number(124, 12); }

    [[nodiscard]] std::string name() const {
        const std::string_view own = text(0, 100);
        const std::string_view prefix = text(345, 155); // GNU tar's magic is "ustar  "
        if (text(257, 6) != "ustar" || prefix.empty()) return std::string(own);
        return std::string(prefix) + '/' + std::string(own);
    }

    /// Whether the sum of all bytes is the one it says, itself counted as spaces.
    [[nodiscard]] bool is_sound() const {
        constexpr std::size_t begin = 148, length = 8;
        std::uint64_t sum = length * std::uint64_t{' '};
        for (std::size_t i = 0; i < bytes_.size(); ++i)
            if (i < begin || i >= begin + length) sum += static_cast<unsigned char>(bytes_[i]);
        return number(begin, length) == sum;
    }

private:
    [[nodiscard]] std::string_view text(std::size_t at, std::size_t length) const {
        const std::string_view field(bytes_.data() + at, length);
        return field.substr(0, field.find('\0'));
    }

    /// Octal digits; or, in GNU's archives, big-endian bytes behind one of 0x80.
    [[nodiscard]] std::optional<std::uint64_t> number(std::size_t at, std::size_t length) const {
        std::uint64_t value = 0;
        if (bytes_[at] == '\x80') {
            for (const char c : std::string_view(bytes_.data() + at + 1, length - 1)) {
                if (value >> 56) return std::nullopt;
                value = value << 8 | static_cast<unsigned char>(c);
            }
            return value;
        }
        std::string_view digits = text(at, length);
        digits.remove_prefix(std::min(digits.find_first_not_of(' '), digits.size()));
        digits = digits.substr(0, digits.find(' '));
        const char* const end = digits.data() + digits.size();
        const auto [stop, error] = std::from_chars(digits.data(), end, value, 8);
        return error == std::errc() && stop == end ? std::optional(value) : std::nullopt;
    }

    std::array<char, size> bytes_{};
};

/// One walk over the headers of an archive.
class tar_walk {
public:
    tar_walk(std::uint64_t size, const tar_source& read, std::string file)
        : size_(size), read_(read), file_(std::move(file)) {}

    /// Steps over one header and what belongs to it; false at the end mark.
    [[nodiscard]] bool step() {
        if (size_ - at_ < tar_header::size) refuse("it is truncated: it has no end mark");
        const tar_header header(read_, at_);
        if (header.is_end_mark()) return false;
        const auto claimed = header.bytes_claimed();
        if (!header.is_sound() || !claimed) refuse("it has no sound header at byte ", at_);
        at_ += tar_header::size;
        take(header, header.has_bytes() ? *claimed : 0);
        return true;
    }

    [[nodiscard]] std::vector<tar_member> members() && { return std::move(members_); }

private:
    template <class... Parts>
    [[noreturn]] void refuse(const Parts&... parts) const {
        detail::fail<data_error>(file_, " is no tar archive that can be read: ", parts...);
    }

    void take(const tar_header& header, std::uint64_t bytes) {
        if (header.is_file()) bytes = next_size_.value_or(bytes);
        const std::uint64_t left = size_ - at_;
        const std::uint64_t padding = -bytes % tar_header::size;
        if (bytes > left || padding > left - bytes)
            refuse("it claims ", bytes, " bytes at byte ", at_, " and has ", left);
        if (header.type() == 'L') {
            next_name_ = extension(bytes);
            next_name_->resize(std::min(next_name_->find('\0'), next_name_->size()));
        } else if (header.type() == 'x') {
            read_records(extension(bytes));
        } else if (header.type() == 'S') {
            refuse("it holds a sparse file at byte ", at_);
        } else if (header.type() != 'g' && header.type() != 'K') { // defaults; name of a link
            if (header.is_file())
                members_.push_back({next_name_.value_or(header.name()), at_, bytes});
            next_name_.reset();
            next_size_.reset();
        }
        at_ += bytes + padding;
    }

    /// What stands in place of a file and says more about the next one.
    [[nodiscard]] std::string extension(std::uint64_t bytes) const {
        constexpr std::uint64_t most = std::uint64_t{1} << 20;
        if (bytes > most)
            refuse("it has an extended header of ", bytes, " bytes, more than ", most);
        std::string text(bytes, '\0');
        read_(at_, std::as_writable_bytes(std::span(text)));
        return text;
    }

    /// Records "LENGTH KEY=VALUE\n"; the length counts the whole record.
    void read_records(std::string_view text) {
        while (!text.empty()) {
            std::size_t length = 0;
            std::from_chars(text.data(), text.data() + text.size(), length);
            const std::size_t key = text.find(' ') + 1;
            const std::size_t value = text.find('=') + 1;
            if (key == 0 || value <= key || length <= value || length > text.size())
                refuse("it has a damaged extended header at byte ", at_);
            const std::string_view name = text.substr(key, value - 1 - key);
            const std::string_view content = text.substr(value, length - 1 - value);
            if (name == "path") next_name_ = content;
            if (name == "size") next_size_ = parse_size(content);
            text.remove_prefix(length);
        }
    }

    [[nodiscard]] std::uint64_t parse_size(std::string_view text) const {
        std::uint64_t value = 0;
        const char* const end = text.data() + text.size();
        const auto [stop, error] = std::from_chars(text.data(), end, value);
        if (error != std::errc() || stop != end)
            refuse("it has a damaged extended header at byte ", at_);
        return value;
    }

    std::uint64_t size_;
    const tar_source& read_;
    std::string file_;
    std::uint64_t at_ = 0; ///< never beyond the end
    std::optional<std::string> next_name_;
    std::optional<std::uint64_t> next_size_;
    std::vector<tar_member> members_;
};

/// The regular files of an archive of `size` bytes, in its order; all of them lie inside it. `file`
/// names it in errors. Throws `data_error` if it is truncated, damaged, or holds a sparse file.
[[nodiscard]] inline std::vector<tar_member> index_tar(std::uint64_t size, const tar_source& read,
                                                       const std::string& file) {
    tar_walk walk(size, read, file);
    while (walk.step()) {
    }
    return std::move(walk).members();
}

/// The same of an archive in memory.
[[nodiscard]] inline std::vector<tar_member> index_tar(std::span<const std::byte> archive,
                                                       const std::string& file) {
    const auto read = [archive](std::uint64_t offset, std::span<std::byte> out) {
        std::ranges::copy(archive.subspan(offset, out.size()), out.begin());
    };
    return index_tar(archive.size(), read, file);
}

} // namespace io
} // namespace v0
} // namespace quantal

#endif
