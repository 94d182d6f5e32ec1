// SPDX-License-Identifier: Apache-2.0
/// The range of the least expected squared error, if the values had a known distribution.
#ifndef QUANTAL_OBSERVE_ACIQ_HPP
#define QUANTAL_OBSERVE_ACIQ_HPP

#include <quantal/observe/sketch.hpp>

namespace quantal {
inline namespace v0 {
namespace observe {

/// What the values are taken for.
enum class distribution { gauss, laplace };

namespace detail {

/// `e^x`, for |x| below 100: Taylor's series at x / 64, squared six times.
[[nodiscard]] constexpr double exp(double x) {
    double term = 1.0, sum = 1.0;
    for (int n = 1; n < 24; ++n)
        sum += term *= x / 64.0 / n;
    for (int i = 0; i < 6; ++i)
        sum *= sum;
    return sum;
}

/// The chance of a standard Gauss variable to be above `a >= 0`, for `a` below 8: the series
/// `1/2 - density * sum a^(2n+1) / (2n+1)!!`.
[[nodiscard]] constexpr double gauss_tail(double a, double density) {
    double term = a, sum = a;
    for (int n = 1; n < 150 && term > 1e-18 * sum; ++n)
        sum += term *= a * a / (2 * n + 1);
    return 0.5 - density * sum;
}

/// Newton's steps from 0 rise to the zero of a function that falls and is convex.
template <class NewtonStep>
[[nodiscard]] constexpr double rise_to_zero(NewtonStep&& step) {
    double a = 0.0;
    for (int i = 0; i < 60; ++i) {
        const double change = step(a);
        a += change;
        if (change < 1e-12 * a) break;
    }
    return a;
}

/// Multiples `a` of the spread at which values of `1 << bits` codes are best cut off: there the
/// derivative of `clipping error + a^2 / (3 * 4^bits)` is 0.
[[nodiscard]] constexpr double best_cut(distribution d, int bits) {
    const double rounding = 1.0 / (3.0 * static_cast<double>(std::uint64_t{1} << (2 * bits)));
    if (d == distribution::laplace)
        return rise_to_zero([&](double a) { // e^-a = a * rounding
            return (exp(-a) - a * rounding) / (exp(-a) + rounding);
        });
    return rise_to_zero([&](double a) { // 2 * (density(a) - a * tail(a)) = a * rounding
        const double density = 0.39894228040143267794 * exp(-a * a / 2.0);
        const double tail = gauss_tail(a, density);
        return (2.0 * (density - a * tail) - a * rounding) / (2.0 * tail + rounding);
    });
}

/// `best_cut` for 0 bits, 1 bit, ...: those of a spec, and one more for values of one sign.
template <distribution D>
inline constexpr auto best_cuts = [] {
    std::array<double, 18> result{};
    for (int bits = 0; bits < 18; ++bits)
        result[static_cast<std::size_t>(bits)] = best_cut(D, bits);
    return result;
}();

} // namespace detail

/// ACIQ (Banner, Nahshan, Soudry: Post training 4-bit quantization of convolutional networks,
/// 2019):
/// `[centre - a * spread, centre + a * spread]`, as far as there are values. The spread is the
/// standard deviation (Gauss) or the mean distance from the centre (Laplace); the centre is the
/// mean for affine specs and 0 for symmetric ones. Values of one sign, under an affine spec, are
/// half of a distribution around 0 whose other half became 0: the zeros do not count, and the codes
/// are spent on one side.
class aciq : public sketch {
public:
    explicit aciq(distribution d = distribution::gauss) : assumed_(d) {}

    [[nodiscard]] distribution assumed() const { return assumed_; }
    [[nodiscard]] quantal::range range(qspec spec) const {
        const auto [lo, hi] = sketch::range();
        const bool one_sided = !spec.is_symmetric() && (lo >= 0.0f || hi <= 0.0f);
        std::vector<tally> values = tallies();
        if (one_sided) std::erase_if(values, [](const tally& t) { return t.value == 0.0f; });
        const double centre =
            one_sided || spec.is_symmetric() ? 0.0 : mean_of(values, [](double x) { return x; });
        const double spread =
            assumed_ == distribution::gauss
                ? std::sqrt(mean_of(values, [&](double x) { return (x - centre) * (x - centre); }))
                : mean_of(values, [&](double x) { return std::abs(x - centre); });
        const double cut = spread * cut_of(spec.bits + int{one_sided});
        return {std::max(lo, static_cast<float>(centre - cut)),
                std::min(hi, static_cast<float>(centre + cut))};
    }

private:
    [[nodiscard]] double cut_of(int bits) const {
        const auto& cuts = assumed_ == distribution::gauss
                               ? detail::best_cuts<distribution::gauss>
                               : detail::best_cuts<distribution::laplace>;
        return cuts[static_cast<std::size_t>(bits)];
    }

    distribution assumed_;
};

static_assert(observer<aciq>);

} // namespace observe
} // namespace v0
} // namespace quantal

#endif
