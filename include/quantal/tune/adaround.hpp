// SPDX-License-Identifier: Apache-2.0
/// Learning for each weight whether to round it up or down.
#ifndef QUANTAL_TUNE_ADAROUND_HPP
#define QUANTAL_TUNE_ADAROUND_HPP

#include <quantal/kernel/cpu/real_products.hpp>
#include <quantal/tune/descent.hpp>
#include <quantal/tune/soft_steps.hpp>

namespace quantal {
inline namespace v0 {
namespace tune {

/// AdaRound (Nagel et al., Up or down? Adaptive rounding for post-training quantization, 2020).
/// `w = (floor(w / s) + h) * s` with `h = clamp(1.2 sigmoid(v) - 0.1, 0, 1)`; Adam learns `v` on
/// the cost of each row, in units of what one step of an average weight costs, plus
/// `regularization * sum(1 - |2h - 1|^beta)`, which drives h to 0 or 1: after a fifth of the
/// iterations beta falls from 20 to 2. The moments stand for all images at once, so nothing is
/// drawn. What is learnt goes through `descend`, and no row is worse than rounded to the nearest.
struct adaround {
    int iterations = 1000;
    float rate = 0.02f; ///< of Adam
    float regularization = 0.1f;

    [[nodiscard]] step_counts operator()(const rounding_problem& p, parallel_ref parallel) const;
};

namespace detail {

/// The state of AdaRound while it learns.
class adaround_learner {
public:
    adaround_learner(const rounding_problem& p, const adaround& how)
        : p_(p), moments_(std::vector<float>(p.moments.begin(), p.moments.end()), p.depth),
          steps_(p.weights, p.scales, p.lo, p.hi, {how.rate, how.regularization}), w_(p.size()),
          units_(p.rows) {
        for (std::size_t r = 0; r < p.rows; ++r) {
            double sum = 0.0;
            for (std::size_t k = 0; k < p.depth; ++k)
                sum += p.moment(k, k) * std::pow(double{p.scales[r * p.depth + k]}, 2);
            units_[r] = sum > 0.0 ? static_cast<float>(static_cast<double>(p.depth) / sum) : 0.0f;
        }
    }

    /// One step of Adam; `time` runs from 0 to 1.
    void learn(int iteration, float time, parallel_ref parallel) {
        steps_.begin(iteration, time);
        for (std::size_t i = 0; i < w_.size(); ++i)
            w_[i] = steps_.weight(i);
        const std::vector<float> products = moments_(w_, parallel);
        auto row = [&](std::size_t r, std::size_t) {
            for (std::size_t i = r * p_.depth; i < (r + 1) * p_.depth; ++i)
                steps_.learn(i, 2.0f * units_[r] * p_.scales[i] *
                                    (products[i] - static_cast<float>(p_.target[i])));
        };
        parallel.run(p_.rows, row);
    }

    [[nodiscard]] step_counts steps() const { return steps_.whole(); }

private:
    const rounding_problem& p_;
    cpu::real_products moments_;
    soft_steps steps_;
    std::vector<float> w_;
    std::vector<float> units_; ///< 1 / (what a step of an average weight costs), one a row
};

} // namespace detail

inline step_counts adaround::operator()(const rounding_problem& p, parallel_ref parallel) const {
    detail::adaround_learner learner(p, *this);
    for (int i = 0; i < iterations; ++i)
        learner.learn(i, static_cast<float>(i) / static_cast<float>(iterations), parallel);
    step_counts steps = learner.steps(), plain = nearest{}(p, parallel);
    descend(p, steps, parallel);
    for (std::size_t r = 0; r < p.rows; ++r)
        if (p.cost(r, plain) < p.cost(r, steps))
            std::copy_n(plain.data() + r * p.depth, p.depth, steps.data() + r * p.depth);
    return steps;
}

static_assert(rounding_method<adaround>);

} // namespace tune
} // namespace v0
} // namespace quantal

#endif
