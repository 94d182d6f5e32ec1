// SPDX-License-Identifier: Apache-2.0
#include <quantal/quantal.hpp>

#include <iostream>

inline constexpr quantal::qspec w3{.bits = 3, .grain = quantal::per_channel};

struct first_value { // covers what was seen first, both signs
    float reach = 0;
    void observe(std::span<const float> v) { reach = reach > 0 ? reach : std::abs(v.front()); }
    void merge(const first_value& later) { reach = reach > 0 ? reach : later.reach; }
    quantal::range range() const { return {-reach, reach}; }
};

int main() {
    const quantal::tensor<float> weights({2, 3}, {0.3f, -0.1f, 0.9f, 6.0f, 2.0f, -4.0f});
    const auto codes = quantal::quantize<w3>(weights, first_value{});
    for (const int code : codes.codes().values())
        std::cout << code << ' ';
    std::cout << "in " << codes.packed().size() << " bytes" << '\n';
    const int expected[] = {3, -1, 3, 3, 1, -2}; // the scales are 0.1 and 2
    return std::ranges::equal(codes.codes().values(), expected) ? 0 : 1;
}
