// SPDX-License-Identifier: Apache-2.0
#include <quantal/data/preprocess.hpp>

#include "files.hpp"

#include <limits>

namespace data = quantal::data;

BOOST_AUTO_TEST_SUITE(preprocess)

BOOST_AUTO_TEST_CASE(the_steps_come_in_order) {
    const data::image8 image = files::ramp(40, 60, 3);
    const data::preprocess p{
        .resize = 20, .crop = 16, .pad = 3, .mean = {0, 0.5f, 0.25f}, .std = {1, 0.5f, 2}};
    BOOST_TEST(data::output_shape(p, 3, 40, 60) == (quantal::extents{3, 22, 22}));
    std::vector<float> chw(3 * 22 * 22);
    data::apply(p, image, chw);
    const data::image8 inner = data::centre_crop(data::resize_short_side(image, 20), 16);
    for (std::size_t c = 0; c < 3; ++c)
        for (std::size_t y = 0; y < 22; ++y)
            for (std::size_t x = 0; x < 22; ++x) {
                const bool inside = y >= 3 && y < 19 && x >= 3 && x < 19;
                const std::uint8_t byte =
                    inside ? inner.pixels[((y - 3) * 16 + x - 3) * 3 + c] : std::uint8_t{0};
                BOOST_TEST(chw[(c * 22 + y) * 22 + x] ==
                           (static_cast<float>(byte) / 255.0f - p.mean[c]) / p.std[c]);
            }
}

BOOST_AUTO_TEST_CASE(a_half_and_a_half_map_bytes_to_minus_one_to_one) {
    BOOST_TEST(data::normalized(0, 0.5f, 0.5f) == -1.0f);
    BOOST_TEST(data::normalized(255, 0.5f, 0.5f) == 1.0f);
    for (int byte = 0; byte < 256; ++byte) {
        const double exact = byte / 127.5 - 1.0;
        const double off =
            std::abs(data::normalized(static_cast<std::uint8_t>(byte), 0.5f, 0.5f) - exact);
        BOOST_TEST(off <= 0x1p-23);
    }
}

BOOST_AUTO_TEST_CASE(a_mean_for_each_channel_is_needed) {
    const data::preprocess grey{.mean = {0.5f}, .std = {0.5f}};
    BOOST_CHECK_NO_THROW(data::check(grey, 1));
    BOOST_CHECK_THROW(data::check(grey, 3), quantal::data_error);
    BOOST_CHECK_THROW(data::check({.mean = {0.5f}}, 1), quantal::data_error);
}

BOOST_AUTO_TEST_CASE(numbers_out_of_range_are_refused) {
    const auto refused = [](data::preprocess p) {
        BOOST_CHECK_THROW(data::check(p, 1), quantal::data_error);
    };
    constexpr float nan = std::numeric_limits<float>::quiet_NaN();
    refused({.resize = -1, .mean = {0}, .std = {1}});
    refused({.crop = 4097, .mean = {0}, .std = {1}});
    refused({.pad = -1, .mean = {0}, .std = {1}});
    refused({.pad = 257, .mean = {0}, .std = {1}});
    refused({.mean = {0}, .std = {0}});
    refused({.mean = {0}, .std = {-1}});
    refused({.mean = {0}, .std = {nan}});
    refused({.mean = {nan}, .std = {1}});
}

BOOST_AUTO_TEST_CASE(images_of_an_unexpected_size_are_refused) {
    const data::preprocess p{.mean = {0}, .std = {1}};
    std::vector<float> chw(16);
    BOOST_CHECK_NO_THROW(data::apply(p, files::ramp(4, 4, 1), chw));
    const auto message = files::message_of([&] { data::apply(p, files::ramp(4, 5, 1), chw); });
    BOOST_TEST(message == "an image becomes 1x4x5 values; 16 are expected");
    BOOST_CHECK_THROW(data::apply(p, files::ramp(4, 4, 3), chw), quantal::data_error);
}

BOOST_AUTO_TEST_SUITE_END()
