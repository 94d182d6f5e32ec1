// SPDX-License-Identifier: Apache-2.0
/// The safetensors format (github.com/huggingface/safetensors): a length of 8 bytes, a JSON header
/// of that length, then the tensors' bytes.
#ifndef QUANTAL_IO_RAW_SAFETENSORS_HPP
#define QUANTAL_IO_RAW_SAFETENSORS_HPP

#include <quantal/io/file.hpp>
#include <quantal/io/json.hpp>
#include <quantal/io/scalar.hpp>
#include <quantal/tensor/extents.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

namespace quantal {
inline namespace v0 {
namespace io {

/// A tensor whose elements lie somewhere else, little-endian and row-major.
struct raw_tensor {
    scalar_type type;
    extents shape;
    std::span<const std::byte> bytes;
};

/// Tensors and strings by name.
struct raw_checkpoint {
    std::map<std::string, raw_tensor> tensors;
    std::map<std::string, std::string> metadata;
};

namespace detail {

/// The header as JSON; refuses what is nested deeper than a header is, and names that stand twice.
inline nlohmann::json parse_header(std::string_view text, const std::string& file) {
    constexpr int deepest = 4;
    std::set<std::string> names;
    const auto guard = [&](int depth, nlohmann::json::parse_event_t event, nlohmann::json& parsed) {
        if (depth > deepest)
            fail<data_error>(file, ": the header is nested more than ", deepest, " deep");
        if (depth == 1 && event == nlohmann::json::parse_event_t::key &&
            !names.insert(parsed.get<std::string>()).second)
            fail<data_error>(file, ": the header names ", parsed.dump(), " twice");
        return true;
    };
    auto header = nlohmann::json::parse(text, guard);
    if (!header.is_object()) fail<data_error>(file, ": the header is no JSON object");
    return header;
}

/// Where one tensor lies in the data part.
struct tensor_entry {
    std::string name;
    scalar_type type;
    extents shape;
    std::uint64_t begin, end;
};

inline tensor_entry parse_entry(const std::string& name, const nlohmann::json& entry,
                                const std::string& file) {
    const auto dtype = entry.at("dtype").get<std::string>();
    const auto* found = std::find_if(std::begin(scalar_types), std::end(scalar_types),
                                     [&](const scalar_info& s) { return s.safetensors == dtype; });
    if (found == std::end(scalar_types))
        fail<data_error>(file, ": tensor \"", name, "\" has the type \"", dtype,
                         "\"; F64, F32, F16, BF16, I64, I32, I16, I8, U8 and BOOL are read");
    const auto& offsets = entry.at("data_offsets");
    const auto& dims = entry.at("shape");
    const auto are_whole = [](const nlohmann::json& numbers) {
        return numbers.is_array() && std::all_of(numbers.begin(), numbers.end(), [](const auto& n) {
                   return n.is_number_unsigned();
               });
    };
    if (!are_whole(offsets) || offsets.size() != 2 || !are_whole(dims))
        fail<data_error>(file, ": tensor \"", name,
                         "\" has no shape of whole numbers, or not two offsets");
    const auto shape = with_context(file + ": tensor \"" + name + '"',
                                    [&] { return extents(dims.get<std::vector<std::int64_t>>()); });
    return {name, found->type, shape, offsets[0].get<std::uint64_t>(),
            offsets[1].get<std::uint64_t>()};
}

/// All tensors in the order of their bytes, which they fill without gap or overlap.
inline std::vector<tensor_entry> parse_entries(const nlohmann::json& header, std::uint64_t size,
                                               const std::string& file) {
    std::vector<tensor_entry> entries;
    for (const auto& [name, entry] : header.items())
        if (name != "__metadata__") entries.push_back(parse_entry(name, entry, file));
    std::sort(entries.begin(), entries.end(), [](const tensor_entry& a, const tensor_entry& b) {
        return a.begin != b.begin ? a.begin < b.begin : a.end < b.end;
    });
    std::uint64_t expected = 0;
    for (const tensor_entry& e : entries) {
        const std::uint64_t length = e.end - e.begin;
        if (e.begin != expected || e.end < e.begin || e.end > size ||
            length / size_of(e.type) != e.shape.count() || length % size_of(e.type) != 0)
            fail<data_error>(file, ": tensor \"", e.name, "\" of shape ", e.shape,
                             " claims the bytes ", e.begin, " to ", e.end, " of ", size,
                             "; tensors follow each other and have the size of their shape");
        expected = e.end;
    }
    if (expected != size)
        fail<data_error>(file, ": the tensors end at byte ", expected, " of ", size);
    return entries;
}

} // namespace detail

/// Reads a file that lies in memory, whose bytes the tensors point to; `file` names it in errors.
[[nodiscard]] inline raw_checkpoint parse_raw_safetensors(std::span<const std::byte> bytes,
                                                          const std::string& file) {
    constexpr std::size_t length_size = 8;
    if (bytes.size() < length_size)
        detail::fail<data_error>(file, ": ", bytes.size(), " bytes are no safetensors file");
    const auto length = detail::load<std::uint64_t>(bytes.data());
    if (length > bytes.size() - length_size)
        detail::fail<data_error>(file, ": the header claims ", length, " bytes, the file has ",
                                 bytes.size() - length_size, " left");
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()) + length_size, length);
    const auto data = bytes.subspan(length_size + length);
    raw_checkpoint result;
    try {
        const auto header = detail::parse_header(text, file);
        if (header.contains("__metadata__"))
            result.metadata = header["__metadata__"].get<std::map<std::string, std::string>>();
        for (const auto& e : detail::parse_entries(header, data.size(), file))
            result.tensors.emplace(
                e.name, raw_tensor{e.type, e.shape, data.subspan(e.begin, e.end - e.begin)});
    } catch (const nlohmann::json::exception& e) {
        detail::fail<data_error>(file, ": the header is not one of safetensors: ", e.what());
    }
    return result;
}

namespace detail {

/// The header as text; JSON holds UTF-8 only, names of other checkpoints may be anything.
inline std::string header_text(const nlohmann::ordered_json& header) {
    try {
        return header.empty() ? "{}" : header.dump();
    } catch (const nlohmann::json::exception& e) {
        fail<data_error>("a checkpoint cannot be written as safetensors: ", e.what());
    }
}

/// The tensors in the order of their bytes: wide elements first, which aligns all of them, then by
/// name.
inline std::vector<const std::pair<const std::string, raw_tensor>*>
in_order(const raw_checkpoint& c) {
    std::vector<const std::pair<const std::string, raw_tensor>*> result;
    for (const auto& entry : c.tensors)
        result.push_back(&entry);
    std::stable_sort(result.begin(), result.end(), [](const auto* a, const auto* b) {
        return size_of(a->second.type) > size_of(b->second.type);
    });
    return result;
}

} // namespace detail

/// The bytes of a safetensors file; data are aligned to 8 bytes.
[[nodiscard]] inline std::vector<std::byte> to_safetensors(const raw_checkpoint& c) {
    nlohmann::ordered_json header;
    if (c.tensors.contains("__metadata__"))
        detail::fail<data_error>("a tensor cannot be written under the name \"__metadata__\"");
    if (!c.metadata.empty()) header["__metadata__"] = c.metadata;
    const auto tensors = detail::in_order(c);
    std::size_t offset = 0;
    for (const auto* entry : tensors) {
        const auto& [name, t] = *entry;
        const std::vector<std::int64_t> dims(t.shape.begin(), t.shape.end());
        const std::size_t end = offset + t.bytes.size();
        header[name] = {{"dtype", info_of(t.type).safetensors},
                        {"shape", dims},
                        {"data_offsets", {offset, end}}};
        offset = end;
    }
    std::string text = detail::header_text(header);
    text.resize((text.size() + 7) / 8 * 8, ' ');
    std::vector<std::byte> bytes(8 + text.size() + offset);
    const auto length = static_cast<std::uint64_t>(text.size());
    std::memcpy(bytes.data(), &length, 8);
    std::memcpy(bytes.data() + 8, text.data(), text.size());
    std::byte* out = bytes.data() + 8 + text.size();
    for (const auto* entry : tensors)
        out = std::copy(entry->second.bytes.begin(), entry->second.bytes.end(), out);
    return bytes;
}

} // namespace io
} // namespace v0
} // namespace quantal

#endif
