// SPDX-License-Identifier: Apache-2.0
/// Rounding one weight at a time to where its row costs least.
#ifndef QUANTAL_TUNE_DESCENT_HPP
#define QUANTAL_TUNE_DESCENT_HPP

#include <quantal/tune/rounding_problem.hpp>

namespace quantal {
inline namespace v0 {
namespace tune {

/// Cyclic coordinate descent (as in Behdin et al., QuantEase, 2023): beginning at `from`, weight
/// after weight takes the step of the least cost, the others held, until none changes.
inline void descend(const rounding_problem& p, step_counts& from, parallel_ref parallel) {
    constexpr int most_sweeps = 100;
    auto row = [&](std::size_t r, std::size_t) {
        std::vector<double> gradient = p.half_gradient(r, from);
        bool changed = true;
        for (int sweep = 0; changed && sweep < most_sweeps; ++sweep) {
            changed = false;
            for (std::size_t k = 0; k < p.depth; ++k) {
                const std::size_t i = r * p.depth + k;
                const double curvature = p.moment(k, k) * p.scales[i];
                if (!(curvature > 0.0)) continue;
                const std::int32_t best = p.whole(i, from[i] - gradient[k] / curvature);
                if (best == from[i]) continue;
                const double change = double(best - from[i]) * p.scales[i];
                for (std::size_t j = 0; j < p.depth; ++j)
                    gradient[j] += change * p.moment(k, j);
                from[i] = best;
                changed = true;
            }
        }
    };
    parallel.run(p.rows, row);
}

/// Descent from the nearest steps.
struct descent {
    [[nodiscard]] step_counts operator()(const rounding_problem& p, parallel_ref parallel) const {
        step_counts steps = nearest{}(p, parallel);
        descend(p, steps, parallel);
        return steps;
    }
};

static_assert(rounding_method<descent>);

} // namespace tune
} // namespace v0
} // namespace quantal

#endif
