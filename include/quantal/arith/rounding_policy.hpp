// SPDX-License-Identifier: Apache-2.0
/// How quantizing rounds (docs/arithmetic.md, 3): a small object that brings a real number of steps
/// to an integer. The element's row-major index is given too, so that randomness does not depend on
/// the order of the work.
#ifndef QUANTAL_ARITH_ROUNDING_POLICY_HPP
#define QUANTAL_ARITH_ROUNDING_POLICY_HPP

#include <quantal/arith/rounding.hpp>

#include <concepts>

namespace quantal {
inline namespace v0 {

/// `round(x, element)` is one of the two integers next to x, or x itself; |x| is below 2^22.
template <class R>
concept rounding_policy = std::copyable<R> &&
    requires(const R& round, float x, std::uint64_t element) {
    { round(x, element) } -> std::same_as<std::int32_t>;
};

namespace rounding {

/// To the nearest, ties to even: what every formula of quantal does unless it is told otherwise.
struct half_even {
    [[nodiscard]] QUANTAL_HD constexpr std::int32_t operator()(float x, std::uint64_t) const {
        return arith::round_half_even(x);
    }
};

/// To the nearest, ties away from zero.
struct half_away {
    [[nodiscard]] QUANTAL_HD constexpr std::int32_t operator()(float x, std::uint64_t) const {
        return arith::round_half_away(x);
    }
};

/// Up with a probability of the fraction, to 24 bits: the mean of many is x. Element i draws number
/// i of the stream that `seed` names.
struct stochastic {
    std::uint64_t seed = 0;

    [[nodiscard]] QUANTAL_HD constexpr std::int32_t operator()(float x,
                                                               std::uint64_t element) const {
        const auto draw = static_cast<std::uint32_t>(arith::splitmix64(seed, element) >> 40);
        return arith::round_by_draw(x, draw);
    }
};

static_assert(rounding_policy<half_even> && rounding_policy<half_away> &&
              rounding_policy<stochastic>);

} // namespace rounding
} // namespace v0
} // namespace quantal

#endif
