// SPDX-License-Identifier: Apache-2.0
// The sketch on the activations of a trained network, against solutions found from all values.
#include "sources.hpp"
#include "support/real_networks.hpp"

#include <quantal/data/fashion_mnist.hpp>
#include <quantal/observe/aciq.hpp>
#include <quantal/observe/kl.hpp>
#include <quantal/observe/mse.hpp>
#include <quantal/observe/percentile.hpp>
#include <quantal/runtime/calibrate.hpp>
#include <quantal/runtime/cpu/executor.hpp>

using namespace quantal;
using observe::distribution;
using observe::tally;

namespace {

/// All values of a quantizer point, sorted.
class exact_values {
public:
    explicit exact_values(std::vector<float> values) : values_(std::move(values)) {
        std::sort(values_.begin(), values_.end());
        sums_.push_back({});
        for (const float x : values_)
            sums_.push_back({sums_.back()[0] + x, sums_.back()[1] + double{x} * x});
    }

    [[nodiscard]] quantal::range all() const { return {values_.front(), values_.back()}; }
    [[nodiscard]] quantal::range percentile(double share) const {
        const auto cut = static_cast<std::size_t>(share * static_cast<double>(values_.size()));
        return {values_[cut], values_[values_.size() - 1 - cut]};
    }
    [[nodiscard]] quantal::range mse(qspec spec) const {
        return observe::search_range(all(), spec,
                                     [&](const qparams& p) { return squared_error(p); });
    }
    /// A distribution over bins has a divergence: over those of this width.
    [[nodiscard]] quantal::range kl(qspec spec, double width) const {
        return observe::search_range(all(), spec, [values = binned(width)](const qparams& p) {
            return divergence(values, p);
        });
    }
    [[nodiscard]] quantal::range aciq(qspec spec, distribution d) const {
        const bool one_sided = values_.front() >= 0.0f || values_.back() <= 0.0f;
        const auto mean = [&](auto&& f) {
            double sum = 0.0, count = 0.0;
            for (const float x : values_)
                if (x != 0.0f || !one_sided) sum += f(double{x}), count += 1.0;
            return sum / count;
        };
        const double centre = one_sided ? 0.0 : mean([](double x) { return x; });
        const auto bits = static_cast<std::size_t>(spec.bits + int{one_sided});
        const double cut =
            d == distribution::gauss
                ? std::sqrt(mean([&](double x) { return (x - centre) * (x - centre); })) *
                      observe::detail::best_cuts<distribution::gauss>[bits]
                : mean([&](double x) { return std::abs(x - centre); }) *
                      observe::detail::best_cuts<distribution::laplace>[bits];
        return {std::max(values_.front(), static_cast<float>(centre - cut)),
                std::min(values_.back(), static_cast<float>(centre + cut))};
    }
    /// `sum (x - r)^2 = sum x^2 - 2 r sum x + n r^2` for all values x of one code.
    [[nodiscard]] double squared_error(const qparams& p) const {
        double error = 0.0;
        std::size_t first = 0;
        for (std::int32_t code = p.spec.qmin(); code <= p.spec.qmax(); ++code) {
            const auto last = static_cast<std::size_t>(
                std::partition_point(values_.begin() + static_cast<std::ptrdiff_t>(first),
                                     values_.end(),
                                     [&](float x) { return p.quantize(x) <= code; }) -
                values_.begin());
            const double r = p.dequantize(code);
            error += sums_[last][1] - sums_[first][1] -
                     2.0 * r * (sums_[last][0] - sums_[first][0]) +
                     static_cast<double>(last - first) * r * r;
            first = last;
        }
        return error;
    }

private:
    /// The values counted at the centres of bins that begin at 0, 0 by itself.
    [[nodiscard]] std::vector<tally> binned(double width) const {
        std::vector<tally> result;
        for (const float x : values_) {
            const double centre = (std::floor(std::abs(double{x}) / width) + 0.5) * width;
            const auto at = x == 0.0f ? 0.0f : std::copysign(static_cast<float>(centre), x);
            const float inside = std::clamp(at, values_.front(), values_.back());
            if (result.empty() || result.back().value != inside) result.push_back({inside, 0});
            ++result.back().count;
        }
        return result;
    }

