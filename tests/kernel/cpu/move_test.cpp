// SPDX-License-Identifier: Apache-2.0
#include <quantal/kernel/cpu/move.hpp>

#include "support/random.hpp"

#include <boost/test/unit_test.hpp>

using namespace quantal;

BOOST_AUTO_TEST_SUITE(cpu_move)

BOOST_AUTO_TEST_CASE(planes_become_pixels_and_planes_again) {
    auto g = support::generator();
    for (const std::int64_t channels : {1, 2, 3, 4, 7})
        for (const std::int64_t width : {1, 2, 3, 255, 256, 257, 600}) {
            const reference::image_shape shape(extents{channels, 3, width});
            const auto count = static_cast<std::size_t>(shape.pixels() * channels);
            std::vector<std::uint8_t> planes(count), pixels(count + 1, 0xa5), back(count);
            for (std::uint8_t& v : planes)
                v = static_cast<std::uint8_t>(g());
            const auto copy = [](const std::uint8_t* from, std::size_t n, std::uint8_t* to) {
                std::copy_n(from, n, to);
            };
            for (std::int64_t y = shape.height; y-- > 0;) // a row leaves the one behind it alone
                cpu::row_from_planes(shape, y, planes.data(), pixels.data(), copy);
            BOOST_TEST(pixels.back() == 0xa5);
            bool equal = true;
            for (std::size_t i = 0; i < count; ++i) {
                const auto plane = static_cast<std::size_t>(shape.pixels());
                const auto c = static_cast<std::size_t>(channels);
                equal = equal && planes[i] == pixels[i % plane * c + i / plane];
            }
            BOOST_TEST_CONTEXT(channels << " channels, width " << width) BOOST_TEST(equal);
            for (std::int64_t y = 0; y < shape.height; ++y)
                cpu::row_to_planes(shape, y, pixels.data(), back.data());
            BOOST_TEST((back == planes));
        }
}

BOOST_AUTO_TEST_SUITE_END()
