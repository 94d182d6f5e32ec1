// SPDX-License-Identifier: Apache-2.0
#include "text.hpp"

#include <fmt/args.h>

namespace homework {

std::string to_markdown(const json& rows, const std::vector<column>& columns) {
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

std::string enumerate(const std::vector<std::string>& words) {
    if (words.size() < 2) return words.empty() ? "" : words.front();
    return fmt::format("{} and {}", fmt::join(words.begin(), words.end() - 1, ", "), words.back());
}

std::string filled(const char* text, const json& row) {
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
