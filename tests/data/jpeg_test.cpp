// SPDX-License-Identifier: Apache-2.0
#include <quantal/data/jpeg.hpp>

#include "files.hpp"

namespace data = quantal::data;

namespace {

const auto decode_jpeg = [](std::span<const std::byte> file) {
    return data::decode_jpeg(file, "test.jpg");
};

std::string message_of_jpeg(const files::bytes& file) {
    return files::message_of([&] { decode_jpeg(file); });
}

/// Where the first of these markers begins, at or after `from`.
std::size_t marker(const files::bytes& file, std::initializer_list<unsigned> codes,
                   std::size_t from = 0) {
    for (std::size_t i = from; i + 1 < file.size(); ++i)
        for (const unsigned code : codes)
            if (file[i] == std::byte{0xff} && file[i + 1] == std::byte(code)) return i;
    return file.size();
}

} // namespace

BOOST_AUTO_TEST_SUITE(jpeg)

BOOST_AUTO_TEST_CASE(images_come_back_nearly_as_they_were) {
    for (const std::size_t channels : {1u, 3u})
        for (const bool progressive : {false, true}) {
            const data::image8 image = files::ramp(37, 50, channels);
            const data::image8 decoded =
                decode_jpeg(files::make_jpeg(image, {.progressive = progressive}));
            BOOST_TEST(decoded.height == 37u);
            BOOST_TEST(decoded.width == 50u);
            BOOST_TEST(decoded.channels == 3u);
            BOOST_REQUIRE(decoded.pixels.size() == 37u * 50 * 3);
            int largest = 0;
            for (std::size_t i = 0; i < decoded.pixels.size(); ++i) {
                const std::size_t from = channels == 1 ? i / 3 : i;
                largest = std::max(largest, std::abs(decoded.pixels[i] - image.pixels[from]));
            }
            BOOST_TEST(largest <= 8);
        }
}

BOOST_AUTO_TEST_CASE(truncated_files_are_refused) {
    files::check_truncation(files::make_jpeg(files::ramp(20, 30, 3)), decode_jpeg);
    files::check_truncation(files::make_jpeg(files::ramp(20, 30, 3), {.progressive = true}),
                            decode_jpeg);
}

BOOST_AUTO_TEST_CASE(damaged_files_give_errors_only) {
    const files::bytes file = files::make_jpeg(files::ramp(20, 30, 3));
    BOOST_TEST(files::check_damage(file, decode_jpeg) > 50u);
    const files::bytes progressive =
        files::make_jpeg(files::ramp(20, 30, 3), {.progressive = true});
    BOOST_TEST(files::check_damage(progressive, decode_jpeg) > 50u);
}

BOOST_AUTO_TEST_CASE(files_of_other_kinds_are_refused) {
    BOOST_TEST(message_of_jpeg({}).find("test.jpg") != std::string::npos);
    BOOST_TEST(message_of_jpeg(files::to_bytes("no image at all")).find("Not a JPEG file") !=
               std::string::npos);
    BOOST_TEST(message_of_jpeg(files::make_jpeg(files::ramp(8, 8, 4))).find("has 4 components") !=
               std::string::npos);
    BOOST_TEST(message_of_jpeg(files::make_jpeg(files::ramp(8, 8, 3), {.arithmetic = true}))
                   .find("arithmetic coding") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(claimed_sizes_are_checked_before_memory_is_taken) {
    files::bytes file = files::make_jpeg(files::ramp(8, 8, 3));
    const std::size_t header = marker(file, {0xc0, 0xc2});
    BOOST_REQUIRE(header + 8 < file.size());
    for (const std::size_t at : {5u, 6u, 7u, 8u}) // height and width
        file[header + at] = std::byte{0xf0};
    BOOST_TEST(message_of_jpeg(file).find("claims 61680x61680 pixels") != std::string::npos);
    for (const std::size_t at : {5u, 7u}) // 4336x4336: fewer than the limit, but not for this file
        file[header + at] = std::byte{0x10};
    BOOST_TEST(message_of_jpeg(file).find("claims 4336x4336 pixels") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(very_many_scans_are_refused) {
    const files::bytes file = files::make_jpeg(files::ramp(8, 8, 1), {.progressive = true});
    const std::size_t scan = marker(file, {0xda});
    const std::size_t next = marker(file, {0xc4, 0xda}, scan + 2);
    BOOST_REQUIRE(next < file.size());
    const auto with_scans = [&](int count) { // the first scan, DC coefficients, count times
        files::bytes result(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(scan));
        for (int i = 0; i < count; ++i)
            result.insert(result.end(), file.begin() + static_cast<std::ptrdiff_t>(scan),
                          file.begin() + static_cast<std::ptrdiff_t>(next));
        result.insert(result.end(), file.begin() + static_cast<std::ptrdiff_t>(next), file.end());
        return result;
    };
    BOOST_TEST((decode_jpeg(with_scans(100)) == decode_jpeg(file)));
    BOOST_TEST(message_of_jpeg(with_scans(600)).find("too many scans") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
