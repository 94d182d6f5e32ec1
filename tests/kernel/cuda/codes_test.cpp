// SPDX-License-Identifier: Apache-2.0
#include "kernel/cuda/launch.hpp"
#include "support/random.hpp"

#include <quantal/kernel/cuda/codes.hpp>
#include <quantal/kernel/cuda/moves.hpp>
#include <quantal/kernel/reference/pool.hpp>

#include <boost/test/unit_test.hpp>

using namespace quantal;
using namespace quantal::cuda;

namespace {

using code_array = support::array<std::uint8_t>;

code_array codes(std::mt19937& g, std::size_t count, int bits = 8) {
    std::uniform_int_distribution<int> code(0, (1 << bits) - 1);
    code_array x(count);
    for (auto& q : x)
        q = static_cast<std::uint8_t>(code(g));
    return x;
}

/// `f` of all of x, whose other input is `other`.
template <class F>
code_array applied(const code_array& x, const F& f, host::array other, unsigned seed) {
    code_array y(x.size());
    support::launch(code_kernel<F>{x.data(), y.data(), static_cast<std::int64_t>(x.size()), f},
                    {1 + static_cast<int>(seed % 2), 1}, {std::span(x), std::span(y), other}, seed);
    return y;
}

/// `f` for `count` elements.
template <class F>
void move(std::int64_t count, const F& f, std::vector<host::array> arrays, unsigned seed) {
    support::launch(each_kernel<F>{count, f}, {1 + static_cast<int>(seed % 3), 1}, arrays, seed);
}

} // namespace

BOOST_AUTO_TEST_SUITE(cuda_codes)

BOOST_AUTO_TEST_CASE(sums_and_products_at_every_width) {
    auto g = support::generator();
    for (int bits = 1; bits <= 8; ++bits) {
        const std::int32_t hi = (1 << bits) - 1, zero = hi / 2;
        const code_array x = codes(g, 1203, bits), z = codes(g, 1203, bits);
        const add_codes add{z.data(), 0.31f, 0.07f, 0.29f, zero, 1, zero, hi / 4, hi};
        const multiply_codes multiply{z.data(), 1, 1, 0.043f, zero, 1, zero, hi / 4, hi};
        const auto seed = static_cast<unsigned>(bits);
        const code_array sums = applied(x, add, std::span(z), seed);
        const code_array products = applied(x, multiply, std::span(z), seed);
        for (std::size_t i = 0; i < x.size(); ++i) {
            BOOST_REQUIRE_EQUAL(int{sums[i]},
                                arith::residual_add({x[i], 0.31f, zero}, {z[i], 0.07f, 1}, 0.29f,
                                                    zero, hi / 4, hi));
            BOOST_REQUIRE_EQUAL(int{products[i]}, arith::requantize((x[i] - zero) * (z[i] - 1),
                                                                    0.043f, zero, hi / 4, hi));
        }
    }
}

BOOST_AUTO_TEST_CASE(one_factor_or_table_a_channel) {
    auto g = support::generator();
    constexpr std::size_t images = 3, pixels = 5, channels = 16;
    const code_array x = codes(g, images * pixels * channels), z = codes(g, images * channels);
    const code_array tables = codes(g, 256 * channels);
    const multiply_codes multiply{z.data(), pixels * channels, channels, 0.01f, 3, 4, 5, 0, 255};
    const code_array products = applied(x, multiply, std::span(z), 1);
    const code_array found =
        applied(x, look_up{tables.data(), {1, channels}}, std::span(tables), 2);
    for (std::size_t i = 0; i < x.size(); ++i) {
        const std::size_t image = i / pixels / channels, channel = i % channels;
        BOOST_REQUIRE_EQUAL(
            int{products[i]},
            arith::requantize((x[i] - 3) * (z[image * channels + channel] - 4), 0.01f, 5, 0, 255));
        BOOST_REQUIRE_EQUAL(found[i], tables[256 * channel + x[i]]);
    }
}

BOOST_AUTO_TEST_CASE(moved_as_the_reference_moves) {
    auto g = support::generator();
    constexpr int images = 2, pixels = 35, channels = 6, pitch = 16;
    const code_array x = codes(g, images * pixels * pitch);
    const code_array table = codes(g, 256);
    code_array joined(images * pixels * pitch, 9), shorter(images * 12 * pitch), flat(images * 224);
    move(images * pixels * channels,
         join_channels{x.data(), table.data(), joined.data() + 3, channels, pitch, pitch},
         {std::span(x), std::span(table), std::span(joined)}, 1);
    const image_rows every_other{x.data(), images, pitch, {7, 5}, {4, 3}, {1, 1},
                                 {2, 2},   {1, 1}, 0,     0,      77};
    move(images * 12 * 11, short_cut{every_other, shorter.data(), 2, channels, 11, pitch},
         {std::span(x), std::span(shorter)}, 2);
    move(images * pixels * channels, flatten{x.data(), flat.data(), pixels, channels, pitch, 224},
         {std::span(x), std::span(flat)}, 3);
    for (std::size_t n = 0; n < images; ++n) {
        code_array image, short_image(12 * 11), planes(pixels * channels);
        for (std::size_t i = 0; i < pixels * channels; ++i) {
            const std::size_t place = n * pixels * pitch + i / channels * pitch + i % channels;
            image.push_back(x[place]);
            BOOST_REQUIRE_EQUAL(joined[place + 3], table[x[place]]);
        }
        reference::shortcut<std::uint8_t>({.stride = 2, .channels_before = 2, .channels_after = 3},
                                          extents{channels, 7, 5}, extents{11, 4, 3}, 77,
                                          image.data(), short_image.data());
        reference::to_chw<std::uint8_t>(extents{channels, 7, 5}, image.data(), planes.data());
        for (std::size_t i = 0; i < short_image.size(); ++i)
            BOOST_REQUIRE_EQUAL(short_image[i], shorter[(n * 12 + i / 11) * pitch + i % 11]);
        for (std::size_t i = 0; i < planes.size(); ++i)
            BOOST_REQUIRE_EQUAL(planes[i], flat[n * 224 + i]);
    }
}

BOOST_AUTO_TEST_SUITE_END()
