// SPDX-License-Identifier: Apache-2.0
/// Calibration tables as JSON: one line a quantizer point or layer, so that two can be compared
/// with any diff. Scales are written with all the digits that bring the same float32 back.
#ifndef QUANTAL_IO_TABLE_HPP
#define QUANTAL_IO_TABLE_HPP

#include <quantal/graph/plan.hpp>
#include <quantal/io/file.hpp>
#include <quantal/io/json.hpp>

#include <string>

namespace quantal {
inline namespace v0 {
namespace io {
namespace detail {

/// `"name": {"spec": ..., "scales": [...], "zero_points": [...]}`, a line each.
inline std::string entries_to_json(const std::map<std::string, qparams>& entries) {
    std::string text = "{";
    const char* separator = "\n";
    for (const auto& [name, p] : entries) {
        const nlohmann::ordered_json entry = {
            {"spec", to_string(p.spec)}, {"scales", p.scales}, {"zero_points", p.zero_points}};
        text += separator + ("    " + nlohmann::json(name).dump() + ": ") + entry.dump();
        separator = ",\n";
    }
    return text + "\n  }";
}

inline qparams qparams_from_json(const nlohmann::json& entry, const std::string& what) {
    qparams p{parse_spec(entry.at("spec").get<std::string>()), {}, {}};
    for (const auto& scale : entry.at("scales").get<nlohmann::json::array_t>()) {
        if (!scale.is_number())
            fail<data_error>(what, " holds ", scale.dump(), ", which is no scale");
        p.scales.push_back(scale.get<float>());
    }
    for (const auto& zero : entry.at("zero_points").get<nlohmann::json::array_t>())
        p.zero_points.push_back(integer_from_json(zero, what));
    // The shape is not known here: as many slices as there are scales.
    std::vector<std::int64_t> dims(static_cast<std::size_t>(p.spec.axis) + 1, 1);
    if (p.spec.grain != granularity::per_tensor) dims.back() = std::ssize(p.scales);
    if (p.spec.grain == granularity::per_group) dims.push_back(1); // one group a row
    check(p, extents(dims), what);
    return p;
}

inline std::map<std::string, qparams> entries_from_json(const nlohmann::json& entries,
                                                        const std::string& file) {
    std::map<std::string, qparams> result;
    for (const auto& [name, entry] : entries.get<nlohmann::json::object_t>()) {
        const std::string what = file + ": \"" + name; // names it in errors
        result.emplace(name, qparams_from_json(entry, what + '"'));
    }
    return result;
}

} // namespace detail

/// The version of the format that this library writes, and the only one so far.
inline constexpr int table_version = 1;

[[nodiscard]] inline std::string to_json(const table& t) {
    return "{\n  \"quantal_table\": " + std::to_string(table_version) +
           ",\n  \"activations\": " + detail::entries_to_json(t.activations) +
           ",\n  \"weights\": " + detail::entries_to_json(t.weights) +
           ",\n  \"notes\": " + nlohmann::json(t.notes).dump() + "\n}\n";
}

/// Reads a table; `file` names it in errors. Throws `data_error` or `spec_error` for anything that
/// `to_json` could not have written.
[[nodiscard]] inline table table_from_json(const std::string& text, const std::string& file) {
    constexpr int deepest = 8; // a table has 4 levels
    try {
        const auto json = detail::parse_json(text, deepest, file);
        const int version = detail::integer_from_json(json.at("quantal_table"), file);
        if (version != table_version)
            detail::fail<data_error>(file, ": a calibration table of version ", version,
                                     "; this library reads version ", table_version);
        return {detail::entries_from_json(json.at("activations"), file),
                detail::entries_from_json(json.at("weights"), file),
                json.at("notes").get<std::vector<std::string>>()};
    } catch (const nlohmann::json::exception& e) {
        detail::fail<data_error>(file, ": not a calibration table: ", e.what());
    }
}

inline void write_table(const std::filesystem::path& path, const table& t) {
    const std::string text = to_json(t);
    write_file(path, std::as_bytes(std::span(text)));
}
[[nodiscard]] inline table read_table(const std::filesystem::path& path) {
    const std::vector<std::byte> bytes = read_file(path);
    const std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return table_from_json(text, path.string());
}

} // namespace io
} // namespace v0
} // namespace quantal

#endif
