// SPDX-License-Identifier: Apache-2.0
#include <quantal/tensor/extents.hpp>

#include <boost/test/unit_test.hpp>

#include <sstream>
#include <string>
#include <vector>

using quantal::extents;
using quantal::shape_error;

namespace {

static_assert(extents{2, 3, 4}.count() == 24 && extents{2, 3, 4}.rank() == 3);
static_assert(extents{}.count() == 1 && extents{}.rank() == 0);
static_assert(extents{3, 4}.with_front(2) == extents{2, 3, 4});
static_assert(extents{2, 3, 4}.without_front() == extents{3, 4});

constexpr std::int64_t largest = std::numeric_limits<std::int64_t>::max();

std::string refusal(const std::vector<std::int64_t>& dims) {
    try {
        (void)extents(dims);
    } catch (const shape_error& problem) {
        return problem.what();
    }
    return "no shape_error";
}

std::string written(const extents& dims) {
    std::ostringstream stream;
    stream << dims;
    return stream.str();
}

} // namespace

BOOST_AUTO_TEST_SUITE(tensor_extents)

BOOST_AUTO_TEST_CASE(extents_come_back_as_they_were_given) {
    const std::vector<std::int64_t> dims{5, 1, 7, 2};
    const extents e(dims);
    BOOST_TEST(e.rank() == 4);
    BOOST_TEST(std::vector(e.begin(), e.end()) == dims, boost::test_tools::per_element());
    for (int axis = 0; axis < 4; ++axis)
        BOOST_TEST(e[axis] == dims[static_cast<std::size_t>(axis)]);
    BOOST_TEST(e.count() == 70u);
}

BOOST_AUTO_TEST_CASE(equality_means_the_same_rank_and_extents) {
    BOOST_TEST((extents{2, 3} == extents{2, 3}));
    BOOST_TEST((extents{2, 3} != extents{3, 2}));
    BOOST_TEST((extents{2, 3} != extents{2, 3, 1}));
    BOOST_TEST((extents{0} != extents{})); // extents that are not there are kept as 0
}

BOOST_AUTO_TEST_CASE(an_extent_of_zero_leaves_no_elements) {
    BOOST_TEST(extents{0}.count() == 0u);
    BOOST_TEST((extents{3, 0, 5}.count()) == 0u);
}

BOOST_AUTO_TEST_CASE(at_most_eight_dimensions) {
    const std::vector<std::int64_t> eight(8, 2);
    BOOST_TEST(extents(eight).count() == 256u);
    const std::vector<std::int64_t> nine(9, 1);
    BOOST_TEST(refusal(nine) == "a shape has more than 8 dimensions");
    BOOST_CHECK_THROW((void)extents(eight).with_front(1), shape_error);
}

BOOST_AUTO_TEST_CASE(negative_extents_are_refused) {
    BOOST_TEST(refusal({2, -1}) == "a shape has a negative extent, -1");
    BOOST_TEST(refusal({std::numeric_limits<std::int64_t>::min()}) ==
               "a shape has a negative extent, -9223372036854775808");
    BOOST_CHECK_THROW((void)extents{3}.with_front(-2), shape_error);
}

BOOST_AUTO_TEST_CASE(shapes_whose_number_of_elements_overflows_are_refused) {
    const std::int64_t half = std::int64_t{1} << 32;
    BOOST_TEST(refusal({half, half}) ==
               "a shape with an extent of 4294967296 has more than 2^63 elements");
    BOOST_TEST(refusal({largest, 2}).starts_with("a shape with an extent of 2 has more than"));
    // 2^64 elements would look like none, 2^64 + 2^33 like few.
    BOOST_TEST(refusal({half, half + 2}).starts_with("a shape with"));
    BOOST_TEST(extents{largest}.count() == static_cast<std::size_t>(largest));
    BOOST_TEST((extents{half, half / 2 - 1}.count()) ==
               static_cast<std::size_t>(half) * (static_cast<std::size_t>(half) / 2 - 1));
    // An extent of 0 hides no overflow of the others, in any order.
    BOOST_CHECK_THROW((void)(extents{0, largest, 2}), shape_error);
    BOOST_CHECK_THROW((void)(extents{largest, 2, 0}), shape_error);
    BOOST_CHECK_THROW((void)(extents{largest, 0, 2}), shape_error);
}

BOOST_AUTO_TEST_CASE(a_front_is_added_and_removed) {
    BOOST_TEST((extents{}.with_front(4) == extents{4}));
    BOOST_TEST((extents{4}.without_front() == extents{}));
    BOOST_CHECK_THROW((void)extents{}.without_front(), shape_error);
}

BOOST_AUTO_TEST_CASE(shapes_are_written_with_crosses) {
    BOOST_TEST(written({1, 3, 32, 32}) == "1x3x32x32");
    BOOST_TEST(written({7}) == "7");
    BOOST_TEST(written({0, 2}) == "0x2");
    BOOST_TEST(written({}) == "scalar");
}

BOOST_AUTO_TEST_SUITE_END()
