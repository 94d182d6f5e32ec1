// SPDX-License-Identifier: Apache-2.0
/// Views and owning tensors.
#include <quantal/tensor/view_traits.hpp>

#include <boost/test/unit_test.hpp>

#include <array>
#include <concepts>
#include <list>
#include <numeric>
#include <string>
#include <type_traits>
#include <vector>

using namespace quantal;

namespace {

static_assert(std::is_trivially_copyable_v<view<const float>>);
static_assert(std::convertible_to<view<float>, view<const float>>);
static_assert(!std::convertible_to<view<const float>, view<float>>);
static_assert(std::convertible_to<const tensor<float>&, view<const float>>);
static_assert(!std::convertible_to<const tensor<float>&, view<float>>);

static_assert(float_tensor<tensor<float>> && float_tensor<view<const float>>);
static_assert(float_tensor<view<float>> && float_tensor<std::vector<float>>);
static_assert(float_tensor<std::array<float, 3>> && float_tensor<std::span<const float>>);
static_assert(!float_tensor<int> && !float_tensor<float> && !float_tensor<std::vector<double>>);
static_assert(!float_tensor<std::list<float>> && !float_tensor<tensor<double>>);

std::vector<int> counted(std::size_t count) {
    std::vector<int> values(count);
    std::iota(values.begin(), values.end(), 0);
    return values;
}

/// The elements in the order of `for_each`, whose indices have to be 0, 1, 2, ...
template <class T>
std::vector<std::remove_const_t<T>> elements(view<T> v) {
    std::vector<std::remove_const_t<T>> result;
    v.for_each([&](T x, std::size_t i) {
        BOOST_TEST(i == result.size());
        result.push_back(x);
    });
    return result;
}

constexpr int weighted_sum() {
    const std::array memory{1, 2, 3, 4, 5, 6};
    int sum = 0;
    view<const int>(memory.data(), {3, 2}, {1, 3}).for_each([&](int x, std::size_t i) {
        sum += x * static_cast<int>(i);
    });
    return sum;
}
static_assert(weighted_sum() == 0 * 1 + 1 * 4 + 2 * 2 + 3 * 5 + 4 * 3 + 5 * 6);

} // namespace

BOOST_AUTO_TEST_SUITE(tensor_view)

