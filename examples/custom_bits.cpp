// SPDX-License-Identifier: Apache-2.0
/// A bit configuration that quantal does not name: one constant, and everything works with it.
#include <quantal/quantal.hpp>

#include <iostream>

inline constexpr quantal::qspec signed5{.bits = 5, .kind = quantal::scheme::affine_signed};

int main() {
    const std::vector<float> values{-0.5f, 0.0f, 1.0f, 2.6f};
    const quantal::qtensor<signed5> codes = quantal::quantize<signed5>(values);
    std::cout << '"' << signed5 << "\" from " << signed5.qmin() << " to " << signed5.qmax()
              << ", scale " << codes.params().scale() << ", zero point "
              << codes.params().zero_point() << ", " << codes.packed().size() << " bytes:";
    for (const int code : codes.codes().values())
        std::cout << ' ' << code;
    std::cout << '\n';
}
