// SPDX-License-Identifier: Apache-2.0
/// Checkpoints made by hand: pickles of protocol 2 as torch.save writes them, the stored zip
/// archive around them, and the older stream.
#ifndef QUANTAL_TESTS_IO_PICKLE_WRITER_HPP
#define QUANTAL_TESTS_IO_PICKLE_WRITER_HPP

#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace writer {

using bytes = std::vector<std::byte>;

/// The bytes of a number, least significant first.
template <class T>
std::string little_endian(T number) {
    std::string text(sizeof number, '\0');
    std::memcpy(text.data(), &number, sizeof number); // the host's order, which is required
    return text;
}

/// The elements of a storage.
template <class T>
std::string storage_of(const std::vector<T>& elements) {
    std::string text;
    for (const T& e : elements)
        text += little_endian(e);
    return text;
}

inline bytes to_bytes(const std::string& text) {
    const auto* data = reinterpret_cast<const std::byte*>(text.data());
    return {data, data + text.size()};
}

// ---- instructions of pickles: each function gives the bytes that push one value ----------------

inline std::string pickle_of(const std::string& value) {
    return "\x80\x02" + value + ".";
}
inline std::string text(const std::string& value) {
    return "X" + little_endian(static_cast<std::uint32_t>(value.size())) + value;
}
/// As Python writes it: 1, 2 or 4 bytes, or as many as 64 bits take.
inline std::string integer(std::int64_t value) {
    if (value >= 0 && value < 256) return "K" + little_endian(static_cast<std::uint8_t>(value));
    if (value >= 0 && value < 65536) return "M" + little_endian(static_cast<std::uint16_t>(value));
    if (value == static_cast<std::int32_t>(value))
        return "J" + little_endian(static_cast<std::int32_t>(value));
    return "\x8a\x08" + little_endian(value);
}
inline std::string name(const std::string& module, const std::string& attribute) {
    return "c" + module + "\n" + attribute + "\n";
}
/// The value on top of the stack under `key`, and the value under `key`.
inline std::string put(std::uint32_t key) {
    return "r" + little_endian(key);
}
inline std::string get(std::uint32_t key) {
    return "j" + little_endian(key);
}
inline std::string join(const std::vector<std::string>& values) {
    std::string all;
    for (const std::string& v : values)
        all += v;
    return all;
}
inline std::string tuple(const std::vector<std::string>& values) {
    if (values.empty()) return ")";
    if (values.size() > 3) return "(" + join(values) + "t";
    return join(values) + static_cast<char>(0x84 + values.size());
}
inline std::string list(const std::vector<std::string>& values) {
    return "](" + join(values) + "e";
}
inline std::string call(const std::string& function, const std::vector<std::string>& arguments) {
    return function + tuple(arguments) + "R";
}
using items = std::vector<std::pair<std::string, std::string>>;
/// Adds the items to the dictionary below.
inline std::string set_items(const items& all) {
    std::string result = "(";
    for (const auto& [key, value] : all)
        result += text(key) + value;
    return result + "u";
}
inline std::string dictionary(const items& all) {
    return "}" + set_items(all);
}
inline std::string ordered_dictionary(const items& all) {
    return call(name("collections", "OrderedDict"), {}) + set_items(all);
}
inline std::string sizes(const std::vector<std::int64_t>& values) {
    std::vector<std::string> all;
    for (const std::int64_t v : values)
        all.push_back(integer(v));
    return tuple(all);
}
inline std::string storage(const std::string& type, const std::string& key, std::int64_t count) {
    return tuple({text("storage"), name("torch", type), text(key), text("cpu"), integer(count)}) +
           "Q";
}
inline std::string tensor(const std::string& storage, std::int64_t offset,
                          const std::vector<std::int64_t>& shape,
                          const std::vector<std::int64_t>& strides) {
    return call(name("torch._utils", "_rebuild_tensor_v2"),
                {storage, integer(offset), sizes(shape), sizes(strides), "\x89",
                 call(name("collections", "OrderedDict"), {})});
}

// ---- files -------------------------------------------------------------------------------------

/// An entry of an archive; the optional parts are there to be wrong.
struct zip_entry {
    std::string name, data;
    std::uint16_t method = 0, flags = 0;
    std::uint32_t checksum_error = 0;
};

enum class zip_fields { of_32_bits, of_64_bits };

