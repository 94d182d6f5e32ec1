// SPDX-License-Identifier: Apache-2.0
#include <quantal/data/cifar10.hpp>

#include "files.hpp"
#include "support/real_data.hpp"

#include <array>

namespace data = quantal::data;

namespace {

/// Records whose labels count up from `first`, byte i of an image is i modulo 251.
files::bytes records(int first, int count) {
    files::bytes file;
    for (int n = 0; n < count; ++n) {
        file.push_back(static_cast<std::byte>((first + n) % 10));
        for (int i = 0; i < 3072; ++i)
            file.push_back(static_cast<std::byte>(i % 251));
    }
    return file;
}

} // namespace

BOOST_AUTO_TEST_SUITE(cifar10)

BOOST_AUTO_TEST_CASE(splits_read_their_files_in_order) {
    const files::temporary_folder folder;
    for (int i = 1; i <= 5; ++i)
        folder.write("data_batch_" + std::to_string(i) + ".bin", records(i, 2));
    const auto test = folder.write("test_batch.bin", records(7, 3));

    const data::cifar10 train(folder.path(), data::cifar10_split::train);
    BOOST_TEST(train.size() == 10u);
    for (std::size_t i = 0; i < 10; ++i)
        BOOST_TEST(train.label(i) == static_cast<int>(i / 2 + 1 + i % 2));
    BOOST_TEST(data::cifar10(folder.path(), data::cifar10_split::calibration).size() == 2u);
    BOOST_TEST(data::cifar10(folder.path(), data::cifar10_split::test).label(2) == 9);
    BOOST_TEST(data::cifar10({test, test}).size() == 6u);

    std::filesystem::remove(folder.path() / "data_batch_4.bin");
    const auto message = files::message_of(
        [&] { const data::cifar10 set(folder.path(), data::cifar10_split::train); });
    BOOST_TEST(message.find("data_batch_4.bin") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(channels_are_normalized_each_by_its_own_numbers) {
    const files::temporary_folder folder;
    const data::cifar10 set({folder.write("one.bin", records(0, 2))});
    BOOST_TEST(set.classes() == 10);
    BOOST_TEST(set.image_shape() == (quantal::extents{3, 32, 32}));
    std::vector<float> chw(3072);
    set.read(1, chw);
    constexpr std::array mean{0.485f, 0.456f, 0.406f};
    constexpr std::array deviation{0.229f, 0.224f, 0.225f};
    for (std::size_t i = 0; i < 3072; ++i)
        BOOST_TEST(chw[i] ==
                   (static_cast<float>(i % 251) / 255.0f - mean[i / 1024]) / deviation[i / 1024]);
}

BOOST_AUTO_TEST_CASE(files_of_another_size_and_foreign_labels_are_refused) {
    const auto check = [](const files::bytes& file) {
        return files::message_of([&] { data::cifar10::check_records(file, "x.bin"); });
    };
    files::bytes file = records(0, 2);
    BOOST_TEST(check(file) == "no data_error");
    BOOST_TEST(check({}).find("x.bin has 0 bytes") != std::string::npos);
    for (const int size : {1, 3072, 3074, 6145})
        BOOST_TEST(check({file.begin(), file.begin() + size}).find("multiple of 3073") !=
                   std::string::npos);
    file[3073] = std::byte{10};
    BOOST_TEST(check(file).find("label 10 at byte 3073") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_real_test_set_has_a_thousand_images_a_class,
                     *boost::unit_test::label("cifar10")) {
    const auto folder = support::real_data("cifar10");
    const data::cifar10 set(folder, data::cifar10_split::test);
    BOOST_TEST(set.size() == 10000u);
    std::array<int, 10> histogram{};
    for (std::size_t i = 0; i < set.size(); ++i)
        ++histogram[static_cast<std::size_t>(set.label(i))];
    for (const int count : histogram)
        BOOST_TEST(count == 1000);
    BOOST_TEST(data::cifar10(folder, data::cifar10_split::calibration).size() == 10000u);
}

BOOST_AUTO_TEST_SUITE_END()
