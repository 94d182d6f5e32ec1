// SPDX-License-Identifier: Apache-2.0
#include <quantal/ops/quantizer.hpp>

#include "ops/specs.hpp"

#include "support/random.hpp"

#include <quantal/observe/moving_average.hpp>
#include <quantal/tensor/xtensor.hpp>

#include <boost/test/unit_test.hpp>

using namespace quantal;

namespace {

std::string data_error_of(const auto& action) {
    try {
        action();
    } catch (const data_error& problem) {
        return problem.what();
    }
    return "no data_error";
}

} // namespace

BOOST_AUTO_TEST_SUITE(ops_quantizer)

BOOST_AUTO_TEST_CASE(one_observed_tensor_gives_what_quantize_gives) {
    auto g = support::generator();
    const tensor<float> data = support::normal(g, {6, 10});
    quantizer<w4> host;
    host.observe(data);
    const qtensor<w4> codes = host.quantize(data);
    BOOST_TEST((codes == quantize<w4>(data)));
    BOOST_TEST((host.params() == codes.params()));
    BOOST_TEST(support::same_bits(host.dequantize(codes).values(), dequantize(codes).values()));
    BOOST_TEST(support::same_bits(host.fake_quantize(data).values(), dequantize(codes).values()));
}

BOOST_AUTO_TEST_CASE(the_range_covers_everything_observed) {
    quantizer<a8> host;
    host.observe(std::vector{0.5f, 1.0f});
    host.observe(std::vector{-27.5f, 0.0f});
    host.observe(std::vector{100.0f});
    BOOST_TEST(host.params().scale() == 0.5f); // [-27.5, 100] in 255 steps
    BOOST_TEST(host.params().zero_point() == 55);
    BOOST_TEST(host.quantize(std::vector{-27.5f, 100.0f}).code(1) == 255);
}

BOOST_AUTO_TEST_CASE(each_call_of_observe_is_one_update_of_a_moving_average) {
    quantizer<qspec{.bits = 8, .kind = scheme::affine}, observe::moving_average> host(
        {.weight_of_new = 0.25f});
    host.observe(std::vector{0.0f, 255.0f});
    host.observe(std::vector{0.0f, 1275.0f});
    BOOST_TEST(host.params().scale() == 2.0f); // 255 * 0.75 + 1275 * 0.25 = 510
}

BOOST_AUTO_TEST_CASE(a_quantizer_rounds_as_it_is_told) {
    const tensor<float> data({3}, {2.5f, -0.5f, 127.0f});
    quantizer<qspec{}, observe::minmax, rounding::half_away> host;
    host.observe(data);
    BOOST_TEST(host.quantize(data).codes().values() == (std::vector<std::int32_t>{3, -1, 127}),
               boost::test_tools::per_element());
    quantizer<qspec{}, observe::minmax, rounding::stochastic> noisy({}, {.seed = 3});
    noisy.observe(data);
    BOOST_TEST((noisy.quantize(data) == quantize(data, noisy.params(), rounding::stochastic{3})));
    BOOST_TEST(support::same_bits(noisy.fake_quantize(data).values(),
                                  dequantize(noisy.quantize(data)).values()));
}

BOOST_AUTO_TEST_CASE(scales_are_made_once) {
    quantizer<a8> host;
    host.observe(std::vector{255.0f});
    BOOST_TEST(host.params().scale() == 1.0f);
    BOOST_TEST(data_error_of([&] { host.observe(std::vector{510.0f}); }) ==
               "a quantizer of \"8 affine unsigned tensor\" cannot observe any more: its scales "
               "are made");
    BOOST_TEST(host.params().scale() == 1.0f);
    quantizer<a8> other;
    other.observe(std::vector{255.0f});
    (void)other.quantize(std::vector{7.0f}); // asks for the scales, too
    BOOST_CHECK_THROW(other.observe(std::vector{510.0f}), data_error);
}

BOOST_AUTO_TEST_CASE(without_data_there_are_no_scales_and_data_may_follow) {
    quantizer<a8> host;
    const char* expected = "\"quantizer\" was never observed; calibration needs data";
    BOOST_TEST(data_error_of([&] { (void)host.params(); }) == expected);
    BOOST_TEST(data_error_of([&] { (void)host.quantize(std::vector{1.0f}); }) == expected);
    BOOST_TEST(data_error_of([&] { (void)host.fake_quantize(std::vector{1.0f}); }) == expected);
    host.observe(std::vector{255.0f});
    BOOST_TEST(host.params().scale() == 1.0f);
}

BOOST_AUTO_TEST_CASE(the_number_of_channels_may_not_change) {
    quantizer<w4> host;
    host.observe(tensor<float>({2, 1}, {7.0f, 14.0f}));
    BOOST_CHECK_THROW(host.observe(tensor<float>({3, 1})), shape_error);
    host.observe(tensor<float>({2, 2}, {0.0f, -21.0f, 0.0f, 0.0f}));
    BOOST_TEST(host.params().scale(0) == 3.0f);
    BOOST_TEST(host.params().scale(1) == 2.0f);
    BOOST_CHECK_THROW((void)host.quantize(tensor<float>({3, 1})), data_error);
}

BOOST_AUTO_TEST_CASE(expressions_and_views_are_observed_and_quantized) {
    const xt::xarray<float> x{{1.0f, -2.0f}, {3.5f, 0.0f}};
    quantizer<w4> host;
    host.observe(x + x);
    const auto codes = host.quantize(x + x);
    BOOST_TEST(host.params().scale(1) == 1.0f);
    BOOST_TEST(codes.code(2) == 7);
    BOOST_TEST(host.fake_quantize(2.0f * x)[2] == 7.0f);
}

BOOST_AUTO_TEST_SUITE_END()
