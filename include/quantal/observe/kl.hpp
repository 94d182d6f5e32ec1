// SPDX-License-Identifier: Apache-2.0
/// The range whose codes keep the distribution of the values.
#ifndef QUANTAL_OBSERVE_KL_HPP
#define QUANTAL_OBSERVE_KL_HPP

#include <quantal/observe/range_search.hpp>
#include <quantal/observe/sketch.hpp>

namespace quantal {
inline namespace v0 {
namespace observe {

/// The divergence `sum P log(P / Q)` of what codes tell of a distribution (S. Migacz, 8-bit
/// inference with TensorRT, 2017). P: the bins between the outermost codes, with all values beyond
/// counted in the outermost bins. Q: the same bins without the values beyond, the count of each
/// code spread evenly over its bins. Values of 0 take no part: every code book holds 0. Infinity if
/// all lie beyond.
[[nodiscard]] inline double divergence(std::span<const tally> values, const qparams& p) {
    const float lowest = p.dequantize(p.spec.qmin()) - p.scale() / 2;
    const float highest = p.dequantize(p.spec.qmax()) + p.scale() / 2;
    std::vector<tally> inside;
    double below = 0.0, above = 0.0;
    for (const tally& t : values) {
        if (t.value == 0.0f) continue;
        if (t.value < lowest)
            below += static_cast<double>(t.count);
        else if (t.value > highest)
            above += static_cast<double>(t.count);
        else
            inside.push_back(t);
    }
    if (inside.empty()) return std::numeric_limits<double>::infinity();
    double kept = 0.0;
    for (const tally& t : inside)
        kept += static_cast<double>(t.count);
    const double all = kept + below + above;
    double sum = 0.0;
    for (auto first = inside.begin(); first != inside.end();) {
        const std::int32_t code = p.quantize(first->value);
        const auto next = std::find_if(first, inside.end(),
                                       [&](const tally& t) { return p.quantize(t.value) != code; });
        double of_code = 0.0;
        for (auto t = first; t != next; ++t)
            of_code += static_cast<double>(t->count);
        const double q = of_code / static_cast<double>(next - first) / kept;
        for (auto t = first; t != next; ++t) {
            const double beyond =
                (t == inside.begin() ? below : 0.0) + (t + 1 == inside.end() ? above : 0.0);
            const double share = (static_cast<double>(t->count) + beyond) / all;
            sum += share * std::log(share / q);
        }
        first = next;
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
