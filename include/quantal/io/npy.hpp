// SPDX-License-Identifier: Apache-2.0
/// numpy's files of one array (NEP 1, versions 1.0 to 3.0), read and written as float32.
#ifndef QUANTAL_IO_NPY_HPP
#define QUANTAL_IO_NPY_HPP

#include <quantal/io/file.hpp>
#include <quantal/io/scalar.hpp>
#include <quantal/tensor/tensor.hpp>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace quantal {
inline namespace v0 {
namespace io {
namespace detail {

/// The dictionary of an array's file, which is a literal of Python: strings, one boolean and one
/// tuple of integers.
class npy_header {
public:
    npy_header(std::string_view text, const std::string& file) : text_(text), file_(file) {}

    void parse() {
        expect('{');
        while (!accept('}')) {
            const std::string key = string();
            expect(':');
            if (key == "descr")
                type = string();
            else if (key == "fortran_order")
                columns_first = boolean();
            else if (key == "shape")
                shape = tuple();
            else
                refuse();
            if (!accept(',')) {
                expect('}');
                break;
            }
        }
        skip_spaces();
        if (!text_.empty() || !shape) refuse();
    }

    std::string type;
    bool columns_first = false;
    std::optional<extents> shape;

private:
    [[noreturn]] void refuse() const {
        fail<data_error>(file_, ": not an array of numpy; its header has to be {'descr': TYPE, "
                                "'fortran_order': False, 'shape': (...)}");
    }
    void skip_spaces() {
        text_.remove_prefix(std::min(text_.find_first_not_of(" \n"), text_.size()));
    }
    bool accept(char c) {
        skip_spaces();
        if (!text_.starts_with(c)) return false;
        text_.remove_prefix(1);
        return true;
    }
    void expect(char c) {
        if (!accept(c)) refuse();
    }
    std::string string() {
        expect('\'');
        const std::size_t end = text_.find('\'');
        if (end == text_.npos) refuse();
        std::string result(text_.substr(0, end));
        text_.remove_prefix(end + 1);
        return result;
    }
    bool boolean() {
        skip_spaces();
        for (const std::string_view word : {"True", "False"})
            if (text_.starts_with(word)) {
                text_.remove_prefix(word.size());
                return word == "True";
            }
        refuse();
    }
    extents tuple() {
        std::vector<std::int64_t> dims;
        expect('(');
        while (!accept(')')) {
            std::int64_t extent = 0;
            const auto [end, problem] =
                std::from_chars(text_.data(), text_.data() + text_.size(), extent);
            if (problem != std::errc() || dims.size() > extents::max_rank) refuse();
            text_.remove_prefix(static_cast<std::size_t>(end - text_.data()));
            dims.push_back(extent);
            if (!accept(',')) {
                expect(')');
                break;
            }
        }
        return extents(dims);
    }

    std::string_view text_;
    const std::string& file_;
};

/// Types by numpy's names, of little-endian numbers.
inline constexpr std::pair<std::string_view, scalar_type> npy_types[] = {
    {"<f8", scalar_type::f64}, {"<f4", scalar_type::f32}, {"<f2", scalar_type::f16},
    {"<i8", scalar_type::i64}, {"<i4", scalar_type::i32}, {"<i2", scalar_type::i16},
    {"|i1", scalar_type::i8},  {"|u1", scalar_type::u8},  {"|b1", scalar_type::boolean},
};

inline constexpr std::string_view npy_magic = "\x93NUMPY";

} // namespace detail

/// Reads an array that lies in memory; `file` names it in errors. Throws `data_error`.
[[nodiscard]] inline tensor<float> parse_npy(std::span<const std::byte> bytes,
                                             const std::string& file) {
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    const std::size_t length_at = detail::npy_magic.size() + 2;
    if (!text.starts_with(detail::npy_magic) || text.size() < length_at + 4)
        detail::fail<data_error>(file, ": not an array of numpy");
    const bool is_first = text[detail::npy_magic.size()] == 1;
    const std::size_t begin = length_at + (is_first ? 2 : 4);
    const std::byte* at = bytes.data() + length_at;
    const std::size_t length =
        is_first ? detail::load<std::uint16_t>(at) : detail::load<std::uint32_t>(at);
    if (length > text.size() - begin)
        detail::fail<data_error>(file, ": the header of ", length, " bytes is cut off");
    detail::npy_header header(text.substr(begin, length), file);
    header.parse();
    const auto* known = std::find_if(std::begin(detail::npy_types), std::end(detail::npy_types),
                                     [&](const auto& t) { return t.first == header.type; });
    if (known == std::end(detail::npy_types) || header.columns_first)
        detail::fail<data_error>(file, ": an array of ", header.type,
                                 header.columns_first ? " in Fortran's order" : "",
                                 "; this library reads numbers of up to 8 bytes, little-endian, "
                                 "in C's order");
    const std::size_t count = header.shape->count(), size = size_of(known->second);
    const auto data = bytes.subspan(begin + length);
    if (count > data.size() / size || data.size() != count * size)
        detail::fail<data_error>(file, ": ", data.size(), " bytes of data; the shape ",
                                 *header.shape, " of ", header.type, " takes another number");
    tensor<float> result(*header.shape);
    for (std::size_t i = 0; i < count; ++i)
        result[i] = read_scalar(data.data() + i * size, known->second);
    return result;
}

/// The bytes of a file (version 1.0, the data aligned to 64 bytes).
[[nodiscard]] inline std::vector<std::byte> to_npy(const tensor<float>& values) {
    std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (";
    for (const std::int64_t extent : values.shape())
        header += std::to_string(extent) + ',';
    header += "), }";
    const std::size_t begin = detail::npy_magic.size() + 4;
    header.append(63 - (begin + header.size()) % 64, ' ') += '\n';
    std::string text(detail::npy_magic);
    text += {'\x01', '\x00'};
    text += {static_cast<char>(header.size() % 256), static_cast<char>(header.size() / 256)};
    text += header;
    const auto head = std::as_bytes(std::span(text)), data = std::as_bytes(values.values());
    std::vector<std::byte> bytes(head.begin(), head.end());
    bytes.insert(bytes.end(), data.begin(), data.end());
    return bytes;
}

[[nodiscard]] inline tensor<float> read_npy(const std::filesystem::path& path) {
    return parse_npy(read_file(path), path.string());
}
inline void write_npy(const std::filesystem::path& path, const tensor<float>& values) {
    write_file(path, to_npy(values));
}

} // namespace io
} // namespace v0
} // namespace quantal

#endif
