// SPDX-License-Identifier: Apache-2.0
/// Weights between -1 and 1 (Zhou et al. 2016, DoReFa-Net): `y = fake_quantize(t / M)` with
/// `t = tanh(w)`, M the largest magnitude of t in the whole tensor, and codes whose largest stands
/// for 1. (The paper's grid has no 0; these are the codes of the engine.)
#ifndef QUANTAL_TRAIN_DOREFA_HPP
#define QUANTAL_TRAIN_DOREFA_HPP

#include <quantal/train/fake_quantize.hpp>

#include <cmath>

namespace quantal {
inline namespace v0 {
namespace train {

/// The parameters of `rows` rows: every scale is `1 / qmax`. Throws `spec_error` unless `s` is
/// symmetric.
[[nodiscard]] inline qparams dorefa_params(qspec s, std::size_t rows) {
    if (!s.is_symmetric())
        detail::fail<spec_error>("DoReFa's weights have the spec \"", s,
                                 "\"; symmetric ones reach from -1 to 1");
    return {s, std::vector<float>(rows, arith::symmetric_scale(1.0f, s.qmax())),
            std::vector<std::int32_t>(rows, 0)};
}

/// The first element of the largest magnitude.
[[nodiscard]] inline std::size_t largest(std::span<const float> t) {
    const auto smaller = [](float a, float b) { return std::abs(a) < std::abs(b); };
    return static_cast<std::size_t>(std::max_element(t.begin(), t.end(), smaller) - t.begin());
}
/// What `t` is divided by: the magnitude of `largest`, 1 if it is 0.
[[nodiscard]] inline float divisor(std::span<const float> t) {
    const float size = std::abs(t[largest(t)]);
    return size > 0.0f ? size : 1.0f;
}

/// `t` is tanh(w), not empty; `p` of `dorefa_params`.
inline void dorefa(std::span<const float> t, const qparams& p, std::span<float> y,
                   parallel_ref parallel) {
    const float size = divisor(t);
    for_each_block(t.size(), 1, parallel,
                   [&](std::size_t, std::size_t first, std::size_t count, std::size_t) {
                       for (std::size_t i = first; i < first + count; ++i)
                           y[i] = t[i] / size;
                   });
    fake_quantize(y, p, y, parallel);
}

/// The gradient with respect to w: `(1 - t^2) / M * gy`, rounding passed straight through; at the
/// largest magnitude, which is M itself, less `sign(t) (1 - t^2) / M^2 * sum(gy * t)`.
inline void dorefa_gradient(std::span<const float> t, std::span<const float> gy,
                            std::span<float> gw, parallel_ref parallel) {
    const double size = divisor(t);
    const double sum = sum_rows<double>(
        t.size(), 1, parallel, [&](std::size_t, std::size_t first, std::size_t count) {
            double part = 0.0;
            for (std::size_t i = first; i < first + count; ++i) {
                const double slope = 1.0 - double{t[i]} * t[i];
                gw[i] = static_cast<float>(slope / size * gy[i]);
                part += double{gy[i]} * t[i]; // exact, hence the same if it is fused
            }
            return part;
        })[0];
    const std::size_t top = largest(t);
    if (t[top] == 0.0f) return;
    const double slope = 1.0 - double{t[top]} * t[top];
    gw[top] = static_cast<float>(slope / size * (gy[top] - sum / t[top]));
}

} // namespace train
} // namespace v0
} // namespace quantal

#endif
