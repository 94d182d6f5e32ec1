// SPDX-License-Identifier: Apache-2.0
// A group size belongs to groups: specs that mean the same are equal.
// expect: "group_size_only_per_group"
#include <quantal/tensor/qtensor.hpp>

#ifdef QUANTAL_MUST_FAIL
constexpr quantal::qspec spec{.grain = quantal::per_channel, .group_size = 32};
#else
constexpr quantal::qspec spec{.grain = quantal::per_group, .group_size = 32};
#endif

int main() {
    return static_cast<int>(quantal::qtensor<spec>().size());
}
