// SPDX-License-Identifier: Apache-2.0
#include "kernel/cuda/integer_layer.hpp"

#include <quantal/kernel/cuda/product.hpp>
#include <quantal/kernel/cuda/window_rows.hpp>

#include <boost/test/unit_test.hpp>

using namespace quantal;
using namespace quantal::cuda;

namespace {

/// A convolution of two images with the same padding on all sides, of codes and weights of so many
/// bits.
template <class Operands, int Bits>
void compare(std::mt19937& g, hw image, hw kernel, int stride, int dilation, int padding,
             int channels, unsigned seed) {
    const auto size = [&](std::int64_t in, std::int64_t k) {
        return (in + 2 * padding - dilation * (k - 1) - 1) / stride + 1;
    };
    const reference::window win{image,    {size(image.h, kernel.h), size(image.w, kernel.w)},
                                kernel,   stride,
                                dilation, padding,
                                padding};
    support::integer_layer l(g, {win, 2, channels, 37, Bits, Bits}, 0);
    const auto depth = static_cast<std::int32_t>(l.w.pitch);
    constexpr product_tile tile = Operands::tiles.small;
    const support::byte_rows w = support::packed(l.w, l.out, depth, tile.packed);
    support::byte_rows outside(1, l.x.pitch, l.zero_point);
    const image_rows x = rows_of(win, l.x.data(), 2, l.x.pitch, l.zero_point, outside.data());
    support::array<std::int32_t> sums(l.expected.size());
    using body = product_kernel<tile, Operands, image_rows, sums_out>;
    support::launch(body{x,
                         {w.data(), w.pitch, l.columns(), static_cast<std::int32_t>(w.pitch)},
                         depth,
                         l.rows(),
                         l.start.data(),
                         {{sums.data(), l.out}}},
                    body::grid(l.rows(), l.columns()),
                    {std::span(l.x.chunks), std::span(outside.chunks), std::span(w.chunks),
                     std::span(l.start), std::span(sums)},
                    seed);
    BOOST_TEST(sums == l.expected, boost::test_tools::per_element());
}

/// Windows of several forms.
template <class Operands, int Bits>
void compare_all() {
    auto g = support::generator();
    compare<Operands, Bits>(g, {7, 5}, {3, 3}, 1, 1, 1, 19, 1);
    compare<Operands, Bits>(g, {9, 8}, {3, 2}, 2, 1, 1, 16, 2);
    compare<Operands, Bits>(g, {6, 6}, {1, 1}, 1, 1, 0, 70, 3);
    compare<Operands, Bits>(g, {7, 9}, {3, 3}, 1, 2, 2, 19, 4);
    compare<Operands, Bits>(g, {8, 8}, {5, 5}, 3, 1, 2, 3, 5);
}

} // namespace

BOOST_AUTO_TEST_SUITE(cuda_image_rows)

BOOST_AUTO_TEST_CASE(sums_equal_the_reference) {
    compare_all<bytes_by_bytes, 8>();
}

BOOST_AUTO_TEST_CASE(sums_of_nibbles_equal_the_reference) {
    compare_all<nibbles_by_nibbles, 4>();
}

BOOST_AUTO_TEST_SUITE_END()
