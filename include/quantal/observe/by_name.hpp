// SPDX-License-Identifier: Apache-2.0
/// Observers by name, for programs that take the name from their user.
#ifndef QUANTAL_OBSERVE_BY_NAME_HPP
#define QUANTAL_OBSERVE_BY_NAME_HPP

#include <quantal/error.hpp>
#include <quantal/observe/aciq.hpp>
#include <quantal/observe/kl.hpp>
#include <quantal/observe/minmax.hpp>
#include <quantal/observe/moving_average.hpp>
#include <quantal/observe/mse.hpp>
#include <quantal/observe/percentile.hpp>
#include <quantal/observe/sparsebit.hpp>

#include <charconv>
#include <string_view>

namespace quantal {
inline namespace v0 {
namespace observe {

/// What `with_observer` takes.
inline constexpr const char* observer_names =
    "minmax, moving_average[:WEIGHT], percentile[:SHARE], mse, kl, aciq[:gauss|laplace] and "
    "sparsebit:percentile|mse|kl|aciq|aciq-laplace";

namespace detail {

/// The number that `text` is, or `none`.
[[nodiscard]] inline float number_of(std::string_view text, float none) {
    float number = none;
    const char* end = text.data() + text.size();
    const auto [stop, status] = std::from_chars(text.data(), end, number);
    return status == std::errc{} && stop == end ? number : none;
}

/// The number behind the colon of `moving_average:0.1`.
[[nodiscard]] inline float weight_of_new(std::string_view text) {
    const float weight = number_of(text, 0.0f);
    if (!(weight > 0.0f && weight <= 1.0f))
        quantal::detail::fail<spec_error>("the weight of a moving average's new value is \"", text,
                                          "\"; it lies above 0 and is at most 1");
    return weight;
}

/// The number behind the colon of `percentile:0.001`.
[[nodiscard]] inline double clipped_share(std::string_view text) {
    const float share = number_of(text, -1.0f);
    if (!(share >= 0.0f && share < 0.5f))
        quantal::detail::fail<spec_error>("the share that a percentile leaves out is \"", text,
                                          "\"; it is at least 0 and below 0.5");
    return share;
}

} // namespace detail

/// Calls `f` with a fresh observer of the written name and returns what it returns: `minmax`,
/// `moving_average[:WEIGHT]` (the weight of the new value, 0.1 unless given), `percentile[:SHARE]`
/// (what is left out at each end, 0.0001 unless given), `mse`, `kl`, `aciq[:gauss|laplace]` (Gauss
/// unless given), or Sparsebit's as `sparsebit:percentile`, `sparsebit:mse`, `sparsebit:kl`,
/// `sparsebit:aciq` and `sparsebit:aciq-laplace`.
template <class F>
decltype(auto) with_observer(std::string_view text, F&& f) {
    const std::size_t colon = text.find(':');
    const std::string_view name = text.substr(0, colon);
    const bool is_plain = colon == text.npos;
    const std::string_view parameter = is_plain ? std::string_view{} : text.substr(colon + 1);
    if (text == "minmax") return f(minmax{});
    if (text == "mse") return f(mse{});
    if (text == "kl") return f(kl{});
    if (text == "aciq" || text == "aciq:gauss") return f(aciq{distribution::gauss});
    if (text == "aciq:laplace") return f(aciq{distribution::laplace});
    if (text == "sparsebit:percentile") return f(sparsebit_percentile{});
    if (text == "sparsebit:mse") return f(sparsebit_mse{});
    if (text == "sparsebit:kl") return f(sparsebit_kl{});
    if (text == "sparsebit:aciq") return f(sparsebit_aciq{distribution::gauss});
    if (text == "sparsebit:aciq-laplace") return f(sparsebit_aciq{distribution::laplace});
    if (name == "moving_average")
        return f(is_plain ? moving_average{}
                          : moving_average{.weight_of_new = detail::weight_of_new(parameter)});
    if (name == "percentile")
        return f(is_plain ? percentile{} : percentile{detail::clipped_share(parameter)});
    quantal::detail::fail<spec_error>("there is no observer \"", text, "\"; there are ",
                                      observer_names);
}

} // namespace observe
} // namespace v0
} // namespace quantal

#endif