/// Behind the fixed fields of an entry in the directory: those that did not fit into 32 bits.
inline std::string wide_fields(std::uint64_t size, std::uint64_t offset) {
    return little_endian(std::uint16_t{1}) + little_endian(std::uint16_t{24}) +
           little_endian(size) + little_endian(size) + little_endian(offset);
}

inline std::string zip_directory_entry(const zip_entry& e, const std::string& common,
                                       std::uint64_t offset, zip_fields fields) {
    const bool wide = fields == zip_fields::of_64_bits;
    const auto size = wide ? 0xffffffffu : static_cast<std::uint32_t>(e.data.size());
    const std::string extra = wide ? wide_fields(e.data.size(), offset) : "";
    return "PK\1\2" + little_endian(std::uint16_t{45}) + common + little_endian(size) +
           little_endian(size) + little_endian(static_cast<std::uint16_t>(e.name.size())) +
           little_endian(static_cast<std::uint16_t>(extra.size())) + std::string(10, '\0') +
           little_endian(wide ? 0xffffffffu : static_cast<std::uint32_t>(offset)) + e.name + extra;
}

/// The records behind the directory.
inline std::string zip_end(std::uint64_t count, std::uint64_t size, std::uint64_t offset,
                           zip_fields fields) {
    if (fields == zip_fields::of_32_bits)
        return std::string("PK\5\6\0\0\0\0", 8) + little_endian(static_cast<std::uint16_t>(count)) +
               little_endian(static_cast<std::uint16_t>(count)) +
               little_endian(static_cast<std::uint32_t>(size)) +
               little_endian(static_cast<std::uint32_t>(offset)) + std::string(2, '\0');
    const std::string versions(2 * sizeof(std::uint16_t), '\x2d');
    return "PK\6\6" + little_endian(std::uint64_t{44}) + versions + std::string(8, '\0') +
           little_endian(count) + little_endian(count) + little_endian(size) +
           little_endian(offset) + std::string("PK\6\7\0\0\0\0", 8) + little_endian(offset + size) +
           little_endian(1u) + std::string("PK\5\6\0\0\0\0", 8) + std::string(12, '\xff') +
           std::string(2, '\0');
}

/// A stored archive, as PyTorch writes it but for the padding between entries.
inline bytes zip(const std::vector<zip_entry>& entries,
                 zip_fields fields = zip_fields::of_32_bits) {
    std::string file, directory;
    for (const zip_entry& e : entries) {
        const auto* data = reinterpret_cast<const Bytef*>(e.data.data());
        const auto sum = crc32(crc32(0, nullptr, 0), data, static_cast<uInt>(e.data.size()));
        const auto size = static_cast<std::uint32_t>(e.data.size());
        const std::string common =
            little_endian(std::uint16_t{20}) + little_endian(e.flags) + little_endian(e.method) +
            std::string(4, '\0') +
            little_endian(static_cast<std::uint32_t>(sum) ^ e.checksum_error);
        directory += zip_directory_entry(e, common, file.size(), fields);
        file += "PK\3\4" + common + little_endian(size) + little_endian(size) +
                little_endian(static_cast<std::uint16_t>(e.name.size())) + std::string(2, '\0') +
                e.name + e.data;
    }
    return to_bytes(file + directory +
                    zip_end(entries.size(), directory.size(), file.size(), fields));
}

using storages = std::map<std::string, std::string>;

/// torch.save's archive of a pickle and its storages.
inline bytes archive(const std::string& pickle, const storages& all,
                     zip_fields fields = zip_fields::of_32_bits) {
    std::vector<zip_entry> entries{{"archive/data.pkl", pickle}};
    for (const auto& [key, data] : all)
        entries.push_back({"archive/data/" + key, data});
    entries.push_back({"archive/version", "3\n"});
    return zip(entries, fields);
}

/// torch.save's older stream; `sizes` has the bytes of an element by the storage's key.
inline bytes stream(const std::string& pickle, const storages& all,
                    const std::map<std::string, std::uint64_t>& sizes) {
    const std::string magic = "\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
    const std::string system = dictionary({{"protocol_version", integer(1001)},
                                           {"little_endian", "\x88"},
                                           {"type_sizes", dictionary({{"int", integer(4)}})}});
    std::vector<std::string> keys;
    std::string data;
    for (const auto& [key, elements] : all) {
        keys.push_back(text(key));
        data += little_endian(std::uint64_t{elements.size() / sizes.at(key)}) + elements;
    }
    return to_bytes(pickle_of(magic) + pickle_of(integer(1001)) + pickle_of(system) + pickle +
                    pickle_of(list(keys)) + data);
}

} // namespace writer

#endif
