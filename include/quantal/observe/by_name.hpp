// SPDX-License-Identifier: Apache-2.0
/// Observers by name, for programs that take the name from their user.
#ifndef QUANTAL_OBSERVE_BY_NAME_HPP
#define QUANTAL_OBSERVE_BY_NAME_HPP

#include <quantal/error.hpp>
#include <quantal/observe/minmax.hpp>
#include <quantal/observe/moving_average.hpp>

#include <charconv>
#include <string_view>

namespace quantal {
inline namespace v0 {
namespace observe {
namespace detail {

/// The number behind the colon of `moving_average:0.1`.
[[nodiscard]] inline float weight_of_new(std::string_view text) {
    float weight = 0.0f;
    const char* end = text.data() + text.size();
    const auto [stop, status] = std::from_chars(text.data(), end, weight);
    if (status != std::errc{} || stop != end || !(weight > 0.0f && weight <= 1.0f))
        quantal::detail::fail<spec_error>("the weight of a moving average's new value is \"", text,
                                          "\"; it lies above 0 and is at most 1");
    return weight;
}

} // namespace detail

/// Calls `f` with a fresh observer of the written name, `minmax` or `moving_average[:WEIGHT]` (the
/// weight of the new value, 0.1 unless given), and returns what it returns.
template <class F>
decltype(auto) with_observer(std::string_view text, F&& f) {
    constexpr std::string_view average = "moving_average";
    if (text == "minmax") return f(minmax{});
    if (text == average) return f(moving_average{});
    if (text.starts_with(average) && text.substr(average.size()).starts_with(':'))
        return f(moving_average{.weight_of_new =
                                    detail::weight_of_new(text.substr(average.size() + 1))});
    quantal::detail::fail<spec_error>("there is no observer \"", text,
                                      "\"; there are minmax and moving_average[:WEIGHT]");
}

} // namespace observe
} // namespace v0
} // namespace quantal

#endif
