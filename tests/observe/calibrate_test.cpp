// SPDX-License-Identifier: Apache-2.0
#include <quantal/observe/calibrate.hpp>

#include "observe/observers.hpp"

#include <quantal/observe/minmax.hpp>
#include <quantal/observe/moving_average.hpp>

#include <boost/test/unit_test.hpp>

#include <array>
#include <cmath>
#include <limits>

using namespace quantal;
using support::message_of;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();
constexpr float largest = std::numeric_limits<float>::max();

constexpr qspec narrow{4, scheme::symmetric, per_tensor, 0};
constexpr qspec full{4, scheme::symmetric_full, per_tensor, 0};
constexpr qspec affine_signed{8, scheme::affine_signed, per_tensor, 0};

tensor<float> flat(std::vector<float> values) {
    const auto count = static_cast<std::int64_t>(values.size());
    return tensor<float>({count}, std::move(values));
}

qparams minmax_params(qspec s, const tensor<float>& data, notes* list = nullptr,
                      nonfinite policy = nonfinite::refuse) {
    return calibrate(s, data, observe::minmax{}, "conv1.weight", list, policy);
}

/// Half of the magnitude that was seen: an observer of a user's own.
struct half_of_magnitude {
    float magnitude = 0.0f;
    void observe(std::span<const float> values) {
        for (const float v : values)
            magnitude = std::max(magnitude, std::abs(v));
    }
    void merge(const half_of_magnitude& later) { magnitude = std::max(magnitude, later.magnitude); }
    [[nodiscard]] quantal::range range() const { return {-magnitude / 2, magnitude / 2}; }
};

/// One that asks which codes there are: as many units as steps.
struct one_a_step {
    void observe(std::span<const float>) {}
    void merge(const one_a_step&) {}
    [[nodiscard]] quantal::range range(qspec s) const {
        return {static_cast<float>(s.qmin()), static_cast<float>(s.qmax())};
    }
};

/// One that gives the range it was told.
struct told {
    quantal::range answer;
    void observe(std::span<const float>) {}
    void merge(const told&) {}
    [[nodiscard]] quantal::range range() const { return answer; }
};

} // namespace

BOOST_AUTO_TEST_SUITE(observe_calibrate)

BOOST_AUTO_TEST_CASE(scales_and_zero_points_by_hand) {
    const auto data = flat({-3.5f, 1.0f, 2.0f});
    BOOST_TEST((minmax_params(narrow, data) == qparams{narrow, {0.5f}, {0}})); // 3.5 / 7
    BOOST_TEST((minmax_params(full, data) == qparams{full, {0.5f}, {0}}));     // 3.5 / 7
    BOOST_TEST((minmax_params(narrow, flat({-1.0f, 14.0f})) == qparams{narrow, {2.0f}, {0}}));
    const auto wide = flat({-64.0f, 191.0f});
    BOOST_TEST((minmax_params(a8, wide) == qparams{a8, {1.0f}, {64}}));
    BOOST_TEST((minmax_params(affine_signed, wide) == qparams{affine_signed, {1.0f}, {-64}}));
    // Powers of two: 0.3125 becomes 0.5, and the zero point belongs to that.
    constexpr qspec powers{.bits = 4, .kind = scheme::affine, .power_of_two = true};
    BOOST_TEST((minmax_params(powers, flat({-1.0f, 3.6875f})) == qparams{powers, {0.5f}, {2}}));
    BOOST_TEST((minmax_params(powers, flat({0.0f, 7.5f})) == qparams{powers, {0.5f}, {0}}));
    // A range without 0 is widened to hold it.
    BOOST_TEST((minmax_params(a8, flat({100.0f, 255.0f})) == qparams{a8, {1.0f}, {0}}));
    BOOST_TEST((minmax_params(a8, flat({-510.0f, -3.0f})) == qparams{a8, {2.0f}, {255}}));
}

BOOST_AUTO_TEST_CASE(a_scale_is_never_below_its_least_and_never_infinite) {
    BOOST_TEST(minmax_params(narrow, flat({0x1p-149f})).scale() == 0x1p-63f);
    BOOST_TEST(minmax_params(a8, flat({0x1p-149f})).scale() == 0x1p-63f);
    BOOST_TEST(minmax_params(narrow, flat({-largest, largest})).scale() == largest / 7.0f);
    // The width overflows: each bound is divided first.
    BOOST_TEST(minmax_params(a8, flat({-largest, largest})).scale() ==
               largest / 255.0f + largest / 255.0f);
    BOOST_TEST(minmax_params(activation_spec(1), flat({-largest, largest})).scale() == largest);
}

