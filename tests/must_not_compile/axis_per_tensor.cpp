// SPDX-License-Identifier: Apache-2.0
// One scale for the whole tensor has no axis: specs that mean the same are equal.
// expect: "axis_only_per_channel"
#include <quantal/tensor/qtensor.hpp>

#ifdef QUANTAL_MUST_FAIL
constexpr quantal::qspec spec{.grain = quantal::per_tensor, .axis = 1};
#else
constexpr quantal::qspec spec{.grain = quantal::per_channel, .axis = 1};
#endif

int main() {
    return static_cast<int>(quantal::qtensor<spec>().size());
}
