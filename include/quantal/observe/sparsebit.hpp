// SPDX-License-Identifier: Apache-2.0
/// Ranges as Sparsebit's observers choose them, to compare with what it calibrated; its way of
/// making a scale of a range is not followed. (Its moving average with ratio r is `moving_average`
/// with the weight 1 - r.)
#ifndef QUANTAL_OBSERVE_SPARSEBIT_HPP
#define QUANTAL_OBSERVE_SPARSEBIT_HPP

#include <quantal/error.hpp>
#include <quantal/observe/aciq.hpp>
#include <quantal/observe/percentile.hpp>

#include <cmath>
#include <numbers>

namespace quantal {
inline namespace v0 {
namespace observe {

/// The tails are counted sign by sign: with `n` values of 0 and more, `round(n * clipped)` of the
/// largest are left out; with `m` below 0, `round(m * clipped) - 1` of the lowest. The end of a
/// sign that has no values is 0. Exact while the sketch keeps values, else the middle of a bin.
class sparsebit_percentile : public sketch {
public:
    explicit sparsebit_percentile(double clipped = 1e-3)
        : clipped_(detail::checked_share(clipped)) {}

    [[nodiscard]] quantal::range range() const {
        const std::vector<tally> values = tallies();
        std::uint64_t positive = 0, negative = 0;
        for (const tally& t : values)
            (t.value < 0.0f ? negative : positive) += t.count;
        const auto cut = [&](std::uint64_t n) {
            return static_cast<std::uint64_t>(std::nearbyint(static_cast<double>(n) * clipped_));
        };
        const auto kth = [&](auto at, std::uint64_t k) {
            for (; k > at->count; ++at)
                k -= at->count;
            return at->value;
        };
        return {negative ? kth(values.begin(), std::max<std::uint64_t>(cut(negative), 1)) : 0.0f,
                positive ? kth(values.rbegin(), cut(positive) + 1) : 0.0f};
    }

private:
    double clipped_;
};

/// Of `[lo * f, hi * f]`, f = 1, 0.99, ... 0.21, that of the least squared error, where the scale
/// of a symmetric range is `2 * max(-lo, hi) / (qmax - qmin)`; the range holds 0.
class sparsebit_mse : public sketch {
public:
    [[nodiscard]] quantal::range range(qspec spec) const {
        constexpr int steps = 80;
        const std::vector<tally> values = tallies();
        const quantal::range seen = sketch::range();
        const quantal::range all{std::min(seen.lo, 0.0f), std::max(seen.hi, 0.0f)};
        quantal::range best = all;
        double least = std::numeric_limits<double>::infinity();
        for (int i = 0; i < steps; ++i) {
            const float f = 1.0f - 0.01f * static_cast<float>(i);
            const quantal::range r{all.lo * f, all.hi * f};
            const double found = squared_error(values, r, spec);
            if (!(found < least)) continue;
            least = found;
            best = r;
        }
        return best;
    }

private:
    [[nodiscard]] static double squared_error(std::span<const tally> values,
                                              const quantal::range& r, qspec spec) {
        const float width = spec.is_symmetric() ? 2.0f * std::max(-r.lo, r.hi) : r.hi - r.lo;
        const float scale = std::max(width / static_cast<float>(spec.qmax() - spec.qmin()), 1e-6f);
        const float zero = spec.is_symmetric()
                               ? 0.0f
                               : std::nearbyint(-r.lo / scale) + static_cast<float>(spec.qmin());
        double sum = 0.0;
        for (const auto& [x, count] : values) {
            const float code =
                std::clamp(std::nearbyint(x / scale) + zero, static_cast<float>(spec.qmin()),
                           static_cast<float>(spec.qmax()));
            const double error = double{x} - double{code - zero} * double{scale};
            sum += error * error * static_cast<double>(count);
        }
        return sum;
    }
};

/// `[-t, t]` with `t = max |x| * (1024 - (2^bits - 1)) / 1024`, whatever the divergences are: one
/// of those that it compares is never computed and stays 0, the least there is. Throws spec_error
/// above 8 bits, where the share would be below 0.
class sparsebit_kl : public sketch {
public:
    [[nodiscard]] quantal::range range(qspec spec) const {
        if (spec.bits > 8)
            quantal::detail::fail<spec_error>("sparsebit:kl has no range for ", spec.bits,
                                              " bits; it takes 1 to 8");
        const quantal::range seen = sketch::range();
        const float share = static_cast<float>(1025 - (1 << spec.bits)) / 1024.0f;
        const float t = std::max(std::abs(seen.lo), std::abs(seen.hi)) * share;
        return {-t, t};
    }
};

/// `[-a * spread, a * spread]`, or `[0, a * spread]` of an affine spec whose values are all at
/// least 0, with the multiples `a` of `aciq` (Sparsebit's tables hold two digits after the point of
/// them). The spread is the mean distance from the mean (Laplace), or what the width of `n` values
/// of a Gauss variable tells: `(max - min) * 0.175 * (1 + sqrt(pi * ln 4)) / sqrt(2 * ln n)`, where
/// `max` and `min` are those of all images and `n` counts the values of one.
class sparsebit_aciq : public sketch {
public:
    explicit sparsebit_aciq(distribution d = distribution::gauss) : assumed_(d) {}

    [[nodiscard]] distribution assumed() const { return assumed_; }
    [[nodiscard]] quantal::range range(qspec spec) const {
        const bool one_sided = !spec.is_symmetric() && sketch::range().lo >= 0.0f;
        const std::size_t bits = static_cast<std::size_t>(spec.bits) + (one_sided ? 1 : 0);
        const double cut = assumed_ == distribution::gauss
                               ? detail::best_cuts<distribution::gauss>[bits] * gauss_spread()
                               : detail::best_cuts<distribution::laplace>[bits] * laplace_spread();
        const auto t = static_cast<float>(cut);
        return {one_sided ? 0.0f : -t, t};
    }

private:
    [[nodiscard]] double gauss_spread() const {
        const auto [lo, hi] = sketch::range();
        const double n =
            static_cast<double>(count_of(tallies())) / static_cast<double>(updates().size());
        if (n <= 1.0) return 0.0;
        const double share = 0.175 * (1.0 + std::sqrt(std::numbers::pi * std::log(4.0)));
        return (double{hi} - double{lo}) * share / std::sqrt(2.0 * std::log(n));
    }
    [[nodiscard]] double laplace_spread() const {
        const std::vector<tally> values = tallies();
        const double centre = mean_of(values, [](double x) { return x; });
        return mean_of(values, [&](double x) { return std::abs(x - centre); });
    }

    distribution assumed_;
};

static_assert(observer<sparsebit_aciq> && observer<sparsebit_percentile> &&
              observer<sparsebit_mse> && observer<sparsebit_kl>);

} // namespace observe
} // namespace v0
} // namespace quantal

#endif
