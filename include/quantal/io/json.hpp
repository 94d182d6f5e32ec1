// SPDX-License-Identifier: Apache-2.0
/// What the readers of JSON have in common.
#ifndef QUANTAL_IO_JSON_HPP
#define QUANTAL_IO_JSON_HPP

#include <quantal/error.hpp>

#include <nlohmann/json.hpp>

#include <cstdint>
#include <limits>
#include <string>

namespace quantal {
inline namespace v0 {
namespace io {
namespace detail {

using quantal::detail::fail;

/// Parses a text whose values are nested `deepest` levels at most; nothing deeper is even built.
inline nlohmann::json parse_json(const std::string& text, int deepest, const std::string& file) {
    return nlohmann::json::parse(
        text, [&](int depth, nlohmann::json::parse_event_t, nlohmann::json&) {
            if (depth > deepest)
                fail<data_error>(file, ": the JSON is nested more than ", deepest, " deep");
            return true;
        });
}

/// A number of JSON as it stands: no float or boolean becomes an integer, none is cut to 32 bits.
inline std::int32_t integer_from_json(const nlohmann::json& number, const std::string& what) {
    using limits = std::numeric_limits<std::int32_t>;
    // As double, because a 64-bit number without a sign compares wrongly with one that has it.
    if (!number.is_number_integer() || number.get<double>() < limits::min() ||
        number.get<double>() > limits::max())
        fail<data_error>(what, " holds ", number.dump(), ", which is no integer of 32 bits");
    return number.get<std::int32_t>();
}

/// `f()`; what it throws becomes a `data_error` that begins with where it happened.
template <class F>
auto with_context(const std::string& where, F&& f) {
    try {
        return f();
    } catch (const error& e) {
        fail<data_error>(where, ": ", e.what());
    } catch (const nlohmann::json::exception& e) {
        fail<data_error>(where, ": ", e.what());
    }
}

} // namespace detail
} // namespace io
} // namespace v0
} // namespace quantal

#endif
