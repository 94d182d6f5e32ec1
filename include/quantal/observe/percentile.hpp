// SPDX-License-Identifier: Apache-2.0
/// The range that leaves out a share of the values at each end.
#ifndef QUANTAL_OBSERVE_PERCENTILE_HPP
#define QUANTAL_OBSERVE_PERCENTILE_HPP

#include <quantal/error.hpp>
#include <quantal/observe/sketch.hpp>

namespace quantal {
inline namespace v0 {
namespace observe {

namespace detail {

[[nodiscard]] inline double checked_share(double clipped) {
    if (!(clipped >= 0.0 && clipped < 0.5))
        quantal::detail::fail<spec_error>("the share that a percentile leaves out is ", clipped,
                                          "; it is at least 0 and below 0.5");
    return clipped;
}

} // namespace detail

/// The narrowest range `[lo, hi]` with at most the share `clipped` of all values below and at most
/// as many above; in [0, 0.5), else it throws spec_error. Of a bin it takes the outer edge.
class percentile : public sketch {
public:
    explicit percentile(double clipped = 1e-4) : clipped_(detail::checked_share(clipped)) {}

    [[nodiscard]] double clipped() const { return clipped_; }
    [[nodiscard]] quantal::range range() const {
        const std::vector<tally> values = tallies();
        const auto [lo, hi] = sketch::range();
        const auto most =
            static_cast<std::uint64_t>(clipped_ * static_cast<double>(count_of(values)));
        const float lowest = first_beyond(most, values.begin(), values.end());
        const float highest = first_beyond(most, values.rbegin(), values.rend());
        return {std::max(lo, lowest - reach()), std::min(hi, highest + reach())};
    }

private:
    /// The value at which more than `most` values have gone by.
    template <class Iterator>
    [[nodiscard]] static float first_beyond(std::uint64_t most, Iterator at, Iterator end) {
        for (std::uint64_t passed = at->count; passed <= most && std::next(at) != end;
             passed += at->count)
            ++at;
        return at->value;
    }

    double clipped_;
};

static_assert(observer<percentile>);

} // namespace observe
} // namespace v0
} // namespace quantal

#endif
