// SPDX-License-Identifier: Apache-2.0
/// The search for the range that loses least, whatever a loss is.
#ifndef QUANTAL_OBSERVE_RANGE_SEARCH_HPP
#define QUANTAL_OBSERVE_RANGE_SEARCH_HPP

#include <quantal/observe/calibrate.hpp>

namespace quantal {
inline namespace v0 {
namespace observe {

/// The ranges that a search tries have ends at whole multiples of 1/128 of the extrema.
inline constexpr int range_steps = 128;

/// The range `[lo * a / 128, hi * b / 128]` of the least `loss(qparams)`, which is never above that
/// of `all = [lo, hi]`. First every a = b from 128 down to 1; then, for affine specs, each end by
/// itself, in turn, until neither helps. Of equal losses the first found wins.
template <class Loss>
[[nodiscard]] quantal::range search_range(quantal::range all, qspec spec, Loss&& loss) {
    const auto fraction = [](float end, int steps) {
        return end * (static_cast<float>(steps) / range_steps);
    };
    int lo = range_steps, hi = range_steps;
    double least = std::numeric_limits<double>::infinity();
    const auto attempt = [&](int a, int b) {
        const quantal::range r{fraction(all.lo, a), fraction(all.hi, b)};
        const double found = loss(make_qparams(spec, {&r, 1}, "range search"));
        if (!(found < least)) return false;
        least = found;
        lo = a;
        hi = b;
        return true;
    };
    for (int both = range_steps; both > 0; --both)
        attempt(both, both);
    bool improved = !spec.is_symmetric() && all.lo < 0.0f && all.hi > 0.0f;
    while (improved) {
        improved = false;
        for (int end = range_steps; end > 0; --end)
            improved |= attempt(end, hi);
        for (int end = range_steps; end > 0; --end)
            improved |= attempt(lo, end);
    }
    return {fraction(all.lo, lo), fraction(all.hi, hi)};
}

} // namespace observe
} // namespace v0
} // namespace quantal

#endif