BOOST_AUTO_TEST_CASE(a_view_without_strides_is_row_major) {
    const auto memory = counted(24);
    const view<const int> v(memory.data(), {2, 3, 4});
    BOOST_TEST(v.stride(0) == 12);
    BOOST_TEST(v.stride(1) == 4);
    BOOST_TEST(v.stride(2) == 1);
    BOOST_TEST(v.is_dense());
    BOOST_TEST(v.values().data() == memory.data());
    BOOST_TEST(v.values().size() == 24u);
    BOOST_TEST(elements(v) == memory, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(strides_say_where_each_element_lies) {
    const auto memory = counted(24);
    for (const view<const int>::strides& s :
         {view<const int>::strides{12, 4, 1}, {1, 2, 6}, {10, 3, 1}, {0, 1, 0}, {4, 12, 1}}) {
        const view<const int> v(memory.data(), {2, 2, 3}, s);
        std::vector<int> expected;
        for (std::int64_t i = 0; i < 2; ++i)
            for (std::int64_t j = 0; j < 2; ++j)
                for (std::int64_t k = 0; k < 3; ++k)
                    expected.push_back(static_cast<int>(i * s[0] + j * s[1] + k * s[2]));
        BOOST_TEST(elements(v) == expected, boost::test_tools::per_element());
    }
    const view<const int> backwards(memory.data() + 5, {2, 3}, {-3, -1});
    BOOST_TEST(elements(backwards) == (std::vector{5, 4, 3, 2, 1, 0}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(dense_means_row_major_without_gaps) {
    const auto memory = counted(64);
    const auto is_dense = [&](const extents& dims, const view<const int>::strides& s) {
        return view<const int>(memory.data(), dims, s).is_dense();
    };
    BOOST_TEST(is_dense({2, 3}, {3, 1}));
    BOOST_TEST(!is_dense({2, 3}, {1, 2}));
    BOOST_TEST(!is_dense({2, 3}, {4, 1}));
    BOOST_TEST(!is_dense({2, 3}, {6, 2}));
    BOOST_TEST(!is_dense({2, 3}, {0, 1}));
    BOOST_TEST(!is_dense({3}, {-1}));
    BOOST_TEST(is_dense({1, 3, 1}, {77, 1, 0})); // an extent of 1 makes no step
    BOOST_TEST(!is_dense({1, 3, 1}, {77, 2, 0}));
    BOOST_TEST(is_dense({}, {}));
}

BOOST_AUTO_TEST_CASE(views_of_nothing_and_of_one) {
    const int one = 7;
    BOOST_TEST(elements(view<const int>(&one, {})) == std::vector{7},
               boost::test_tools::per_element());
    BOOST_TEST(elements(view<const int>(&one, {0, 3})).empty());
    BOOST_TEST(elements(view<const int>(&one, {3, 0})).empty());
    BOOST_TEST(elements(view<const int>()).empty());
    BOOST_TEST(view<const int>().values().empty());
}

BOOST_AUTO_TEST_CASE(elements_are_written_through_a_view) {
    tensor<float> t({2, 2});
    const view<float> v(t.data(), {2, 2}, {1, 2});
    v.for_each([](float& x, std::size_t i) { x = static_cast<float>(i); });
    BOOST_TEST(t.values() == (std::vector{0.0f, 2.0f, 1.0f, 3.0f}),
               boost::test_tools::per_element());
    const view<const float> read_only = v;
    BOOST_TEST(read_only.stride(1) == 2);
    BOOST_TEST(read_only.data() == t.data());
}

BOOST_AUTO_TEST_CASE(a_tensor_owns_its_elements) {
    tensor<int> t({2, 3}, counted(6));
    const tensor<int> copy = t;
    t[4] = 40;
    BOOST_TEST(copy[4] == 4);
    BOOST_TEST((copy != t));
    BOOST_TEST((copy == tensor<int>({2, 3}, counted(6))));
    BOOST_TEST((copy != tensor<int>({3, 2}, counted(6))));
    BOOST_TEST(t.size() == 6u);
    const view<const int> v = t;
    BOOST_TEST(v.data() == t.data());
    BOOST_TEST((v.shape() == extents{2, 3}));
    BOOST_TEST(tensor<int>().size() == 0u);
    BOOST_TEST((tensor<int>().shape() == extents{0}));
    BOOST_TEST(tensor<int>(extents{}).size() == 1u);
    BOOST_TEST(tensor<int>({2}, {1, 2}).values() == (std::vector{1, 2}));
}

BOOST_AUTO_TEST_CASE(a_new_tensor_holds_zeros) {
    const tensor<float> t({3, 3});
    for (const float v : t.values())
        BOOST_TEST(v == 0.0f);
}

BOOST_AUTO_TEST_CASE(the_number_of_values_belongs_to_the_shape) {
    for (const std::size_t count : {0u, 5u, 7u}) {
        const auto is_expected = [&](const shape_error& problem) {
            return problem.what() ==
                   "a tensor of shape 2x3 needs 6 values, " + std::to_string(count) + " were given";
        };
        BOOST_CHECK_EXCEPTION(tensor<int>({2, 3}, counted(count)), shape_error, is_expected);
    }
}

BOOST_AUTO_TEST_CASE(slices_of_the_first_dimension) {
    tensor<int> t({3, 2, 2}, counted(12));
    BOOST_TEST(std::as_const(t).slice(1) == (std::vector{4, 5, 6, 7}),
               boost::test_tools::per_element());
    t.slice(2)[3] = 110;
    BOOST_TEST(t[11] == 110);
    const tensor<int> vector({3}, counted(3));
    BOOST_TEST(vector.slice(2) == std::vector{2}, boost::test_tools::per_element());
    const tensor<int> scalar(extents{});
    BOOST_CHECK_THROW((void)scalar.slice(0), shape_error);
}

BOOST_AUTO_TEST_SUITE_END()
