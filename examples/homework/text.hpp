// SPDX-License-Identifier: Apache-2.0
/// From rows of measured values to tables and sentences.
#ifndef QUANTAL_EXAMPLES_HOMEWORK_TEXT_HPP
#define QUANTAL_EXAMPLES_HOMEWORK_TEXT_HPP

#include <fmt/format.h>
#include <nlohmann/json.hpp>

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
[[nodiscard]] std::string to_markdown(const json& rows, const std::vector<column>& columns);

/// "a, b and c".
[[nodiscard]] std::string enumerate(const std::vector<std::string>& words);

/// A text whose `{key}` and `{key:.2f}` are values of a row.
[[nodiscard]] std::string filled(const char* text, const json& row);

} // namespace homework

#endif
