// SPDX-License-Identifier: Apache-2.0
#include <quantal/data/resize.hpp>

#include "files.hpp"

#include <array>

namespace data = quantal::data;

namespace {

/// The high bytes of a linear congruential generator: noise that any language can make again.
data::image8 noise(std::size_t height, std::size_t width, std::size_t channels) {
    data::image8 image{height, width, channels, {}};
    auto state = static_cast<std::uint32_t>(height * 1000 + width);
    for (std::size_t i = 0; i < height * width * channels; ++i) {
        state = state * 1664525u + 1013904223u;
        image.pixels.push_back(static_cast<std::uint8_t>(state >> 24));
    }
    return image;
}

std::uint64_t fnv1a(const std::vector<std::uint8_t>& bytes) {
    std::uint64_t hash = 0xcbf29ce484222325u;
    for (const std::uint8_t byte : bytes)
        hash = (hash ^ byte) * 0x100000001b3u;
    return hash;
}

struct golden {
    std::size_t height, width, channels, short_side;
    std::size_t resized_height, resized_width;
    std::uint64_t hash;
};

/// What `Image.resize(size, Image.BILINEAR)` of Pillow 11.3 gives for `noise`.
constexpr std::array pillow{
    golden{50, 37, 3, 16, 21, 16, 0x1bb6beb92e5347abu},
    golden{37, 50, 3, 16, 16, 21, 0x19d0c3731516bd69u},
    golden{64, 64, 1, 20, 20, 20, 0x2567a0c5f1ddcd71u},
    golden{33, 97, 3, 64, 64, 188, 0x3bedd45c059ca7dfu},
    golden{97, 33, 1, 50, 146, 50, 0xcf600a42e5fc5ccau},
    golden{1, 7, 3, 3, 3, 21, 0xfc728dd777c10824u},
    golden{7, 1, 1, 5, 35, 5, 0x51f7fd53b4a694fau},
    golden{120, 80, 3, 31, 46, 31, 0x85d53ab7a191976du},
    golden{23, 24, 3, 24, 24, 25, 0xc05b6e22bd1cca40u},
};

} // namespace

BOOST_AUTO_TEST_SUITE(resize)

BOOST_AUTO_TEST_CASE(resizing_gives_the_bits_of_pillow) {
    for (const golden& g : pillow) {
        BOOST_TEST_CONTEXT(g.height << "x" << g.width << " to " << g.short_side) {
            const auto resized =
                data::resize_short_side(noise(g.height, g.width, g.channels), g.short_side);
            BOOST_TEST(resized.height == g.resized_height);
            BOOST_TEST(resized.width == g.resized_width);
            BOOST_TEST(fnv1a(resized.pixels) == g.hash);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_small_image_shows_its_pixels) {
    data::image8 image{6, 8, 1, {}};
    for (std::size_t y = 0; y < 6; ++y)
        for (std::size_t x = 0; x < 8; ++x)
            image.pixels.push_back(static_cast<std::uint8_t>(x * x + 3 * y));
    const std::vector<std::uint8_t> expected{1,  5,  14, 27, 45, 5,  9,  18, 31, 49,
                                             10, 14, 23, 36, 54, 14, 18, 27, 40, 58};
    BOOST_TEST(data::resize_short_side(image, 4).pixels == expected);
}

BOOST_AUTO_TEST_CASE(constants_stay_and_the_same_size_is_the_same_image) {
    const data::image8 white{9, 14, 3, std::vector<std::uint8_t>(9 * 14 * 3, 255)};
    for (const std::size_t side : {1u, 2u, 5u, 8u, 10u, 31u})
        for (const std::uint8_t byte : data::resize_short_side(white, side).pixels)
            BOOST_TEST(int{byte} == 255);
    const data::image8 image = noise(9, 14, 3);
    BOOST_TEST((data::resize_short_side(image, 9) == image));
    BOOST_TEST(data::resample_axis(image.pixels, 14, 14, 3) == image.pixels);
}

BOOST_AUTO_TEST_CASE(sizes_that_cannot_be_are_refused) {
    BOOST_CHECK_THROW(std::ignore = data::resize_short_side({}, 4), quantal::data_error);
    BOOST_CHECK_THROW(std::ignore = data::resize_short_side(noise(2, 2, 1), 0),
                      quantal::data_error);
    const auto message =
        files::message_of([] { std::ignore = data::resize_short_side(noise(1, 60000, 1), 4096); });
    BOOST_TEST(message.find("would be resized to 4096x245760000") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_centre_is_rounded_half_to_even) {
    // Python: int(round((size - crop) / 2.0))
    constexpr std::array<std::size_t, 8> expected{0, 0, 1, 2, 2, 2, 3, 4};
    for (std::size_t more = 0; more < expected.size(); ++more)
        BOOST_TEST(data::crop_begin(10 + more, 10) == expected[more]);
    for (std::size_t more = 0; more < expected.size(); ++more)
        BOOST_TEST(data::crop_begin(10 + more, 10, data::crop_rounding::down) == more / 2);
}

BOOST_AUTO_TEST_CASE(a_crop_is_the_middle) {
    const data::image8 image = noise(9, 12, 3);
    const data::image8 crop = data::centre_crop(image, 5); // from (2, 4): 3.5 rounds to 4
    BOOST_TEST(crop.height == 5u);
    BOOST_TEST(crop.width == 5u);
    for (std::size_t y = 0; y < 5; ++y)
        for (std::size_t i = 0; i < 15; ++i)
            BOOST_TEST(crop.pixels[y * 15 + i] == image.pixels[((y + 2) * 12 + 4) * 3 + i]);
    BOOST_TEST((data::centre_crop(crop, 5) == crop));
    BOOST_CHECK_THROW(std::ignore = data::centre_crop(image, 10), quantal::data_error);
}

BOOST_AUTO_TEST_SUITE_END()
