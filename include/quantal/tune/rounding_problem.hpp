// SPDX-License-Identifier: Apache-2.0
/// Which whole steps the weights of a layer should become, so that its outputs change least.
#ifndef QUANTAL_TUNE_ROUNDING_PROBLEM_HPP
#define QUANTAL_TUNE_ROUNDING_PROBLEM_HPP

#include <quantal/runtime/thread_pool.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

namespace quantal {
inline namespace v0 {
namespace tune {

/// Whole steps, one a weight: codes less their zero points.
using step_counts = std::vector<std::int32_t>;

/// Output channels (`rows`) that read the same `depth` inputs. With `w[k] = steps[k] * scales[k]`,
/// a row costs `w^T moments w - 2 * target^T w`: up to a constant the mean squared difference of
/// its outputs from those that are wanted.
struct rounding_problem {
    std::size_t rows = 0, depth = 0;
    std::vector<double> moments;      ///< [depth][depth], symmetric
    std::vector<double> target;       ///< [rows][depth]
    std::vector<float> weights;       ///< [rows][depth], before rounding
    std::vector<float> scales;        ///< [rows][depth], of one step
    std::vector<std::int32_t> lo, hi; ///< [rows][depth]: how many steps there may be

    [[nodiscard]] std::size_t size() const { return rows * depth; }
    [[nodiscard]] double moment(std::size_t i, std::size_t j) const {
        return moments[i * depth + j];
    }
    /// Steps nearest to a number of them.
    [[nodiscard]] std::int32_t whole(std::size_t i, double steps) const {
        return static_cast<std::int32_t>(
            std::nearbyint(std::clamp(steps, double(lo[i]), double(hi[i]))));
    }
    /// `moments w - target` of a row: half of its cost's gradient.
    [[nodiscard]] std::vector<double> half_gradient(std::size_t row,
                                                    const step_counts& steps) const {
        std::vector<double> gradient(depth);
        for (std::size_t k = 0; k < depth; ++k)
            gradient[k] = -target[row * depth + k];
        for (std::size_t j = 0; j < depth; ++j) {
            const double w = value(row * depth + j, steps);
            for (std::size_t k = 0; k < depth; ++k)
                gradient[k] += w * moment(j, k);
        }
        return gradient;
    }
    [[nodiscard]] double cost(std::size_t row, const step_counts& steps) const {
        const std::vector<double> gradient = half_gradient(row, steps);
        double sum = 0.0;
        for (std::size_t k = 0; k < depth; ++k)
            sum += value(row * depth + k, steps) * (gradient[k] - target[row * depth + k]);
        return sum;
    }

private:
    [[nodiscard]] double value(std::size_t i, const step_counts& steps) const {
        return double(steps[i]) * scales[i];
    }
};

/// What chooses steps; never at a higher cost of a row than the nearest ones.
template <class R>
concept rounding_method = requires(const R& method, const rounding_problem& p,
                                   parallel_ref parallel) {
    { method(p, parallel) } -> std::same_as<step_counts>;
};

/// Every weight to its nearest step.
struct nearest {
    [[nodiscard]] step_counts operator()(const rounding_problem& p, parallel_ref) const {
        step_counts steps(p.size());
        for (std::size_t i = 0; i < steps.size(); ++i)
            steps[i] = p.whole(i, double{p.weights[i]} / p.scales[i]);
        return steps;
    }
};

static_assert(rounding_method<nearest>);

} // namespace tune
} // namespace v0
} // namespace quantal

#endif
