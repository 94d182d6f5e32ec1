// SPDX-License-Identifier: Apache-2.0
/// A check of MAT files (MathWorks, MAT-File Format, "Level 5") before libmatio reads them:
/// libmatio allocates whatever a file claims.
#ifndef QUANTAL_DATA_MAT_FILE_HPP
#define QUANTAL_DATA_MAT_FILE_HPP

#include <quantal/io/scalar.hpp>

#include <zlib.h>

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace quantal {
inline namespace v0 {
namespace data {

/// Finds one variable of a file: a struct array of numbers and text, whose every extent is backed
/// by bytes.
class mat_file {
public:
    /// `bytes` must outlive this; `name` is for messages. Throws `data_error` unless it is a MAT
    /// file of level 5, little-endian.
    mat_file(std::span<const std::byte> bytes, std::string name)
        : bytes_(bytes), name_(std::move(name)) {
        constexpr std::uint32_t level_5 = 0x4d490100u; // version 0x0100 and "IM"
        if (bytes.size() < header_size || bytes.size() > most_bytes ||
            io::detail::load<std::uint32_t>(&bytes[header_size - 4]) != level_5)
            refuse("it is no little-endian one of level 5 with at most ", most_bytes, " bytes");
    }

    /// A file of nothing but the variable, not compressed. Throws `data_error` if there is none, if
    /// it is damaged, or if it holds something else.
    [[nodiscard]] std::vector<std::byte> only(std::string_view variable) const {
        std::span<const std::byte> rest = bytes_.subspan(header_size);
        while (!rest.empty()) {
            std::span<const std::byte> one = rest;
            std::vector<std::byte> plain;
            const element outer = next(rest);
            one = one.first(one.size() - rest.size());
            if (outer.type == compressed) one = plain = inflated(outer.data);
            std::span<const std::byte> inside = one;
            if (check_matrix(next(inside), 0) != variable) continue;
            std::vector<std::byte> result(bytes_.begin(), bytes_.begin() + header_size);
            result.insert(result.end(), one.begin(), one.end() - std::ssize(inside));
            return result;
        }
        refuse("it has no variable \"", variable, '"');
    }

private:
    static constexpr std::size_t header_size = 128;
    static constexpr std::size_t most_bytes = std::size_t{1} << 24;
    static constexpr std::uint32_t int8 = 1, int32 = 5, uint32 = 6, matrix = 14, compressed = 15,
                                   utf8 = 16;

    struct element {
        std::uint32_t type;
        std::span<const std::byte> data;
    };

    template <class... Parts>
    [[noreturn]] void refuse(const Parts&... parts) const {
        detail::fail<data_error>("the MAT file ", name_, " cannot be read: ", parts...);
    }

    /// Takes an element off `rest`: a type and a size, the data, and padding to 8 bytes. Up to 4
    /// bytes may stand inside the first 8, with the size in the type's upper half.
    [[nodiscard]] element next(std::span<const std::byte>& rest) const {
        if (rest.size() < 8) refuse("it is truncated");
        const auto type = io::detail::load<std::uint32_t>(rest.data());
        const bool is_small = type >> 16 != 0;
        const std::size_t begin = is_small ? 4 : 8;
        const std::size_t size =
            is_small ? type >> 16 : io::detail::load<std::uint32_t>(rest.data() + 4);
        if (size > (is_small ? 4 : rest.size() - begin))
            refuse("an element claims ", size, " bytes of ", rest.size() - begin);
        const element result{type & 0xffffu, rest.subspan(begin, size)};
        const std::size_t padded = result.type == compressed ? size : (size + 7) / 8 * 8;
        rest = rest.subspan(is_small ? 8 : std::min(begin + padded, rest.size()));
        return result;
    }
    /// The same, of one type, with a size of `unit` bytes or a multiple.
    [[nodiscard]] std::span<const std::byte> next(std::span<const std::byte>& rest,
                                                  std::uint32_t type, std::size_t unit) const {
        const element found = next(rest);
        if (found.type != type || found.data.size() % unit != 0) refuse("an element is damaged");
        return found.data;
    }

    /// Checks an array with all that it holds; returns its name.
    std::string_view check_matrix(const element& array, int depth) const {
        constexpr int deepest = 2;
        constexpr unsigned class_struct = 2, is_complex = 8;
        if (array.type != matrix || array.data.size() % 8 != 0 || depth > deepest)
            refuse("an array is damaged or too deep");
        std::span<const std::byte> rest = array.data;
        if (rest.empty()) return {};
        const auto flags = next(rest, uint32, 8);
        const auto extents = next(rest, int32, 8);
        const auto name = next(rest, int8, 1);
        if (flags.size() != 8 || extents.size() != 8) refuse("an array has not two dimensions");
        const auto rows = io::detail::load<std::uint32_t>(extents.data());
        const auto columns = io::detail::load<std::uint32_t>(extents.data() + 4);
        const std::uint64_t count = std::uint64_t{rows} * columns;
        const auto kind = std::to_integer<unsigned>(flags[0]);
        if (kind == class_struct)
            check_fields(rest, count, depth);
        else if (std::to_integer<unsigned>(flags[1]) & is_complex)
            refuse("it has complex numbers");
        else
            check_values(rest, count, kind);
        if (!rest.empty()) refuse("an array holds more than its extents say");
        return {reinterpret_cast<const char*>(name.data()), name.size()};
    }

    void check_fields(std::span<const std::byte>& rest, std::uint64_t count, int depth) const {
        const auto width = next(rest, int32, 4);
        const auto length = width.size() == 4 ? io::detail::load<std::uint32_t>(width.data()) : 0;
        if (length == 0) refuse("the names of fields are damaged");
        const std::size_t fields = next(rest, int8, length).size() / length;
        if (fields == 0 || count > rest.size() / 8 / fields)
            refuse("it claims ", count, " elements of ", fields, " fields in ", rest.size(),
                   " bytes");
        for (std::uint64_t i = 0; i < count * fields; ++i)
            std::ignore = check_matrix(next(rest), depth + 1);
    }

    void check_values(std::span<const std::byte>& rest, std::uint64_t count, unsigned kind) const {
        constexpr unsigned class_char = 4, class_double = 6, class_uint64 = 15;
        if (kind != class_char && (kind < class_double || kind > class_uint64))
            refuse("it has an array of class ", kind, ", not of numbers or text");
        if (count > rest.size()) refuse("it claims ", count, " numbers in ", rest.size(), " bytes");
        if (count == 0 && rest.empty()) return;
        const element values = next(rest);
        const std::size_t size = size_of(values.type);
        // A letter of UTF-8 has up to 4 bytes.
        const std::size_t most = kind == class_char && values.type == utf8 ? 4 : size;
        if (size == 0 || values.data.size() < count * size || values.data.size() > count * most)
            refuse("it claims ", count, " numbers in ", values.data.size(), " bytes");
    }

    /// Bytes of a number or a letter of this type; 0 if it is none.
    [[nodiscard]] static std::size_t size_of(std::uint32_t type) {
        constexpr std::size_t sizes[] = {0, 1, 1, 2, 2, 4, 4, 4, 0, 8, 0, 0, 8, 8, 0, 0, 1, 2};
        return type < std::size(sizes) ? sizes[type] : 0;
    }

    [[nodiscard]] std::vector<std::byte> inflated(std::span<const std::byte> data) const {
        z_stream stream{};
        if (inflateInit(&stream) != Z_OK) refuse("zlib cannot start to inflate it");
        const std::unique_ptr<z_stream, int (*)(z_stream*)> end(&stream, &inflateEnd);
        constexpr std::size_t piece = std::size_t{1} << 18;
        stream.next_in = // zlib's interface has no const; it does not write here
            const_cast<Bytef*>(reinterpret_cast<const Bytef*>(data.data()));
        stream.avail_in = static_cast<uInt>(data.size());
        std::vector<std::byte> result;
        for (int status = Z_OK; status != Z_STREAM_END;) {
            const std::size_t done = result.size();
            result.resize(done + piece);
            stream.next_out = reinterpret_cast<Bytef*>(result.data() + done);
            stream.avail_out = static_cast<uInt>(piece);
            status = inflate(&stream, Z_NO_FLUSH);
            result.resize(result.size() - stream.avail_out);
            if ((status != Z_OK && status != Z_STREAM_END) || result.size() > most_bytes)
                refuse("a compressed element is damaged or holds more than ", most_bytes, " bytes");
        }
        return result;
    }

    std::span<const std::byte> bytes_;
    std::string name_;
};

} // namespace data
} // namespace v0
} // namespace quantal

#endif
