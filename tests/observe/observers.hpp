// SPDX-License-Identifier: Apache-2.0
/// What the tests of observers share.
#ifndef QUANTAL_TESTS_OBSERVE_OBSERVERS_HPP
#define QUANTAL_TESTS_OBSERVE_OBSERVERS_HPP

#include <quantal/error.hpp>
#include <quantal/observe/observer.hpp>

#include <ostream>
#include <random>
#include <string>
#include <vector>

namespace quantal {

inline std::ostream& boost_test_print_type(std::ostream& out, const range& r) {
    return out << '[' << r.lo << ", " << r.hi << ']';
}

} // namespace quantal

namespace support {

using updates = std::vector<std::vector<float>>;

/// A fresh observer after these updates.
template <quantal::observer O>
O observed(O fresh, const updates& data) {
    for (const std::vector<float>& values : data)
        fresh.observe(values);
    return fresh;
}

template <quantal::observer O>
O merged(O first, const O& later) {
    first.merge(later);
    return first;
}

/// `count` updates of 1 to 9 normal values.
inline updates random_updates(std::mt19937& g, std::size_t count) {
    std::normal_distribution<float> distribution(0.3f, 2.0f);
    updates result(count);
    for (auto& values : result) {
        values.resize(1 + g() % 9);
        for (float& v : values)
            v = distribution(g);
    }
    return result;
}

/// The message of the quantal::error that `action` throws.
inline std::string message_of(const auto& action) {
    try {
        action();
    } catch (const quantal::error& problem) {
        return problem.what();
    }
    return "no error";
}

} // namespace support

#endif
