// SPDX-License-Identifier: Apache-2.0
#include <quantal/data/fashion_mnist.hpp>

#include "files.hpp"

#include <array>

namespace data = quantal::data;

BOOST_AUTO_TEST_SUITE(fashion_mnist)

BOOST_AUTO_TEST_CASE(images_are_padded_and_normalized) {
    const files::temporary_folder folder;
    folder.write("t10k-images-idx3-ubyte.gz", files::gzip(files::make_idx({3, 28, 28})));
    folder.write("t10k-labels-idx1-ubyte", files::make_idx({3}, 10));
    const data::fashion_mnist set(folder.path(), false);
    BOOST_TEST(set.size() == 3u);
    BOOST_TEST(set.classes() == 10);
    BOOST_TEST(set.image_shape() == (quantal::extents{1, 32, 32}));
    BOOST_TEST(set.label(2) == 4); // 2 * 7 % 10
    std::vector<float> chw(1024);
    set.read(1, chw);
    for (std::size_t y = 0; y < 32; ++y)
        for (std::size_t x = 0; x < 32; ++x) {
            const bool inside = y >= 2 && y < 30 && x >= 2 && x < 30;
            const std::size_t i = inside ? (28 + y - 2) * 28 + x - 2 : 0;
            const float byte = static_cast<float>(i * 7 % 256);
            BOOST_TEST(chw[y * 32 + x] == (byte / 255.0f - 0.2860f) / 0.3530f);
        }
}

BOOST_AUTO_TEST_CASE(what_is_missing_is_named) {
    const files::temporary_folder folder;
    const auto message = [](const std::filesystem::path& path) {
        return files::message_of([&] { const data::fashion_mnist set(path, true); });
    };
    BOOST_TEST(message(folder.path() / "none").find("dataset-fashion-mnist") != std::string::npos);
    BOOST_TEST(message(folder.path()).find("train-images-idx3-ubyte.gz") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(files_that_do_not_fit_are_refused) {
    const files::temporary_folder folder;
    const auto message = [&](const files::bytes& images, const files::bytes& labels) {
        folder.write("train-images-idx3-ubyte", images);
        folder.write("train-labels-idx1-ubyte", labels);
        return files::message_of([&] { const data::fashion_mnist set(folder.path(), true); });
    };
    const auto images = files::make_idx({3, 28, 28});
    BOOST_TEST(message(images, files::make_idx({3}, 10)) == "no data_error");
    const std::string shapes = "Fashion-MNIST has Nx28x28 and N";
    BOOST_TEST(message(images, files::make_idx({4}, 10)).ends_with(shapes));
    BOOST_TEST(message(images, files::make_idx({3, 1}, 10)).ends_with(shapes));
    BOOST_TEST(message(files::make_idx({3, 28, 27}), files::make_idx({3}, 10)).ends_with(shapes));
    BOOST_TEST(message(images, files::make_idx({3})).find("label 14") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_real_set_has_its_sizes_and_labels) {
    if (!std::filesystem::exists(data::fashion_mnist::default_folder)) {
        BOOST_TEST_MESSAGE("skipped: the package dataset-fashion-mnist is not installed");
        return;
    }
    BOOST_TEST(data::fashion_mnist(data::fashion_mnist::default_folder, true).size() == 60000u);
    const data::fashion_mnist test;
    BOOST_TEST(test.size() == 10000u);
    std::array<int, 10> histogram{};
    for (std::size_t i = 0; i < test.size(); ++i)
        ++histogram[static_cast<std::size_t>(test.label(i))];
    for (const int count : histogram)
        BOOST_TEST(count == 1000);
    BOOST_TEST(test.label(0) == 9); // an ankle boot
}

BOOST_AUTO_TEST_SUITE_END()
