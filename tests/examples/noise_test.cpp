// SPDX-License-Identifier: Apache-2.0
#include <noise.hpp>

#include <quantal/data/loader.hpp>

#include <boost/test/unit_test.hpp>

#include <cmath>

using namespace quantal;
using homework::gaussian_noise;

namespace {

constexpr std::size_t noise_images = 64, noise_elements = 3 * 16 * 16;

tensor<float> drawn(std::size_t images, std::uint64_t seed) {
    return data::read_all(gaussian_noise({3, 16, 16}, images, seed));
}

} // namespace

BOOST_AUTO_TEST_SUITE(examples_noise)

BOOST_AUTO_TEST_CASE(it_is_standard_and_gaussian) {
    const tensor<float> noise = drawn(noise_images, 1);
    double sum = 0.0, squares = 0.0, fourths = 0.0;
    std::size_t within_one = 0;
    for (const float x : noise.values()) {
        sum += x;
        squares += double{x} * x;
        fourths += double{x} * x * x * x;
        within_one += std::abs(x) < 1.0f;
    }
    // Five standard errors of each mean: the variances of x, x^2 and x^4 are 1, 2 and 96.
    const double n = static_cast<double>(noise.shape().count()), error = 5.0 / std::sqrt(n);
    BOOST_TEST(n == double{noise_images * noise_elements});
    BOOST_TEST(std::abs(sum / n) < error);
    BOOST_TEST(std::abs(squares / n - 1.0) < error * std::sqrt(2.0));
    BOOST_TEST(std::abs(fourths / n - 3.0) < error * std::sqrt(96.0));
    BOOST_TEST(std::abs(static_cast<double>(within_one) / n - std::erf(std::sqrt(0.5))) < error);
}

BOOST_AUTO_TEST_CASE(a_smaller_set_is_the_beginning_of_a_larger_one) {
    const tensor<float> large = drawn(10, 3), small = drawn(4, 3);
    for (std::int64_t i = 0; i < 4; ++i)
        BOOST_TEST(large.slice(i) == small.slice(i), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(images_and_seeds_differ) {
    const tensor<float> one = drawn(2, 1), other = drawn(2, 2), high = drawn(2, 1 + (1ull << 32));
    BOOST_TEST(one.slice(0)[0] != one.slice(1)[0]);
    BOOST_TEST(one.slice(0)[0] != other.slice(0)[0]);
    BOOST_TEST(one.slice(0)[0] != high.slice(0)[0]);
}

BOOST_AUTO_TEST_SUITE_END()
