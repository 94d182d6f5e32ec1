// SPDX-License-Identifier: Apache-2.0
/// All that calibration needs to remember of a tensor, in fixed memory: which values there were and
/// how often, and the extrema of each update.
#ifndef QUANTAL_OBSERVE_SKETCH_HPP
#define QUANTAL_OBSERVE_SKETCH_HPP

#include <quantal/observe/minmax.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <vector>

namespace quantal {
inline namespace v0 {
namespace observe {

/// A value and how often it was seen.
struct tally {
    float value;
    std::uint64_t count;
    friend constexpr bool operator==(const tally&, const tally&) = default;
};

[[nodiscard]] inline std::uint64_t count_of(const std::vector<tally>& values) {
    std::uint64_t all = 0;
    for (const tally& t : values)
        all += t.count;
    return all;
}

/// The mean of `f(x)` over all values; 0 of none.
template <class F>
[[nodiscard]] double mean_of(const std::vector<tally>& values, F&& f) {
    double sum = 0.0;
    for (const tally& t : values)
        sum += f(double{t.value}) * static_cast<double>(t.count);
    const std::uint64_t all = count_of(values);
    return all > 0 ? sum / static_cast<double>(all) : 0.0;
}

/// Up to `most_values` values are kept as they are. More become a histogram: 0 has a count of its
/// own, every other value `x` counts for bin `trunc(|x| / w)` of its sign. `w` is the least power
/// of two by which all values fit into `bins_a_side` bins; where it doubles, two bins become one.
/// So the counts depend on nothing but the values: not on their order, nor on how they were split
/// among updates, batches, threads or merged sketches. Grows by the extrema of each update only.
class sketch {
public:
    static constexpr std::int32_t bins_a_side = 4096;
    static constexpr std::size_t most_values = 16384; ///< they take as many bytes as the bins

    sketch() = default;
    /// What was seen elsewhere, on a device: the extrema of each update, and all values, if they
    /// are few enough to be kept.
    sketch(std::vector<quantal::range> updates, std::vector<float> values)
        : updates_(std::move(updates)), values_(std::move(values)) {}
    /// The same of more values: the counts of bins, from the lowest to the highest, those of zeros,
    /// and the exponent of the bins' width.
    sketch(std::vector<quantal::range> updates, std::vector<std::uint64_t> bins,
           std::uint64_t zeros, int exponent)
        : updates_(std::move(updates)), bins_(std::move(bins)), zeros_(zeros), exponent_(exponent) {
    }

    void observe(std::span<const float> values) {
        updates_.push_back(extrema(values));
        if (bins_.empty() && values.size() <= most_values - values_.size()) {
            values_.insert(values_.end(), values.begin(), values.end());
            return;
        }
        const auto [lo, hi] = updates_.back();
        use_bins(std::max(-lo, hi));
        count(values);
    }
    void merge(const sketch& later) {
        updates_.insert(updates_.end(), later.updates_.begin(), later.updates_.end());
        if (later.bins_.empty() && bins_.empty() &&
            later.values_.size() <= most_values - values_.size()) {
            values_.insert(values_.end(), later.values_.begin(), later.values_.end());
            return;
        }
        sketch other = later;
        const auto [lo, hi] = range();
        use_bins(std::max(-lo, hi));
        other.use_bins(std::max(-lo, hi));
        for (std::size_t i = 0; i < bins_.size(); ++i)
            bins_[i] += other.bins_[i];
        zeros_ += other.zeros_;
    }

    /// The smallest and the largest value, as `minmax`.
    [[nodiscard]] quantal::range range() const {
        minmax all;
        for (const auto& [lo, hi] : updates_)
            all.observe(std::array{lo, hi});
        return all.range();
    }
    /// The extrema of each update, in order: what `moving_average` is solved from.
    [[nodiscard]] const std::vector<quantal::range>& updates() const { return updates_; }
    /// How far a value of `tallies()` may be from the values that it stands for: half a bin, or 0.
    [[nodiscard]] float reach() const { return bins_.empty() ? 0.0f : std::ldexp(0.5f, exponent_); }
    /// Every value, or the centre of every bin that is not empty, with its count, from the lowest
    /// to the highest.
    [[nodiscard]] std::vector<tally> tallies() const {
        return bins_.empty() ? tallies_of_values() : tallies_of_bins();
    }

private:
    [[nodiscard]] std::vector<tally> tallies_of_values() const {
        std::vector<float> sorted = values_;
        std::sort(sorted.begin(), sorted.end());
        std::vector<tally> result;
        for (const float v : sorted)
            if (!result.empty() && result.back().value == v)
                ++result.back().count;
            else
                result.push_back({v, 1});
        return result;
    }
    [[nodiscard]] std::vector<tally> tallies_of_bins() const {
        const auto [lo, hi] = range();
        std::vector<tally> result;
        for (std::int32_t i = -bins_a_side; i < bins_a_side; ++i) {
            if (i == 0 && zeros_ > 0) result.push_back({0.0f, zeros_});
            const std::uint64_t seen = bins_[place_of(i)];
            const float centre = std::ldexp(static_cast<float>(i) + 0.5f, exponent_);
            if (seen > 0) result.push_back({std::clamp(centre, lo, hi), seen});
        }
        return result;
    }

    /// From values to bins, or from bins to wider ones, that hold `largest` too.
    void use_bins(float largest) {
        for (const float v : values_)
            largest = std::max(largest, std::abs(v));
        const int exponent = exponent_for(largest);
        if (bins_.empty()) {
            bins_.assign(std::size_t{2} * bins_a_side, 0);
            exponent_ = exponent;
            count(values_);
            values_ = {};
        } else if (exponent > exponent_) {
            widen(exponent);
        }
    }
    /// The least `e` by which `largest < bins_a_side * 2^e`; for 0 it is below that of any number.
    [[nodiscard]] static int exponent_for(float largest) {
        constexpr int none = -1000, log2_of_bins = std::bit_width(unsigned{bins_a_side}) - 1;
        static_assert(bins_a_side == 1 << log2_of_bins);
        if (largest == 0.0f) return none;
        int exponent = 0;
        (void)std::frexp(largest, &exponent); // largest < 2^exponent
        return exponent - log2_of_bins;
    }
    void widen(int exponent) {
        const int doublings = std::min(exponent - exponent_, 31);
        std::vector<std::uint64_t> wider(bins_.size());
        for (std::int32_t i = -bins_a_side; i < bins_a_side; ++i)
            wider[place_of(i >> doublings)] += bins_[place_of(i)];
        bins_ = std::move(wider);
        exponent_ = exponent;
    }
    /// Bins of the negative values are numbered -1 (next to 0), -2, ...
    [[nodiscard]] static std::size_t place_of(std::int32_t bin) {
        return static_cast<std::size_t>(std::ptrdiff_t{bins_a_side} + bin);
    }
    void count(std::span<const float> values) {
        const double bins_a_unit = std::ldexp(1.0, -exponent_); // products with it are exact
        for (const float v : values) {
            const auto bin = static_cast<std::int32_t>(std::abs(double{v}) * bins_a_unit);
            if (v == 0.0f)
                ++zeros_;
            else
                ++bins_[place_of(v < 0.0f ? ~bin : bin)];
        }
    }

    std::vector<quantal::range> updates_;
    std::vector<float> values_; ///< until there are too many
    std::vector<std::uint64_t> bins_;
    std::uint64_t zeros_ = 0;
    int exponent_ = 0; ///< bins are 2^exponent_ wide
};

static_assert(observer<sketch>);

/// The range that a fresh observer gives of all that a sketch has seen: one that is a sketch itself
/// takes it over; others look at nothing but the extrema of updates.
template <observer O>
[[nodiscard]] quantal::range solve(O fresh, const sketch& seen, qspec spec) {
    if constexpr (std::derived_from<O, sketch>)
        fresh.merge(seen);
    else
        for (const auto& [lo, hi] : seen.updates())
            fresh.observe(std::array{lo, hi});
    return range_of(fresh, spec);
}

} // namespace observe
} // namespace v0
} // namespace quantal

#endif
