// SPDX-License-Identifier: Apache-2.0
/// What the tests of arith/ share: codes in long double, by no code of the library, and generators.
#ifndef QUANTAL_TESTS_ARITH_EMULATION_HPP
#define QUANTAL_TESTS_ARITH_EMULATION_HPP

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstdint>
#include <random>

namespace support {

using wide = long double;

/// `clamp(rne(v) + zero, lo, hi)`, rounded before it is clamped: nearbyint rounds ties to even.
inline std::int32_t to_code(wide v, std::int32_t zero, std::int32_t lo, std::int32_t hi) {
    const wide code = std::nearbyint(v) + zero;
    return static_cast<std::int32_t>(std::fmin(std::fmax(code, wide(lo)), wide(hi)));
}

inline std::mt19937 seeded(unsigned seed) {
    BOOST_TEST_MESSAGE("seed " << seed);
    return std::mt19937(seed);
}

} // namespace support

#endif
