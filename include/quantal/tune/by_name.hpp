// SPDX-License-Identifier: Apache-2.0
/// Ways of rounding by name, for programs that take the name from their user.
#ifndef QUANTAL_TUNE_BY_NAME_HPP
#define QUANTAL_TUNE_BY_NAME_HPP

#include <quantal/error.hpp>
#include <quantal/tune/round_blocks.hpp>

#include <string_view>

namespace quantal {
inline namespace v0 {
namespace tune {

/// What `with_rounding` takes.
inline constexpr const char* rounding_names = "nearest, descent, adaround and adaround:block";

/// Calls `f` with the method of the written name and returns what it returns.
template <class F>
decltype(auto) with_rounding(std::string_view text, F&& f) {
    if (text == "nearest") return f(nearest{});
    if (text == "descent") return f(descent{});
    if (text == "adaround") return f(adaround{});
    if (text == "adaround:block") return f(block_adaround{});
    quantal::detail::fail<spec_error>("there is no rounding \"", text, "\"; there are ",
                                      rounding_names);
}

} // namespace tune
} // namespace v0
} // namespace quantal

#endif