BOOST_AUTO_TEST_CASE(each_slice_of_the_axis_has_its_own_range) {
    const tensor<float> data({2, 3}, {7.0f, -14.0f, 0.7f, 3.5f, 28.0f, 70.0f});
    const qparams rows = minmax_params(w4, data);
    BOOST_TEST(rows.scales == (std::vector{2.0f, 10.0f}), boost::test_tools::per_element());
    const qspec by_column{4, scheme::symmetric, per_channel, 1};
    BOOST_TEST(minmax_params(by_column, data).scales == (std::vector{1.0f, 4.0f, 10.0f}),
               boost::test_tools::per_element());
    BOOST_TEST(rows.zero_points == (std::vector<std::int32_t>{0, 0}));
    // In the middle of three dimensions: slice 0 is 1, 2, 5, 6; slice 1 is 3, 4, 7, 8.
    const tensor<float> cube({2, 2, 2}, {7.0f, 0.0f, 0.0f, 14.0f, 0.0f, -21.0f, -28.0f, 0.0f});
    BOOST_TEST(minmax_params(by_column, cube).scales == (std::vector{3.0f, 4.0f}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_channel_of_zeros_takes_the_largest_scale_of_the_others) {
    const tensor<float> data({4, 2}, {7.0f, 0.0f, 0.0f, -0.0f, 1.0f, 21.0f, 0.0f, 0.0f});
    notes list;
    const qparams p = minmax_params(w4, data, &list);
    BOOST_TEST(p.scales == (std::vector{1.0f, 3.0f, 3.0f, 3.0f}), boost::test_tools::per_element());
    BOOST_TEST(list == notes{"conv1.weight: 2 of 4 slices are all zero and take the scale 3"},
               boost::test_tools::per_element());
    // The least scale of a tiny channel does not count as one of zeros.
    const tensor<float> tiny({2, 1}, {0x1p-140f, 0.0f});
    BOOST_TEST(minmax_params(w4, tiny).scales == (std::vector{0x1p-63f, 0x1p-63f}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_tensor_of_zeros_takes_the_scale_one) {
    notes list;
    BOOST_TEST((minmax_params(narrow, flat({0.0f, -0.0f}), &list) == qparams{narrow, {1.0f}, {0}}));
    BOOST_TEST(list == notes{"conv1.weight: 1 of 1 slices are all zero and take the scale 1"},
               boost::test_tools::per_element());
    // The zero point is that of the range [0, 0].
    BOOST_TEST((minmax_params(a8, flat({0.0f})) == qparams{a8, {1.0f}, {0}}));
    BOOST_TEST(
        (minmax_params(affine_signed, flat({0.0f})) == qparams{affine_signed, {1.0f}, {-128}}));
    BOOST_TEST((minmax_params(w4, tensor<float>({2, 2})).scales == std::vector{1.0f, 1.0f}));
}

BOOST_AUTO_TEST_CASE(ordinary_data_is_not_worth_a_note) {
    notes list;
    (void)minmax_params(w4, tensor<float>({2, 1}, {1.0f, 2.0f}), &list);
    BOOST_TEST(list.empty());
}

BOOST_AUTO_TEST_CASE(empty_data_is_an_error_that_names_the_tensor) {
    const char* expected = "\"conv1.weight\" is empty (shape 0x3); calibration needs data";
    BOOST_TEST(message_of([] { (void)minmax_params(w4, tensor<float>({0, 3})); }) == expected);
    BOOST_TEST(message_of([] { (void)minmax_params(narrow, tensor<float>({0, 3})); }) == expected);
    const tensor_observer<observe::minmax> fresh(a8, {}, "relu1");
    BOOST_TEST(message_of([&] { (void)fresh.params(); }) ==
               "\"relu1\" was never observed; calibration needs data");
}

BOOST_AUTO_TEST_CASE(values_that_are_not_finite_are_an_error_that_names_the_place) {
    const std::string rest = "; calibration takes finite values, unless told to skip others";
    for (const float bad : {infinity, -infinity, not_a_number}) {
        std::ostringstream written;
        written << bad;
        BOOST_TEST(message_of([&] {
                       (void)minmax_params(a8, flat({1.0f, 2.0f, bad, bad}));
                   }) == "\"conv1.weight\" holds the value " + written.str() +
                             " at element 2 of slice 0" + rest);
        const tensor<float> rows({2, 2}, {1.0f, 2.0f, 3.0f, bad});
        BOOST_TEST(message_of([&] { (void)minmax_params(w4, rows); }) ==
                   "\"conv1.weight\" holds the value " + written.str() +
                       " at element 1 of slice 1" + rest);
    }
    // The largest float is finite.
    BOOST_TEST(std::isfinite(minmax_params(a8, flat({largest})).scale()));
}

BOOST_AUTO_TEST_CASE(skipped_values_are_counted_and_do_not_matter) {
    notes list;
    const auto data = flat({infinity, 255.0f, not_a_number, 0.0f, -infinity});
    const qparams p = minmax_params(a8, data, &list, nonfinite::skip);
    BOOST_TEST((p == minmax_params(a8, flat({255.0f, 0.0f}))));
    BOOST_TEST(list == notes{"conv1.weight: 3 values are not finite and were skipped"},
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(an_update_of_nothing_but_skipped_values_is_no_update) {
    tensor_observer<observe::moving_average> o(a8, {.weight_of_new = 0.5f}, "relu1",
                                               nonfinite::skip);
    o.observe(flat({not_a_number}));
    o.observe(flat({255.0f}));
    o.observe(flat({infinity, infinity}));
    notes list;
    BOOST_TEST(o.params(&list).scale() == 1.0f);
    BOOST_TEST(list == notes{"relu1: 3 values are not finite and were skipped"},
               boost::test_tools::per_element());
    // A channel that never had a finite value counts as one of zeros.
    const tensor<float> rows({2, 1}, {not_a_number, 14.0f});
    BOOST_TEST(minmax_params(w4, rows, nullptr, nonfinite::skip).scales ==
                   (std::vector{2.0f, 2.0f}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(each_call_is_one_update_of_every_slice) {
    tensor_observer<observe::moving_average> o(w4, {.weight_of_new = 0.5f}, "fc");
    o.observe(tensor<float>({2, 2}, {7.0f, 0.0f, 0.0f, 14.0f}));
    o.observe(tensor<float>({2, 1}, {21.0f, 70.0f})); // the other dimensions may change
    BOOST_TEST(o.params().scales == (std::vector{2.0f, 6.0f}), boost::test_tools::per_element());
    BOOST_TEST(o.observers().size() == 2u);
    BOOST_TEST(o.observers()[0].updates.size() == 2u);
    BOOST_TEST(message_of([&] {
                   o.observe(tensor<float>({3, 1}));
               }) == "\"fc\" had 2 slices and now has the shape 3x1");
}

BOOST_AUTO_TEST_CASE(observers_of_a_users_own) {
    const auto data = flat({-3.0f, 14.0f});
    BOOST_TEST(calibrate(narrow, data, half_of_magnitude{}).scale() == 1.0f);
    BOOST_TEST((calibrate(a8, data, one_a_step{}) == qparams{a8, {1.0f}, {0}}));
    BOOST_TEST(
        (calibrate(affine_signed, data, one_a_step{}) == qparams{affine_signed, {1.0f}, {0}}));
    const tensor<float> rows({2, 1}, {28.0f, -14.0f});
    BOOST_TEST(calibrate(w4, rows, half_of_magnitude{}).scales == (std::vector{2.0f, 1.0f}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_range_that_is_none_is_refused) {
    for (const quantal::range bad :
         {quantal::range{1.0f, -1.0f}, quantal::range{0.0f, infinity},
          quantal::range{-infinity, 0.0f}, quantal::range{not_a_number, 1.0f},
          quantal::range{0.0f, not_a_number}}) {
        const auto message =
            message_of([&] { (void)calibrate(a8, flat({1.0f}), told{bad}, "relu1"); });
        BOOST_TEST(message.starts_with("the observer of \"relu1\" gives the range ["));
        BOOST_TEST(message.ends_with("]; a range is finite and not empty"));
    }
}

BOOST_AUTO_TEST_CASE(specs_and_axes_that_cannot_be_are_refused_first) {
    BOOST_CHECK_THROW((void)minmax_params({.bits = 9}, flat({1.0f})), spec_error);
    const qspec axis_2{4, scheme::symmetric, per_channel, 2};
    BOOST_TEST(message_of([&] {
                   (void)minmax_params(axis_2, tensor<float>({2, 3}));
               }) == "the spec \"4 symmetric narrow channel(2)\" has scales along axis 2, but "
                     "the tensor has shape 2x3");
}

BOOST_AUTO_TEST_SUITE_END()
