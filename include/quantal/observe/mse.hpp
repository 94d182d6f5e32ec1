// SPDX-License-Identifier: Apache-2.0
/// The range of the least squared error.
#ifndef QUANTAL_OBSERVE_MSE_HPP
#define QUANTAL_OBSERVE_MSE_HPP

#include <quantal/observe/range_search.hpp>
#include <quantal/observe/sketch.hpp>

namespace quantal {
inline namespace v0 {
namespace observe {

/// `sum (x - real(q(x)))^2` over all values.
[[nodiscard]] inline double squared_error(std::span<const tally> values, const qparams& p) {
    double sum = 0.0;
    for (const auto& [x, count] : values) {
        const double error = double{x} - p.dequantize(p.quantize(x));
        sum += error * error * static_cast<double>(count);
    }
    return sum;
}

/// The range whose codes have the least `squared_error`, as `search_range` finds it.
class mse : public sketch {
public:
    [[nodiscard]] quantal::range range(qspec spec) const {
        return search_range(sketch::range(), spec, [values = tallies()](const qparams& p) {
            return squared_error(values, p);
        });
    }
};

static_assert(observer<mse>);

} // namespace observe
} // namespace v0
} // namespace quantal

#endif
