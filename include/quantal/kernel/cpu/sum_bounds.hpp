// SPDX-License-Identifier: Apache-2.0
/// How many products may be summed in int16 before the sum is widened to int32. `vpmaddubsw`
/// saturates where its pair of products leaves int16; the number of steps proved here is the only
/// way into kernels that use it.
#ifndef QUANTAL_KERNEL_CPU_SUM_BOUNDS_HPP
#define QUANTAL_KERNEL_CPU_SUM_BOUNDS_HPP

#include <quantal/spec/concepts.hpp>

#include <algorithm>
#include <span>

namespace quantal {
inline namespace v0 {
namespace cpu {

/// The largest and the smallest int16.
inline constexpr std::int64_t int16_max = 32767;
inline constexpr std::int64_t int16_min = -32768;

/// How many products `u * w` with u in [0, u_max], w in [w_min, w_max] always fit int16 when
/// summed.
[[nodiscard]] constexpr std::int64_t
products_before_widening(std::int64_t u_max, std::int64_t w_min, std::int64_t w_max) {
    const std::int64_t above = u_max * std::max<std::int64_t>(w_max, 0);
    const std::int64_t below = u_max * std::min<std::int64_t>(w_min, 0);
    const std::int64_t unlimited = 1 << 30;
    return std::min(above ? int16_max / above : unlimited, below ? int16_min / below : unlimited);
}

/// Whether the sum of a channel's products, and of any part of them, always fits int16.
[[nodiscard]] constexpr bool sum_fits_int16(std::int64_t u_max,
                                            std::span<const std::int16_t> weights) {
    std::int64_t above = 0, below = 0;
    for (const std::int16_t w : weights)
        (w > 0 ? above : below) += u_max * w;
    return above <= int16_max && below >= int16_min;
}

/// A number of steps, two products each, that an int16 lane holds for every input: a proof that
/// only its makers can give.
class proved_steps {
public:
    /// From the specs of activations and weights (zero point 0): fails to compile where even one
    /// step could saturate.
    template <qspec X, qspec W>
    requires supported_spec<X> && supported_spec<W>
    [[nodiscard]] static consteval proved_steps from_types() {
        constexpr std::int64_t products =
            products_before_widening(X.qmax() - X.qmin(), W.qmin(), W.qmax());
        static_assert(products >= 2, "quantal: two products of these specs do not fit int16; sums "
                                     "of them need int32");
        return proved_steps(products / 2);
    }

    /// From the weights themselves, at most `most`: lane `k % 4 / 2` of every run of n groups of
    /// four weights of a column sums to int16, whatever the activations up to `u_max`. 0 if a
    /// single step may saturate.
    [[nodiscard]] static proved_steps from_weights(std::int64_t u_max,
                                                   std::span<const std::int16_t> weights,
                                                   std::size_t per_column, std::int64_t most) {
        std::int64_t steps = most;
        while (steps > 0 && !fits(u_max, weights, per_column, steps))
            steps = steps * 7 / 8;
        return proved_steps(steps);
    }

    [[nodiscard]] constexpr std::int64_t count() const { return count_; }

private:
    constexpr explicit proved_steps(std::int64_t count) : count_(count) {}

    static bool fits(std::int64_t u_max, std::span<const std::int16_t> weights,
                     std::size_t per_column, std::int64_t steps) {
        const std::size_t run = 4 * static_cast<std::size_t>(steps);
        for (std::size_t column = 0; column < weights.size(); column += per_column)
            for (std::size_t first = 0; first < per_column; first += run) {
                std::int64_t above[2] = {0, 0}, below[2] = {0, 0};
                for (std::size_t k = first; k < std::min(first + run, per_column); ++k) {
                    const std::int64_t w = weights[column + k];
                    (w > 0 ? above : below)[k % 4 / 2] += u_max * w;
                }
                if (std::max(above[0], above[1]) > int16_max ||
                    std::min(below[0], below[1]) < int16_min)
                    return false;
            }
        return true;
    }

    std::int64_t count_;
};

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
