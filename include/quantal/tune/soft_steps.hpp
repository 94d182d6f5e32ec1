// SPDX-License-Identifier: Apache-2.0
/// Weights between two whole steps, which learn on which of them to end.
#ifndef QUANTAL_TUNE_SOFT_STEPS_HPP
#define QUANTAL_TUNE_SOFT_STEPS_HPP

#include <quantal/tune/rounding_problem.hpp>

#include <span>

namespace quantal {
inline namespace v0 {
namespace tune::detail {

/// The directions of Adam (Kingma and Ba, 2015), with its usual constants.
class adam {
public:
    explicit adam(std::size_t size) : mean_(size), square_(size) {}

    /// Before the steps of an iteration, counted from 0.
    void begin(int iteration) {
        unbiased_mean_ = 1.0f - std::pow(0.9f, static_cast<float>(iteration + 1));
        unbiased_square_ = 1.0f - std::pow(0.999f, static_cast<float>(iteration + 1));
    }
    [[nodiscard]] float operator()(std::size_t i, float gradient) {
        mean_[i] += 0.1f * (gradient - mean_[i]);
        square_[i] += 0.001f * (gradient * gradient - square_[i]);
        return (mean_[i] / unbiased_mean_) / (std::sqrt(square_[i] / unbiased_square_) + 1e-8f);
    }

private:
    std::vector<float> mean_, square_;
    float unbiased_mean_ = 1.0f, unbiased_square_ = 1.0f;
};

/// `w = (floor(w / s) + h) * s` with `h = clamp(1.2 sigmoid(v) - 0.1, 0, 1)`, and Adam for `v`.
class soft_steps {
public:
    struct options {
        float rate, regularization;
    };

    /// For each weight its scale and the steps that there are.
    soft_steps(std::span<const float> weights, std::span<const float> scales,
               std::span<const std::int32_t> lo, std::span<const std::int32_t> hi, options how)
        : scales_(scales.begin(), scales.end()), how_(how), floors_(weights.size()),
          v_(weights.size()), adam_(weights.size()) {
        for (std::size_t i = 0; i < v_.size(); ++i) {
            const float steps = std::clamp(weights[i] / scales[i], static_cast<float>(lo[i]),
                                           static_cast<float>(hi[i]));
            floors_[i] = std::min(std::floor(steps), static_cast<float>(hi[i] - 1));
            const float h = steps - floors_[i];
            v_[i] = -std::log((1.0f + 2.0f * margin) / (h + margin) - 1.0f);
        }
    }

    [[nodiscard]] std::size_t size() const { return v_.size(); }
    [[nodiscard]] float scale(std::size_t i) const { return scales_[i]; }
    [[nodiscard]] float weight(std::size_t i) const { return (floors_[i] + up(i)) * scales_[i]; }

    /// Before `learn` in an iteration, counted from 0; `time` runs from 0 to 1.
    void begin(int iteration, float time) {
        constexpr float warm_up = 0.2f;
        adam_.begin(iteration);
        beta_ = 20.0f - 18.0f * (time - warm_up) / (1.0f - warm_up);
        pull_ = time < warm_up ? 0.0f : how_.regularization * beta_;
    }
    /// One step of Adam for a weight; `of_cost` is the gradient of `h`, to which that of
    /// `regularization * (1 - |2h - 1|^beta)` comes.
    void learn(std::size_t i, float of_cost) {
        const float d = 2.0f * up(i) - 1.0f;
        const float of_pull =
            pull_ > 0.0f ? 2.0f * pull_ * std::copysign(std::pow(std::abs(d), beta_ - 1.0f), d)
                         : 0.0f;
        v_[i] -= how_.rate * adam_(i, (of_cost - of_pull) * slope(i));
    }

    /// Where each weight ends.
    [[nodiscard]] step_counts whole() const {
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

    std::vector<float> scales_;
    options how_;
    std::vector<float> floors_, v_;
    adam adam_;
    float beta_ = 20.0f, pull_ = 0.0f;
};

} // namespace tune::detail
} // namespace v0
} // namespace quantal

#endif