    std::vector<float> values_;
    std::vector<std::array<double, 2>> sums_; ///< of x and of x^2, of the first 0, 1, 2, ... values
};

/// The largest distance of an end of a sketch's range from the exact one so far, in bins.
struct largest_distance {
    const char* solver;
    double bins = 0.0;

    void add(quantal::range found, quantal::range exact, float bin) {
        bins = std::max({bins, std::abs(double{found.lo} - exact.lo) / bin,
                         std::abs(double{found.hi} - exact.hi) / bin});
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(observe_real_activations)

BOOST_AUTO_TEST_CASE(sketches_of_resnet20_give_the_exact_ranges_within_one_bin,
                     *boost::unit_test::label("fashion_mnist")) {
    const data::fashion_mnist images(support::present(data::fashion_mnist::default_folder));
    const plan p =
        place(support::loaded(models::resnet20(models::fashion_mnist),
                              source_file("examples/weights/resnet20_fashion_mnist.safetensors")));
    cpu::executor run(p.net);
    plan_observer sketches(p, observe::sketch{});
    std::map<value, std::vector<float>> values;
    const data::loader batches(images, {.batch_size = 4, .count = QUANTAL_REAL_IMAGES});
    for (const auto& batch : batches) {
        sketches.observe(run, batch.images);
        run(batch.images, [&](value v, const view<const float>& x) {
            if (p.roles[v].output)
                values[v].insert(values[v].end(), x.data(), x.data() + x.shape().count());
        });
    }
    largest_distance percentile{"percentile"}, mse{"mse"}, kl{"kl"}, gauss{"aciq:gauss"},
        laplace{"aciq:laplace"};
    double excess = 0.0;
    for (auto& [v, of_point] : values) {
        const observe::sketch& seen = sketches.points().at(v).observers().front();
        const float bin = 2.0f * seen.reach();
        if (bin == 0.0f) continue; // few values: all are kept
        const exact_values exact(std::move(of_point));
        for (const qspec s : {a8, a4}) {
            const auto solved = [&](const auto& fresh) { return solve(fresh, seen, s); };
            const auto error = [&](quantal::range r) {
                return exact.squared_error(make_qparams(s, {&r, 1}, "test"));
            };
            for (const double share : {1e-4, 1e-3})
                percentile.add(solved(observe::percentile(share)), exact.percentile(share), bin);
            kl.add(solved(observe::kl{}), exact.kl(s, double{bin}), bin);
            gauss.add(solved(observe::aciq{distribution::gauss}),
                      exact.aciq(s, distribution::gauss), bin);
            laplace.add(solved(observe::aciq{distribution::laplace}),
                        exact.aciq(s, distribution::laplace), bin);
            const quantal::range found = solved(observe::mse{}), least = exact.mse(s);
            mse.add(found, least, bin);
            excess = std::max(excess, error(found) / error(least) - 1.0);
        }
    }
    for (const auto& [solver, bins] : {percentile, mse, kl, gauss, laplace})
        std::printf("%s: ends at most %.3f bins from the exact ones\n", solver, bins);
    std::printf("mse: a squared error at most %.3f %% above the least\n", 100.0 * excess);
    BOOST_TEST(percentile.bins <= 1.0);
    BOOST_TEST(kl.bins == 0.0);
    BOOST_TEST(gauss.bins <= 1.0);
    BOOST_TEST(laplace.bins <= 1.0);
    // Neighbouring candidates are a 128th of the extrema apart, 16 bins or more, and around the
    // least error they differ by less than bins hide. A step of 8 bits has 8 bins or more: of what
    // rounding costs a bin hides at most (1 / 8)^2, once for the range found and once for the best.
    BOOST_TEST(excess <= 1.0 / 32);
}

BOOST_AUTO_TEST_SUITE_END()
