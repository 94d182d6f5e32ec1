// SPDX-License-Identifier: Apache-2.0
/// An exponential moving average of the extrema of each update.
#ifndef QUANTAL_OBSERVE_MOVING_AVERAGE_HPP
#define QUANTAL_OBSERVE_MOVING_AVERAGE_HPP

#include <quantal/arith/affine.hpp>
#include <quantal/observe/minmax.hpp>

#include <vector>

namespace quantal {
inline namespace v0 {
namespace observe {

/// `value = value * (1 - a) + new * a` for the minimum and the maximum, one update an image in the
/// order of the data; `value` starts at the first. `a` is `weight_of_new`, in (0, 1]: about
/// (2 - a) / a images count. It keeps the extrema of each update, so that it can merge.
struct moving_average {
    float weight_of_new = 0.1f;
    std::vector<quantal::range> updates{}; ///< the extrema of each update, in order

    void observe(std::span<const float> values) { updates.push_back(extrema(values)); }
    void merge(const moving_average& later) {
        updates.insert(updates.end(), later.updates.begin(), later.updates.end());
    }
    [[nodiscard]] quantal::range range() const {
        quantal::range value = updates.front();
        for (const quantal::range& next : std::span(updates).subspan(1)) {
            value.lo = arith::moving_average(value.lo, next.lo, weight_of_new);
            value.hi = arith::moving_average(value.hi, next.hi, weight_of_new);
        }
        return value;
    }
};

static_assert(observer<moving_average>);

} // namespace observe
} // namespace v0
} // namespace quantal

#endif
