// SPDX-License-Identifier: Apache-2.0
#include <quantal/data/image_folder.hpp>
#include <quantal/data/loader.hpp>

#include "files.hpp"
#include "small_crop.hpp"
#include "support/real_data.hpp"

namespace data = quantal::data;
using files::small_crop;

namespace {

/// Two classes with two and one images, and files that are none.
void fill(const files::temporary_folder& folder) {
    const files::bytes image = files::make_jpeg(files::ramp(12, 10, 3));
    folder.write("set/n2/b.JPEG", image);
    folder.write("set/n2/a.jpg", image);
    folder.write("set/n1/z.JpEg", image);
    folder.write("set/n1/notes.txt", files::to_bytes("no image"));
    folder.write("set/readme.jpeg", files::to_bytes("no folder"));
    folder.write("words.txt", files::to_bytes("n3 three\nn2 two, a pair\nn1\n"));
}

} // namespace

BOOST_AUTO_TEST_SUITE(image_folder)

BOOST_AUTO_TEST_CASE(images_are_sorted_and_numbered_by_the_synset_file) {
    const files::temporary_folder folder;
    fill(folder);
    const data::image_folder set(folder.path() / "set", folder.path() / "words.txt", small_crop);
    BOOST_REQUIRE(set.size() == 3u);
    BOOST_TEST(set.classes() == 3);
    BOOST_TEST(set.image_shape() == (quantal::extents{3, 8, 8}));
    BOOST_TEST(set.path_of(0).filename().string() == "z.JpEg");
    BOOST_TEST(set.path_of(1).filename().string() == "a.jpg");
    BOOST_TEST(set.path_of(2).filename().string() == "b.JPEG");
    BOOST_TEST(set.label(0) == 2);
    BOOST_TEST(set.label(1) == 1);
    BOOST_TEST(set.label(2) == 1);

    std::vector<float> read(3 * 64);
    std::vector<float> expected(3 * 64);
    set.read(1, read);
    data::apply(small_crop, data::decode_jpeg(files::make_jpeg(files::ramp(12, 10, 3)), ""),
                expected);
    BOOST_TEST(read == expected);
}

BOOST_AUTO_TEST_CASE(a_thousand_folders_number_themselves) {
    const files::temporary_folder folder;
    for (int i = 0; i < 1000; ++i)
        std::filesystem::create_directories(folder.path() / "set" / std::to_string(1000 + i));
    folder.write("set/1007/a.jpg", files::make_jpeg(files::ramp(12, 10, 3)));
    const data::image_folder set(folder.path() / "set", std::nullopt, small_crop);
    BOOST_TEST(set.size() == 1u);
    BOOST_TEST(set.classes() == 1000);
    BOOST_TEST(set.label(0) == 7);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_numbered_is_refused) {
    const files::temporary_folder folder;
    fill(folder);
    const auto message = [&](const std::optional<std::filesystem::path>& words,
                             const std::filesystem::path& name = "set",
                             const data::preprocess& p = small_crop) {
        return files::message_of(
            [&] { const data::image_folder set(folder.path() / name, words, p); });
    };
    BOOST_TEST(message(std::nullopt).find("holds 2 class folders, not 1000") != std::string::npos);
    const auto one = folder.write("one.txt", files::to_bytes("n1 one\n"));
    BOOST_TEST(message(one).find("named after no class") != std::string::npos);
    const auto twice = folder.write("twice.txt", files::to_bytes("n1 one\nn2\nn1\n"));
    BOOST_TEST(message(twice).find("line 3") != std::string::npos);
    const auto gap = folder.write("gap.txt", files::to_bytes("n1 one\n\nn2\n"));
    BOOST_TEST(message(gap).find("line 2") != std::string::npos);
    BOOST_TEST(message(folder.path() / "none").find("none") != std::string::npos);
    BOOST_TEST(message(one, "absent").find("cannot be read") != std::string::npos);
    BOOST_TEST(message(one, "set/n1").find("holds no folders") != std::string::npos);
    data::preprocess whole = small_crop;
    whole.crop = 0;
    BOOST_TEST(message(one, "set", whole).find("has to crop") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(files_that_are_damaged_or_too_small_are_named) {
    const files::temporary_folder folder;
    fill(folder);
    folder.write("set/n1/broken.jpg", files::to_bytes("no image"));
    folder.write("set/n1/tiny.jpg", files::make_jpeg(files::ramp(7, 10, 3)));
    const data::image_folder set(folder.path() / "set", folder.path() / "words.txt", small_crop);
    BOOST_REQUIRE(set.size() == 5u);
    std::vector<float> chw(3 * 64);
    const auto message = [&](std::size_t i) {
        return files::message_of([&] { set.read(i, chw); });
    };
    BOOST_TEST(message(0).find("broken.jpg") != std::string::npos);
    BOOST_TEST(message(1).find("tiny.jpg") != std::string::npos);
    BOOST_TEST(message(1).find("smaller than the crop") != std::string::npos);
    BOOST_TEST(message(2) == "no data_error");
}

BOOST_AUTO_TEST_CASE(the_real_images_have_their_classes, *boost::unit_test::label("imagenet")) {
    const auto root = support::real_data("imagenet");
    const data::image_folder calibration(root / "calibration", root / "synset_words.txt");
    BOOST_TEST(calibration.size() == 256u);
    BOOST_TEST(calibration.classes() == 1000);
    BOOST_TEST(calibration.image_shape() == (quantal::extents{3, 224, 224}));
    data::preprocess as_stored = data::image_folder::default_preprocess();
    as_stored.resize = 0;
    const data::image_folder val(root / "val", root / "synset_words.txt", as_stored);
    BOOST_TEST(val.size() == 650u);
    BOOST_TEST(val.label(0) == 0); // n01440764, a tench
    BOOST_TEST(val.path_of(0).parent_path().filename().string() == "n01440764");
    for (std::size_t i = 1; i < val.size(); ++i)
        BOOST_TEST(val.label(i - 1) <= val.label(i)); // lines are in the order of the names
    BOOST_TEST(data::read_all(val, 640).size() == 10u * 3 * 224 * 224);
    BOOST_TEST(data::read_all(calibration, 250).size() == 6u * 3 * 224 * 224);
}

BOOST_AUTO_TEST_SUITE_END()
