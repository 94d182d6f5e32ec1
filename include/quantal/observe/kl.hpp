// SPDX-License-Identifier: Apache-2.0
/// The range whose codes keep the distribution of the values.
#ifndef QUANTAL_OBSERVE_KL_HPP
#define QUANTAL_OBSERVE_KL_HPP

#include <quantal/observe/range_search.hpp>
#include <quantal/observe/sketch.hpp>

namespace quantal {
inline namespace v0 {
namespace observe {

namespace detail {

/// Bins between the outermost codes, and how many values lie beyond on either side.
struct split_values {
    std::vector<tally> inside;
    double below = 0.0, above = 0.0;
};

[[nodiscard]] inline split_values split(std::span<const tally> values, const qparams& p) {
    const float lowest = p.dequantize(p.spec.qmin()) - p.scale() / 2;
    const float highest = p.dequantize(p.spec.qmax()) + p.scale() / 2;
    split_values result;
    for (const tally& t : values) {
        if (t.value == 0.0f) continue;
        if (t.value < lowest)
            result.below += static_cast<double>(t.count);
        else if (t.value > highest)
            result.above += static_cast<double>(t.count);
        else
            result.inside.push_back(t);
    }
    return result;
}

[[nodiscard]] inline double count_of(std::span<const tally> values) {
    double count = 0.0;
    for (const tally& t : values)
        count += static_cast<double>(t.count);
    return count;
}

} // namespace detail

/// The divergence `sum P log(P / Q)` of what codes tell of a distribution (S. Migacz, 8-bit
/// inference with TensorRT, 2017). P: the bins between the outermost codes, with all values beyond
/// counted in the outermost bins. Q: the same bins without the values beyond, the count of each
/// code spread evenly over its bins. Values of 0 take no part: every code book holds 0. Infinity if
/// all lie beyond.
[[nodiscard]] inline double divergence(std::span<const tally> values, const qparams& p) {
    const auto [inside, below, above] = detail::split(values, p);
    if (inside.empty()) return std::numeric_limits<double>::infinity();
    const double kept = detail::count_of(inside), all = kept + below + above;
    double sum = 0.0;
    for (auto first = inside.begin(); first != inside.end();) {
        auto next = first;
        while (next != inside.end() && p.quantize(next->value) == p.quantize(first->value))
            ++next;
        const double q = detail::count_of({first, next}) / static_cast<double>(next - first) / kept;
        for (; first != next; ++first) {
            const double beyond =
                (first == inside.begin() ? below : 0.0) + (first + 1 == inside.end() ? above : 0.0);
            const double share = (static_cast<double>(first->count) + beyond) / all;
            sum += share * std::log(share / q);
        }
    }
    return sum;
}

/// The range of the least `divergence`, as `search_range` finds it. It takes many values: where
/// each was seen once, the extrema lose nothing.
class kl : public sketch {
public:
    [[nodiscard]] quantal::range range(qspec spec) const {
        return search_range(sketch::range(), spec, [values = tallies()](const qparams& p) {
            return divergence(values, p);
        });
    }
};

static_assert(observer<kl>);

} // namespace observe
} // namespace v0
} // namespace quantal

#endif
