// SPDX-License-Identifier: Apache-2.0
/// From rows of measured values to tables and sentences.
#ifndef QUANTAL_EXAMPLES_HOMEWORK_TEXT_HPP
#define QUANTAL_EXAMPLES_HOMEWORK_TEXT_HPP

#include <nlohmann/json.hpp>

#include <fmt/args.h>
#include <fmt/format.h>

#include <string>
#include <vector>

namespace homework {

using json = nlohmann::ordered_json;

/// A column of a printed table: its heading, and where its values are in the rows.
struct column {
    static constexpr int shortest = -1; ///< as many decimals as it takes

    std::string heading;
    std::string key;
    int decimals = 2; ///< of numbers that are not whole
};

/// Rows as a Markdown table; a cell is empty where its row has no such value.
[[nodiscard]] inline std::string to_markdown(const json& rows, const std::vector<column>& columns) {
    const auto cell = [](const json& row, const column& c) -> std::string {
        if (!row.contains(c.key)) return "";
        const json& value = row[c.key];
        if (value.is_string()) return value.get<std::string>();
        if (value.is_number_float() && c.decimals != column::shortest)
            return fmt::format("{:.{}f}", value.get<double>(), c.decimals);
        return value.dump();
    };
    std::string text = "|", line = "\n|";
    for (const column& c : columns) {
        text += ' ' + c.heading + " |";
        line += "---|";
    }
    text += line + '\n';
    for (const json& row : rows) {
        text += '|';
        for (const column& c : columns)
            text += ' ' + cell(row, c) + " |";
        text += '\n';
    }
    return text;
}

/// "a, b and c".
[[nodiscard]] inline std::string enumerate(const std::vector<std::string>& words) {
    if (words.size() < 2) return words.empty() ? "" : words.front();
    return fmt::format("{} and {}", fmt::join(words.begin(), words.end() - 1, ", "), words.back());
}

/// A text whose `{key}` and `{key:.2f}` are values of a row.
[[nodiscard]] inline std::string filled(const char* text, const json& row) {
    fmt::dynamic_format_arg_store<fmt::format_context> values;
    for (const auto& [key, value] : row.items()) {
        if (value.is_number_float())
            values.push_back(fmt::arg(key.c_str(), value.get<double>()));
        else
            values.push_back(
                fmt::arg(key.c_str(), value.is_string() ? value.get<std::string>() : value.dump()));
    }
    return fmt::vformat(text, values);
}

} // namespace homework

#endif
