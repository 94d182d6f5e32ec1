// SPDX-License-Identifier: Apache-2.0
/// What an observer is: a small object that sees the data of one tensor (or of one channel of it)
/// and says which range of real numbers the codes should cover.
#ifndef QUANTAL_OBSERVE_OBSERVER_HPP
#define QUANTAL_OBSERVE_OBSERVER_HPP

#include <quantal/spec/qspec.hpp>

#include <concepts>
#include <span>

namespace quantal {
inline namespace v0 {

/// The real numbers from `lo` to `hi`.
struct range {
    float lo = 0.0f;
    float hi = 0.0f;
    friend constexpr bool operator==(const range&, const range&) = default;
};

namespace detail {

template <class O>
concept has_plain_range = requires(const O& o) {
    { o.range() } -> std::convertible_to<quantal::range>;
};
template <class O>
concept has_range_for_spec = requires(const O& o, qspec spec) {
    { o.range(spec) } -> std::convertible_to<quantal::range>;
};

} // namespace detail

/// `observe(values)` takes one update (one image, or one channel of it); values are finite and at
/// least one. `merge(later)` continues with what `later` saw after this one. `range()` or
/// `range(spec)` is asked once, after at least one update. Copies of a fresh observer are fresh.
template <class O>
concept observer = std::copyable<O> &&
    requires(O& o, const O& later, std::span<const float> values) {
    o.observe(values);
    o.merge(later);
} &&(detail::has_plain_range<O> || detail::has_range_for_spec<O>);

/// The range of an observer under `spec`.
template <observer O>
[[nodiscard]] quantal::range range_of(const O& o, qspec spec) {
    if constexpr (detail::has_range_for_spec<O>)
        return o.range(spec);
    else
        return o.range();
}

} // namespace v0
} // namespace quantal

#endif
