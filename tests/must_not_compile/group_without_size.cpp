// SPDX-License-Identifier: Apache-2.0
// Groups have a size.
// expect: "group_size_only_per_group"
#include <quantal/ops/quantizer.hpp>

#ifdef QUANTAL_MUST_FAIL
constexpr quantal::qspec spec{.bits = 4, .grain = quantal::per_group};
#else
constexpr quantal::qspec spec{.bits = 4, .grain = quantal::per_group, .group_size = 1};
#endif

int main() {
    quantal::quantizer<spec> q;
    q.observe(std::vector<float>{1.0f});
    return q.params().zero_point();
}
