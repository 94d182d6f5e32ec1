// SPDX-License-Identifier: Apache-2.0
/// Steps on reals: float32, plain loops.
#ifndef QUANTAL_KERNEL_REFERENCE_REAL_STEP_HPP
#define QUANTAL_KERNEL_REFERENCE_REAL_STEP_HPP

#include <quantal/kernel/reference/conv2d.hpp>
#include <quantal/kernel/reference/node_step.hpp>
#include <quantal/kernel/reference/scaled_step.hpp>

#include <cmath>
#include <functional>
#include <limits>

namespace quantal {
inline namespace v0 {
namespace reference {

/// The step of a node that runs in float, by its operator.
class real_step : node_step {
public:
    using node_step::node_step;

    [[nodiscard]] step operator()() const {
        return quantized(dequantized(std::visit(*this, node_.op)));
    }

    [[nodiscard]] step operator()(const op::conv2d& o) const {
        return real_weighted(win(o), o.groups);
    }
    [[nodiscard]] step operator()(const op::linear&) const {
        return real_weighted(single_pixel, 1);
    }
    [[nodiscard]] step operator()(const op::batch_norm& o) const {
        const auto& gamma = plan_.net.parameter(node_, "weight");
        const auto& beta = plan_.net.parameter(node_, "bias");
        const auto& mean = plan_.net.parameter(node_, "running_mean");
        const auto& variance = plan_.net.parameter(node_, "running_var");
        std::vector<float> factor, offset;
        for (std::size_t c = 0; c < gamma.size(); ++c) {
            const double k = gamma[c] / std::sqrt(variance[c] + o.eps);
            factor.push_back(static_cast<float>(k));
            offset.push_back(static_cast<float>(beta[c] - mean[c] * k));
        }
        return each_real([=, x = x()](const frame& f, std::size_t i) {
            const std::size_t c = i % factor.size();
            return arith::product(f.reals[x][i], factor[c]) + offset[c];
        });
    }
    [[nodiscard]] step operator()(const op::add&) const {
        return each_real([a = node_.inputs[0], b = node_.inputs[1]](const frame& f, std::size_t i) {
            return f.reals[a][i] + f.reals[b][i];
        });
    }
    [[nodiscard]] step operator()(const op::multiply&) const {
        return each_real([a = node_.inputs[0], b = node_.inputs[1],
                          factors = factor_count()](const frame& f, std::size_t i) {
            return f.reals[a][i] * f.reals[b][i % factors];
        });
    }
    [[nodiscard]] step operator()(const op::function& o) const {
        return each_real([=, alphas = alphas(o), x = x()](const frame& f, std::size_t i) {
            return apply(o, alphas[i % alphas.size()], f.reals[x][i]);
        });
    }
    [[nodiscard]] step operator()(const op::concat&) const {
        return activated(joined(&frame::reals, [](value) { return std::identity(); }));
    }
    [[nodiscard]] step operator()(const op::clip& o) const {
        return each_real([o, x = x()](const frame& f, std::size_t i) {
            return arith::clamp(f.reals[x][i], o.lo, o.hi);
        });
    }
    [[nodiscard]] step operator()(const op::average_pool& o) const {
        return activated([=, w = win(o), c = channels(), x = x(), v = v_, n = count_](frame& f) {
            f.reals[v].resize(n);
            sum_pool(w, c, 0.0f, f.reals[x].data(),
                     [&](std::int64_t position, std::span<const float> sums) {
                         const auto area = static_cast<float>(divisor(o, w, position));
                         for (std::int64_t i = 0; i < c; ++i)
                             f.reals[v][static_cast<std::size_t>(position * c + i)] =
                                 sums[static_cast<std::size_t>(i)] / area;
                     });
        });
    }
    [[nodiscard]] step operator()(const op::max_pool& o) const {
        return moved(o, -std::numeric_limits<float>::infinity(), &frame::reals);
    }
    [[nodiscard]] step operator()(const op::shortcut& o) const {
        return moved(o, 0.0f, &frame::reals);
    }
    [[nodiscard]] step operator()(const op::flatten& o) const {
        return moved(o, 0.0f, &frame::reals);
    }
    [[nodiscard]] step operator()(const op::input&) const {
        return [](frame&) {};
    }

private:
    [[nodiscard]] step real_weighted(const window& w, std::int64_t groups) const {
        if (role_.weights) return scaled_step(network_, v_, w, groups)();
        const tensor<float>& weight = plan_.net.parameter(node_, "weight");
        auto weights =
            arrange<float>(weight.shape(), groups, [&](std::size_t i) { return weight[i]; });
        return activated([=, start = real_bias(), x = x(), v = v_, n = count_](frame& f) {
            f.reals[v].resize(n);
            conv2d(w, f.reals[x].data(), weights, std::span<const float>(start),
                   [&](std::int64_t position, std::span<const float> sums) {
                       std::copy(sums.begin(), sums.end(),
                                 f.reals[v].begin() + position * std::ssize(sums));
                   });
        });
    }

    template <class F>
    [[nodiscard]] step each_real(F real) const {
        return activated([=, v = v_, n = count_](frame& f) {
            f.reals[v].resize(n);
            for (std::size_t i = 0; i < n; ++i)
                f.reals[v][i] = real(f, i);
        });
    }
};

} // namespace reference
} // namespace v0
} // namespace quantal

#endif
