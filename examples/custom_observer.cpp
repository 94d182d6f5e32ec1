// SPDX-License-Identifier: Apache-2.0
/// An observer of one's own: three functions, and tensors and networks calibrate with it.
#include <quantal/quantal.hpp>

#include <algorithm>
#include <cmath>
#include <iostream>

/// Covers three standard deviations around 0, never more than what was seen.
struct three_sigma {
    double squares = 0.0, count = 0.0;
    float largest = 0.0f;

    void observe(std::span<const float> values) {
        for (const float v : values) {
            squares += double{v} * v;
            largest = std::max(largest, std::abs(v));
        }
        count += static_cast<double>(values.size());
    }
    void merge(const three_sigma& later) {
        squares += later.squares;
        count += later.count;
        largest = std::max(largest, later.largest);
    }
    [[nodiscard]] quantal::range range() const {
        const float reach =
            std::min(3.0f * static_cast<float>(std::sqrt(squares / count)), largest);
        return {-reach, reach};
    }
};

int main() {
    std::vector<float> values(1000, 0.25f);
    values[7] = -9.0f; // an outlier
    quantal::quantizer<quantal::qspec{.bits = 4}> plain;
    quantal::quantizer<quantal::qspec{.bits = 4}, three_sigma> clipped;
    plain.observe(values);
    clipped.observe(values);
    std::cout << "scale by min-max " << plain.params().scale() << ", 0.25 becomes "
              << plain.fake_quantize(values)[0] << "\nscale by three sigma "
              << clipped.params().scale() << ", 0.25 becomes " << clipped.fake_quantize(values)[0]
              << '\n';
}
