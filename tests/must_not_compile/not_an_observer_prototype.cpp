// SPDX-License-Identifier: Apache-2.0
// What `quantize` is given beside the data is an observer.
// expect: "observer"
// expect: "merge"
#include <quantal/ops/quantize.hpp>

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
    return quantal::quantize<quantal::w4>(quantal::tensor<float>({2, 2}), fixed_range{}).code(0);
}
