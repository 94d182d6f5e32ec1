// SPDX-License-Identifier: Apache-2.0
#include <quantal/runtime/cuda/linked_quantizer.hpp>
#include <quantal/train/fake_quantize.hpp>

#include "support/library_device.hpp"
#include "support/random.hpp"

#include <boost/test/unit_test.hpp>

using namespace quantal;

namespace {

/// Rows of `row_size` elements through the library and through train/.
void compare(std::mt19937& g, qspec s, std::size_t rows, std::size_t row_size) {
    qparams p{s, {}, {}};
    for (std::size_t row = 0; row < rows; ++row) {
        p.scales.push_back(0.05f + 0.03f * static_cast<float>(row));
        p.zero_points.push_back(s.is_symmetric() ? 0 : static_cast<std::int32_t>(row) + 1);
    }
    const auto size = static_cast<std::int64_t>(rows * row_size);
    const tensor<float> x = support::normal(g, {size}), gy = support::normal(g, {size});
    tensor<float> y({size}), gx({size}), expected_y({size}), expected_gx({size});
    thread_pool pool(1);
    train::fake_quantize(x.values(), p, expected_y.values(), pool);
    const auto expected =
        train::fake_quantize_gradient(x.values(), gy.values(), p, expected_gx.values(), pool);

    const cuda::linked::row_codes codes{p.scales, p.zero_points, s.qmin(), s.qmax()};
    cuda::linked::fake_quantize(x.values(), codes, y.values(), {});
    const std::size_t of_row = (row_size + train::block_size - 1) / train::block_size;
    std::vector<cuda::linked::block_sums> parts(rows * of_row);
    cuda::linked::fake_quantize_gradient(x.values(), gy.values(), codes, gx.values(), parts, {});
    BOOST_TEST((y == expected_y));
    BOOST_TEST((gx == expected_gx));
    for (std::size_t row = 0; row < rows; ++row) {
        train::gradient_sums sums;
        for (std::size_t block = 0; block < of_row; ++block) {
            const auto& part = parts[row * of_row + block];
            sums += {part.rounding, part.steps, part.clipped};
        }
        BOOST_TEST((sums == expected[row]));
    }
}

} // namespace

BOOST_AUTO_TEST_SUITE(cuda_linked_quantizer, *boost::unit_test::label("linked"))

BOOST_AUTO_TEST_CASE(has_the_bits_of_training) {
    support::need_host_runner();
    auto g = support::generator();
    compare(g, a8, 1, 1003);
    compare(g, parse_spec("4 affine unsigned channel(0)"), 3, 517);
    compare(g, w2, 3, 131);
    compare(g, parse_spec("4 symmetric tensor"), 1, train::block_size + 9);
    compare(g, w4, 2, train::block_size + 1);
}

BOOST_AUTO_TEST_SUITE_END()
