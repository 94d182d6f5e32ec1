// SPDX-License-Identifier: Apache-2.0
// An observer can merge, so that the parts of a data set can be observed apart.
// expect: "observer"
// expect: "merge"
#include <quantal/ops/quantizer.hpp>

/// Always the same range.
struct fixed_range {
    void observe(std::span<const float>) {}
#ifndef QUANTAL_MUST_FAIL
    void merge(const fixed_range&) {}
#endif
    [[nodiscard]] quantal::range range() const {
        return {-1.0f, 1.0f};
    }
};

int main() {
    quantal::quantizer<quantal::w4, fixed_range> host;
    host.observe(quantal::tensor<float>({2, 2}));
    return host.params().zero_point();
}
