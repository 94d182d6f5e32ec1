// SPDX-License-Identifier: Apache-2.0
#include <quantal/data/loader.hpp>

#include "files.hpp"

#include <atomic>
#include <chrono>
#include <numeric>
#include <set>

namespace data = quantal::data;

static_assert(std::input_iterator<data::loader::iterator>);
static_assert(std::sentinel_for<std::default_sentinel_t, data::loader::iterator>);

namespace {

/// Image i is filled with i, its label is -i. Images of `broken` cannot be read; even ones take
/// longer, so that threads overtake each other.
class breakable_numbers : public data::dataset {
public:
    explicit breakable_numbers(std::size_t size, std::set<std::size_t> broken = {})
        : size_(size), broken_(std::move(broken)) {}

    [[nodiscard]] std::size_t size() const override { return size_; }
    [[nodiscard]] quantal::extents image_shape() const override { return {1, 2, 2}; }
    [[nodiscard]] int classes() const override { return 1; }
    [[nodiscard]] int label(std::size_t index) const override { return -static_cast<int>(index); }
    void read(std::size_t index, std::span<float> chw) const override {
        if (index % 2 == 0) std::this_thread::sleep_for(std::chrono::microseconds(50));
        if (broken_.contains(index))
            quantal::detail::fail<quantal::data_error>("image ", index, " is broken");
        for (float& value : chw)
            value = static_cast<float>(index);
        ++reads;
    }

    mutable std::atomic<std::size_t> reads = 0;

private:
    std::size_t size_;
    std::set<std::size_t> broken_;
};

/// Checks that `loader` gives the images `order` in batches of `batch_size`, from `first` on.
void check_order(const data::loader& loader, const std::vector<std::size_t>& order,
                 std::size_t batch_size, std::size_t first = 0) {
    std::size_t at = 0;
    for (const data::batch& b : loader) {
        const std::size_t count = std::min(batch_size, order.size() - at);
        BOOST_REQUIRE(b.labels.size() == count);
        BOOST_REQUIRE(b.images.shape() ==
                      (quantal::extents{static_cast<std::int64_t>(count), 1, 2, 2}));
        BOOST_REQUIRE(b.first == first + at);
        for (std::size_t i = 0; i < count; ++i, ++at) {
            BOOST_REQUIRE(b.labels[i] == -static_cast<int>(order[at]));
            for (const float value : b.images.slice(static_cast<std::int64_t>(i)))
                BOOST_REQUIRE(value == static_cast<float>(order[at]));
        }
    }
    BOOST_TEST(at == order.size());
}

std::vector<std::size_t> count_up(std::size_t first, std::size_t count) {
    std::vector<std::size_t> order(count);
    std::iota(order.begin(), order.end(), first);
    return order;
}

std::string message(const data::dataset& set, const data::load_options& options) {
    return files::message_of([&] { const data::loader loader(set, options); });
}

} // namespace

BOOST_AUTO_TEST_SUITE(loader)

BOOST_AUTO_TEST_CASE(batches_come_in_order_with_any_number_of_threads) {
    const breakable_numbers set(101);
    for (const std::size_t threads : {1u, 2u, 7u})
        for (const std::size_t batch_size : {1u, 2u, 10u, 101u, 1000u})
            check_order(data::loader(set, {.batch_size = batch_size, .threads = threads}),
                        count_up(0, 101), batch_size);
}

BOOST_AUTO_TEST_CASE(a_part_and_another_order_can_be_chosen) {
    const breakable_numbers set(20);
    check_order(data::loader(set, {.batch_size = 4, .first = 3, .count = 10}), count_up(3, 10), 4,
                3);
    check_order(data::loader(set, {.batch_size = 4, .first = 15}), count_up(15, 5), 4, 15);
    const std::vector<std::size_t> order{7, 7, 0, 19, 3};
    check_order(data::loader(set, {.batch_size = 2, .order = order}), order, 2);
    check_order(data::loader(set, {.batch_size = 2, .first = 1, .count = 3, .order = order}),
                {7, 0, 19}, 2, 1);
}

