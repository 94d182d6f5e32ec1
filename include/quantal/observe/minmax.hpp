// SPDX-License-Identifier: Apache-2.0
/// The smallest and the largest value seen.
#ifndef QUANTAL_OBSERVE_MINMAX_HPP
#define QUANTAL_OBSERVE_MINMAX_HPP

#include <quantal/kernel/cpu/elementwise.hpp>
#include <quantal/observe/observer.hpp>

#include <limits>
#include <type_traits>

namespace quantal {
inline namespace v0 {
namespace observe {

/// The extrema of `values`; at least one value, all finite.
[[nodiscard]] constexpr quantal::range extrema(std::span<const float> values) {
    if (!std::is_constant_evaluated()) {
        const auto found = cpu::min_max<cpu::best_arch>(values.data(), values.size());
        return {found.lo, found.hi};
    }
    float lo = values.front();
    float hi = values.front();
    for (const float v : values) {
        lo = v < lo ? v : lo;
        hi = v > hi ? v : hi;
    }
    return {lo, hi};
}

/// `[min, max]` of everything observed.
class minmax {
public:
    constexpr void observe(std::span<const float> values) { include(extrema(values)); }
    constexpr void merge(const minmax& later) { include(later.seen_); }
    [[nodiscard]] constexpr quantal::range range() const { return seen_; }

private:
    constexpr void include(quantal::range r) {
        seen_.lo = r.lo < seen_.lo ? r.lo : seen_.lo;
        seen_.hi = r.hi > seen_.hi ? r.hi : seen_.hi;
    }

    static constexpr float infinity = std::numeric_limits<float>::infinity();
    quantal::range seen_{infinity, -infinity};
};

static_assert(observer<minmax>);

} // namespace observe
} // namespace v0
} // namespace quantal

#endif
