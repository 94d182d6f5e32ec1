// SPDX-License-Identifier: Apache-2.0
#include <quantal/onnx/fold.hpp>

#include <boost/test/unit_test.hpp>

#include <functional>
#include <numeric>

using quantal::data_error;
using quantal::extents;
using quantal::shape_error;
using quantal::onnx::allowance;
using quantal::onnx::constant;
namespace fold = quantal::onnx::fold;

namespace {

constexpr std::size_t plenty = 1000;

/// 0, 1, 2 and so on.
constant counted_constant(const extents& shape) {
    constant::reals values(shape.count());
    std::iota(values.begin(), values.end(), 0.0f);
    return {quantal::onnx::element::f32, shape, std::move(values)};
}
void check(const constant& c, const extents& shape, const constant::reals& values) {
    BOOST_TEST((c.shape() == shape));
    BOOST_TEST(c.as_reals() == values, boost::test_tools::per_element());
}

} // namespace

BOOST_AUTO_TEST_SUITE(onnx_fold)

BOOST_AUTO_TEST_CASE(elements_find_their_places) {
    allowance left(plenty);
    const constant c = counted_constant({2, 3});
    check(fold::transpose(c, {1, 0}, left), {3, 2}, {0, 3, 1, 4, 2, 5});
    check(fold::transpose(counted_constant({1, 2, 3}), {2, 0, 1}, left), {3, 1, 2},
          {0, 3, 1, 4, 2, 5});
    check(fold::slice(c, 1, 0, 2, 2, left), {2, 2}, {0, 2, 3, 5});
    check(fold::slice(c, 1, 2, 3, -1, left), {2, 3}, {2, 1, 0, 5, 4, 3});
    check(fold::slice(c, 0, 0, 0, 1, left), {0, 3}, {});
    check(fold::expand(counted_constant({2, 1}), {2, 2}, left), {2, 2}, {0, 0, 1, 1});
    check(fold::expand(counted_constant({2}), {2, 2}, left), {2, 2}, {0, 1, 0, 1});
    check(fold::concat({c, counted_constant({2, 1})}, -1, left), {2, 4}, {0, 1, 2, 0, 3, 4, 5, 1});
    check(fold::concat({c, c}, 0, left), {4, 3}, {0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5});
    check(fold::gather(c, constant({2, -3}), 1, left), {2, 2}, {2, 0, 5, 3});
    check(fold::gather(c, constant({1}).reshaped({}), 0, left), {3}, {3, 4, 5});
    check(fold::combine(counted_constant({2, 1}), counted_constant({3}), std::plus<>(), left),
          {2, 3}, {0, 1, 2, 1, 2, 3});
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_refused) {
    allowance left(plenty);
    const constant c = counted_constant({2, 3});
    BOOST_CHECK_THROW((void)fold::transpose(c, {0, 0}, left), data_error);
    BOOST_CHECK_THROW((void)fold::transpose(c, {0}, left), data_error);
    BOOST_CHECK_THROW((void)fold::transpose(c, {0, 2}, left), data_error);
    BOOST_CHECK_THROW((void)fold::expand(c, {3, 3}, left), shape_error);
    BOOST_CHECK_THROW((void)fold::expand(c, {3}, left), shape_error);
    BOOST_CHECK_THROW((void)fold::concat({c, counted_constant({3, 3})}, 1, left), shape_error);
    BOOST_CHECK_THROW((void)fold::concat({c, counted_constant({6})}, 0, left), shape_error);
    BOOST_CHECK_THROW((void)fold::gather(c, constant({3}), 1, left), data_error);
    BOOST_CHECK_THROW((void)fold::gather(c, constant({-4}), 1, left), data_error);
    BOOST_CHECK_THROW((void)fold::combine(c, constant({1, 2, 3}), std::plus<>(), left), data_error);
    BOOST_CHECK_THROW((void)fold::axis_of(2, 2), data_error);
}

BOOST_AUTO_TEST_CASE(no_more_than_is_allowed_is_made) {
    allowance left(10);
    (void)fold::expand(counted_constant({1}), {6}, left);
    BOOST_CHECK_THROW((void)fold::expand(counted_constant({1}), {6}, left), data_error);
    allowance plenty_left(plenty);
    // No element, whatever the number of rows.
    const constant none = counted_constant({std::int64_t{1} << 40, 0});
    BOOST_TEST(fold::concat({none, none}, 1, plenty_left).size() == 0u);
    BOOST_TEST(fold::gather(none, constant(constant::integers{}), 1, plenty_left).size() == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