BOOST_AUTO_TEST_CASE(each_begin_is_a_new_pass) {
    const breakable_numbers set(9);
    const data::loader loader(set, {.batch_size = 4});
    check_order(loader, count_up(0, 9), 4);
    check_order(loader, count_up(0, 9), 4);
}

BOOST_AUTO_TEST_CASE(nothing_is_an_empty_range) {
    const breakable_numbers empty(0);
    check_order(data::loader(empty, {.batch_size = 4}), {}, 4);
    const breakable_numbers set(5);
    check_order(data::loader(set, {.first = 5}), {}, 1);
    check_order(data::loader(set, {.count = 0}), {}, 1);
}

BOOST_AUTO_TEST_CASE(more_than_there_is_cannot_be_asked_for) {
    const breakable_numbers set(256);
    BOOST_TEST(message(set, {.count = 300}) == "asked for 300 images, the set holds 256");
    BOOST_TEST(message(set, {.first = 200, .count = 57}) ==
               "asked for 57 images from image 200 on, the set holds 256");
    BOOST_TEST(message(set, {.first = 257}) ==
               "asked for 0 images from image 257 on, the set holds 256");
    BOOST_TEST(message(set, {.order = {255, 256}}) == "asked for image 256, the set holds 256");
    BOOST_TEST(message(set, {.count = 3, .order = {1, 2}}) ==
               "asked for 3 images, the set holds 2");
    BOOST_TEST(message(set, {.batch_size = 0}).find("batches of 0") != std::string::npos);
    BOOST_TEST(message(set, {.threads = 0}).find("0 threads") != std::string::npos);
    BOOST_TEST(message(set, {.threads = 257}).find("257 threads") != std::string::npos);
    BOOST_TEST(message(set, {.count = 256}) == "no data_error");
}

BOOST_AUTO_TEST_CASE(the_first_error_is_thrown_in_its_place) {
    const breakable_numbers set(40, {33, 17, 18});
    for (const std::size_t threads : {1u, 2u, 7u}) {
        std::size_t seen = 0;
        const auto text = files::message_of([&] {
            for (const data::batch& b : data::loader(set, {.batch_size = 5, .threads = threads}))
                seen += b.labels.size();
        });
        BOOST_TEST(seen == 15u);
        BOOST_TEST(text == "image 17 is broken");
    }
}

BOOST_AUTO_TEST_CASE(stopping_in_the_middle_is_clean_and_reading_ahead_is_bounded) {
    const breakable_numbers set(10000);
    for (int round = 0; round < 50; ++round) {
        set.reads = 0;
        for (const data::batch& b : data::loader(set, {.batch_size = 4, .threads = 3})) {
            BOOST_TEST(set.reads <= b.first + 4 * 3); // this batch and two open ones
            if (b.first >= 4 * static_cast<std::size_t>(round % 3)) break;
        }
        BOOST_TEST(set.reads <= 4u * 5);
    }
}

BOOST_AUTO_TEST_CASE(a_batch_may_be_moved_from) {
    const breakable_numbers set(6);
    std::vector<data::batch> batches;
    for (data::batch& b : data::loader(set, {.batch_size = 3}))
        batches.push_back(std::move(b));
    BOOST_REQUIRE(batches.size() == 2u);
    BOOST_TEST(batches[1].labels[2] == -5);
    BOOST_TEST(batches[1].images[4] == 4.0f);
}

BOOST_AUTO_TEST_CASE(read_all_gives_one_tensor) {
    const breakable_numbers set(30);
    const auto all = data::read_all(set);
    BOOST_TEST(all.shape() == (quantal::extents{30, 1, 2, 2}));
    const auto part = data::read_all(set, 7, 5);
    BOOST_TEST(part.shape() == (quantal::extents{5, 1, 2, 2}));
    for (std::size_t i = 0; i < part.size(); ++i)
        BOOST_TEST(part[i] == all[7 * 4 + i]);
    BOOST_TEST(data::read_all(set, 30).shape() == (quantal::extents{0, 1, 2, 2}));
    BOOST_CHECK_THROW(std::ignore = data::read_all(set, 20, 11), quantal::data_error);
}

BOOST_AUTO_TEST_SUITE_END()
