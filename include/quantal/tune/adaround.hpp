// SPDX-License-Identifier: Apache-2.0
/// Learning for each weight whether to round it up or down.
#ifndef QUANTAL_TUNE_ADAROUND_HPP
#define QUANTAL_TUNE_ADAROUND_HPP

#include <quantal/kernel/cpu/real_products.hpp>
#include <quantal/tune/descent.hpp>

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
        : p_(p), how_(how),
          moments_(std::vector<float>(p.moments.begin(), p.moments.end()), p.depth),
          floors_(p.size()), v_(p.size()), mean_(p.size()), square_(p.size()), w_(p.size()),
          units_(p.rows) {
        for (std::size_t i = 0; i < p.size(); ++i) {
            const float steps = std::clamp(p.weights[i] / p.scales[i], static_cast<float>(p.lo[i]),
                                           static_cast<float>(p.hi[i]));
            floors_[i] = std::min(std::floor(steps), static_cast<float>(p.hi[i] - 1));
            const float h = steps - floors_[i];
            v_[i] = -std::log((1.0f + 2.0f * margin) / (h + margin) - 1.0f);
        }
        for (std::size_t r = 0; r < p.rows; ++r) {
            double sum = 0.0;
            for (std::size_t k = 0; k < p.depth; ++k)
                sum += p.moment(k, k) * std::pow(double{p.scales[r * p.depth + k]}, 2);
            units_[r] = sum > 0.0 ? static_cast<float>(static_cast<double>(p.depth) / sum) : 0.0f;
        }
    }

    /// One step of Adam; `time` runs from 0 to 1.
    void learn(int iteration, float time, parallel_ref parallel) {
        constexpr float warm_up = 0.2f;
        const float beta = 20.0f - 18.0f * (time - warm_up) / (1.0f - warm_up);
        const float pull = time < warm_up ? 0.0f : how_.regularization * beta;
        for (std::size_t i = 0; i < w_.size(); ++i)
            w_[i] = (floors_[i] + up(i)) * p_.scales[i];
        const std::vector<float> products = moments_(w_, parallel);
        const float unbiased_mean = 1.0f - std::pow(0.9f, static_cast<float>(iteration + 1));
        const float unbiased_square = 1.0f - std::pow(0.999f, static_cast<float>(iteration + 1));
        auto row = [&](std::size_t r, std::size_t) {
            for (std::size_t i = r * p_.depth; i < (r + 1) * p_.depth; ++i) {
                const float of_cost = 2.0f * units_[r] * p_.scales[i] *
                                      (products[i] - static_cast<float>(p_.target[i]));
                const float d = 2.0f * up(i) - 1.0f;
                const float of_pull =
                    pull > 0.0f ? 2.0f * pull * std::copysign(std::pow(std::abs(d), beta - 1.0f), d)
                                : 0.0f;
                const float gradient = (of_cost - of_pull) * slope(i);
                mean_[i] += 0.1f * (gradient - mean_[i]);
                square_[i] += 0.001f * (gradient * gradient - square_[i]);
                v_[i] -= how_.rate * (mean_[i] / unbiased_mean) /
                         (std::sqrt(square_[i] / unbiased_square) + 1e-8f);
            }
        };
        parallel.run(p_.rows, row);
    }

    [[nodiscard]] step_counts steps() const {
        step_counts result(v_.size());
        for (std::size_t i = 0; i < v_.size(); ++i)
            result[i] = static_cast<std::int32_t>(floors_[i]) + (v_[i] >= 0.0f ? 1 : 0);
        return result;
    }

private:
    static constexpr float margin = 0.1f;

    [[nodiscard]] float sigmoid(std::size_t i) const { return 1.0f / (1.0f + std::exp(-v_[i])); }
    /// h, how much of the step up is taken.
    [[nodiscard]] float up(std::size_t i) const {
        return std::clamp((1.0f + 2.0f * margin) * sigmoid(i) - margin, 0.0f, 1.0f);
    }
    /// dh / dv.
    [[nodiscard]] float slope(std::size_t i) const {
        const float h = up(i), s = sigmoid(i);
        return h > 0.0f && h < 1.0f ? (1.0f + 2.0f * margin) * s * (1.0f - s) : 0.0f;
    }

    const rounding_problem& p_;
    const adaround& how_;
    cpu::real_products moments_;
    std::vector<float> floors_, v_, mean_, square_, w_;
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
