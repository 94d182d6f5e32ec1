// SPDX-License-Identifier: Apache-2.0
#include <quantal/data/subset.hpp>

#include "data/files.hpp"

#include <algorithm>

namespace data = quantal::data;

namespace {

/// Image i is the number i, its label 10 i.
struct twenty_numbers : data::dataset {
    [[nodiscard]] std::size_t size() const override { return 20; }
    [[nodiscard]] quantal::extents image_shape() const override { return {1, 1, 1}; }
    [[nodiscard]] int classes() const override { return 200; }
    [[nodiscard]] int label(std::size_t i) const override { return static_cast<int>(i) * 10; }
    void read(std::size_t i, std::span<float> chw) const override {
        chw[0] = static_cast<float>(i);
    }
};

std::vector<float> images_of(const data::dataset& set) {
    std::vector<float> result;
    for (std::size_t i = 0; i < set.size(); ++i) {
        float image = 0;
        set.read(i, {&image, 1});
        BOOST_TEST(set.label(i) == static_cast<int>(image) * 10);
        result.push_back(image);
    }
    return result;
}

} // namespace

BOOST_AUTO_TEST_SUITE(subset)

BOOST_AUTO_TEST_CASE(it_holds_the_chosen_images_in_their_order) {
    const data::subset set(std::make_shared<twenty_numbers>(), {3, 0, 19, 3});
    BOOST_TEST(images_of(set) == (std::vector<float>{3, 0, 19, 3}));
    BOOST_TEST(set.image_shape() == (quantal::extents{1, 1, 1}));
    BOOST_TEST(set.classes() == 200);
    BOOST_TEST(files::message_of([] { data::subset(std::make_shared<twenty_numbers>(), {20}); }) ==
               "a subset has image 20, the set holds 20");
}

BOOST_AUTO_TEST_CASE(a_split_has_each_image_once) {
    const auto [chosen, rest] = data::split_at_random(std::make_unique<twenty_numbers>(), 8, 1);
    std::vector<float> all = images_of(*chosen);
    const std::vector<float> others = images_of(*rest);
    BOOST_TEST(all.size() == 8u);
    BOOST_TEST(std::ranges::is_sorted(others));
    BOOST_TEST(!std::ranges::is_sorted(all));
    all.insert(all.end(), others.begin(), others.end());
    std::ranges::sort(all);
    BOOST_TEST(all.size() == 20u);
    for (std::size_t i = 0; i < all.size(); ++i)
        BOOST_TEST(all[i] == static_cast<float>(i));
}

BOOST_AUTO_TEST_CASE(the_seed_decides) {
    const auto chosen = [](std::size_t count, std::uint64_t seed) {
        return images_of(
            *data::split_at_random(std::make_unique<twenty_numbers>(), count, seed).chosen);
    };
    BOOST_TEST(chosen(8, 1) == chosen(8, 1));
    BOOST_TEST(chosen(8, 1) != chosen(8, 2));
    BOOST_TEST(chosen(0, 1).empty());
    BOOST_TEST(chosen(20, 1).size() == 20u);
    BOOST_TEST(files::message_of([&] { chosen(21, 1); }) ==
               "asked for 21 images at random, the set holds 20");
}

BOOST_AUTO_TEST_SUITE_END()
