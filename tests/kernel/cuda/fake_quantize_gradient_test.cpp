// SPDX-License-Identifier: Apache-2.0
#include "kernel/cuda/launch.hpp"
#include "support/random.hpp"

#include <quantal/kernel/cpu/fake_quantize_gradient.hpp>
#include <quantal/kernel/cuda/fake_quantize_gradient.hpp>

#include <boost/test/unit_test.hpp>

#include <limits>

using namespace quantal;

namespace {

/// Rows of `row_size` elements, their sums and gradients equal to those of the CPU.
void compare(std::mt19937& g, std::int64_t rows, std::int64_t row_size, std::int64_t block_size,
             int bits, unsigned seed) {
    const auto count = static_cast<std::size_t>(rows * row_size);
    std::normal_distribution<float> normal;
    support::array<float> x(count), gy(count), gx(count), scales;
    support::array<std::int32_t> zeros;
    for (std::size_t i = 0; i < count; ++i) {
        x[i] = i % 7 ? normal(g) : 0.25f * static_cast<float>(i % 19);
        if (i % 97 == 13) x[i] = std::numeric_limits<float>::infinity();
        if (i % 101 == 17) x[i] = std::numeric_limits<float>::quiet_NaN();
        gy[i] = normal(g);
    }
    const std::int32_t hi = (1 << bits) - 1;
    for (int row = 0; row < rows; ++row) {
        scales.push_back(0.1f + 0.03f * static_cast<float>(row));
        zeros.push_back((hi + row) % (hi + 1));
    }
    const std::int64_t of_row = (row_size + block_size - 1) / block_size, blocks = rows * of_row;
    support::array<cuda::gradient_sums> parts(static_cast<std::size_t>(blocks));
    support::launch(cuda::fake_quantize_gradient_kernel{x.data(), gy.data(), gx.data(),
                                                        scales.data(), zeros.data(), row_size,
                                                        block_size, blocks, 0, hi, parts.data()},
                    {static_cast<int>((blocks + 7) / 8), 1},
                    {std::span(x), std::span(gy), std::span(gx), std::span(scales),
                     std::span(zeros), std::span(parts)},
                    seed);
    std::vector<float> expected(count);
    for (std::size_t b = 0; b < parts.size(); ++b) {
        const auto block = static_cast<std::int64_t>(b);
        const std::int64_t row = block / of_row, begin = block % of_row * block_size;
        const auto first = static_cast<std::size_t>(row * row_size + begin);
        const auto sums = cpu::fake_quantize_gradient<cpu::best_arch>(
            x.data() + first, gy.data() + first,
            static_cast<std::size_t>(std::min(block_size, row_size - begin)),
            scales[static_cast<std::size_t>(row)], {zeros[static_cast<std::size_t>(row)], 0, hi},
            expected.data() + first);
        BOOST_REQUIRE_EQUAL(parts[b].rounding, sums.rounding);
        BOOST_REQUIRE_EQUAL(parts[b].steps, sums.steps);
        BOOST_REQUIRE_EQUAL(parts[b].clipped, sums.clipped);
    }
    for (std::size_t i = 0; i < count; ++i)
        BOOST_REQUIRE_EQUAL(gx[i], expected[i]);
}

} // namespace

BOOST_AUTO_TEST_SUITE(cuda_fake_quantize_gradient)

BOOST_AUTO_TEST_CASE(has_the_bits_of_the_cpu) {
    auto g = support::generator();
    compare(g, 1, 3000, 1 << 14, 4, 1);
    compare(g, 5, 333, 1 << 14, 8, 2);
    compare(g, 3, 1000, 256, 2, 3);
    compare(g, 11, 15, 16, 1, 4);
}

BOOST_AUTO_TEST_SUITE_END()
