// SPDX-License-Identifier: Apache-2.0
/// The tensors: views that are not dense, other libraries' containers, slices, refusals.
#include "ops/specs.hpp"

#include "support/random.hpp"

#include <quantal/observe/moving_average.hpp>
#include <quantal/ops/quantizer.hpp>
#include <quantal/tensor/xtensor.hpp>

#include <boost/test/unit_test.hpp>

#include <xtensor/xmath.hpp>
#include <xtensor/xrandom.hpp>
#include <xtensor/xstrided_view.hpp>
#include <xtensor/xview.hpp>

#include <array>
#include <string>

using namespace quantal;

namespace {

constexpr qspec per_tensor_spec{.bits = 4, .kind = scheme::affine};
constexpr qspec axis_0{.bits = 3, .kind = scheme::symmetric, .grain = per_channel, .axis = 0};
constexpr qspec axis_1{.bits = 5, .kind = scheme::affine_signed, .grain = per_channel, .axis = 1};

tensor<float> dense_copy(view<const float> v) {
    tensor<float> copy(v.shape());
    v.for_each([&](float x, std::size_t i) { copy[i] = x; });
    return copy;
}

/// A view gives the parameters and codes of its dense copy.
void check_view(view<const float> v) {
    const tensor<float> dense = dense_copy(v);
    BOOST_TEST((quantize<per_tensor_spec>(v) == quantize<per_tensor_spec>(dense)));
    BOOST_TEST((quantize<axis_0>(v) == quantize<axis_0>(dense)));
    BOOST_TEST((quantize<axis_1>(v) == quantize<axis_1>(dense)));
    const qparams p = quantize<axis_1>(dense).params();
    BOOST_TEST(support::same_bits(fake_quantize(v, p).values(), fake_quantize(dense, p).values()));
}

/// An expression of xtensor gives the parameters and codes of its row-major evaluation.
template <class E>
void check_expression(const E& e) {
    const xt::xarray<float> evaluated = e;
    const auto shape =
        extents(std::vector<std::int64_t>(evaluated.shape().begin(), evaluated.shape().end()));
    const tensor<float> dense(shape, std::vector<float>(evaluated.begin(), evaluated.end()));
    BOOST_TEST((quantize<per_tensor_spec>(e) == quantize<per_tensor_spec>(dense)));
    BOOST_TEST((quantize<axis_0>(e) == quantize<axis_0>(dense)));
    BOOST_TEST((quantize<axis_1>(e) == quantize<axis_1>(dense)));
    const qparams p = calibrate(axis_1, e, observe::minmax{});
    BOOST_TEST((p == quantize<axis_1>(dense).params()));
    BOOST_TEST((quantize(e, p) == quantize(dense, p)));
    BOOST_TEST(
        (quantize(e, p, rounding::half_away{}) == quantize(dense, p, rounding::half_away{})));
    BOOST_TEST(support::same_bits(fake_quantize(e, p).values(), fake_quantize(dense, p).values()));
    quantizer<axis_1> q;
    q.observe(e);
    BOOST_TEST((q.quantize(e) == quantize<axis_1>(dense)));
    BOOST_TEST((q.fake_quantize(e) == fake_quantize(dense, p)));
}

std::string message_of(const auto& action) {
    try {
        action();
    } catch (const error& problem) {
        return problem.what();
    }
    return "no error";
}

} // namespace

BOOST_AUTO_TEST_SUITE(ops_quantize_views)

BOOST_AUTO_TEST_CASE(views_with_gaps_turned_and_broadcast_equal_their_dense_copy) {
    auto g = support::generator();
    const tensor<float> memory = support::normal(g, {500});
    const float* data = memory.data();
    check_view({data, {4, 5, 6}});
    check_view({data, {4, 5, 6}, {40, 7, 1}});          // gaps
    check_view({data, {6, 5, 4}, {1, 6, 30}});          // transposed
    check_view({data, {4, 5, 6}, {60, 12, 2}});         // every other element
    check_view({data + 119, {4, 5, 6}, {-30, -6, -1}}); // backwards
    check_view({data, {4, 5, 6}, {0, 6, 1}});           // the first block four times
    check_view({data, {1, 5, 1}, {99, 3, 77}});         // strides of extents 1 are idle
}

BOOST_AUTO_TEST_CASE(xtensor_containers_and_expressions_equal_their_dense_copy) {
    BOOST_TEST_MESSAGE("seed " << support::seed);
    xt::random::seed(support::seed);
    const xt::xarray<float> row_major = xt::random::randn<float>({4, 5, 6});
    const xt::xarray<float, xt::layout_type::column_major> column_major = row_major;
    check_expression(row_major);
    check_expression(column_major);
    BOOST_TEST((quantize<axis_1>(row_major) == quantize<axis_1>(column_major)));
    check_expression(xt::transpose(row_major));
    check_expression(xt::view(row_major, xt::range(1, 3), xt::all(), xt::range(0, 6, 2)));
    check_expression(xt::view(column_major, xt::all(), 2, xt::all()));
    check_expression(xt::view(row_major, xt::all(), xt::newaxis(), 3));
    check_expression(row_major * 2.0f - xt::transpose(row_major, {0, 1, 2}));
    check_expression(row_major + column_major);
    check_expression(xt::xarray<double>(row_major)); // each element is rounded to float
    check_expression(xt::broadcast(xt::view(row_major, 0), {3, 5, 6}));
}

BOOST_AUTO_TEST_CASE(results_are_containers_of_xtensor) {
    auto g = support::generator();
    const xt::xarray<float> data = as_xtensor(support::normal(g, {4, 5, 6}));
    const auto codes = quantize<axis_1>(data);
    const xt::xtensor<std::int32_t, 3> unpacked = as_xtensor(codes.codes());
    const xt::xarray<float> reals = as_xtensor(dequantize(codes));
    const xt::xarray<float> scales =
        xt::adapt(codes.params().scales, std::vector<std::size_t>{5, 1});
    const xt::xarray<std::int32_t> zeros =
        xt::adapt(codes.params().zero_points, std::vector<std::size_t>{5, 1});
    // The formula in xtensor's own terms; a difference of codes is exact in float.
    const xt::xarray<float> formula = xt::cast<float>(unpacked - zeros) * scales;
    BOOST_TEST((formula == reals));
    BOOST_TEST((as_tensor(reals) == dequantize(codes)));

    // The rows of docs/xtensor.md.
    const qparams p = calibrate(a8, data, observe::minmax{});
    const auto zero = static_cast<float>(p.zero_point());
    const xt::xarray<float> rounded = xt::clip(xt::rint(data / p.scale()) + zero, 0.0f, 255.0f);
    BOOST_TEST((rounded == xt::cast<float>(as_xtensor(quantize(data, p).codes()))));
    const float largest = std::max(-xt::amin(data)(), xt::amax(data)());
    BOOST_TEST(calibrate(qspec{.bits = 4}, data, observe::minmax{}).scale() == largest / 7.0f);
}

BOOST_AUTO_TEST_CASE(ranges_without_a_shape_have_one_dimension) {
    const std::vector<float> vector{-1.0f, 0.25f, 2.0f};
    const tensor<float> expected({3}, vector);
    BOOST_TEST((quantize<a4>(vector) == quantize<a4>(expected)));
    BOOST_TEST((quantize<a4>(std::array{-1.0f, 0.25f, 2.0f}) == quantize<a4>(expected)));
    BOOST_TEST((quantize<a4>(std::span(vector)) == quantize<a4>(expected)));
    BOOST_TEST(quantize<a4>(vector).shape() == extents{3});
}

BOOST_AUTO_TEST_CASE(one_channel_is_one_tensor) {
    auto g = support::generator();
    for (qspec s : support::every_width_and_scheme()) {
        const tensor<float> flat = support::normal(g, {37});
        const std::vector<float> values(flat.values().begin(), flat.values().end());
        const any_qtensor whole = quantize(flat, calibrate(s, flat, observe::minmax{}));
        s.grain = per_channel;
        for (s.axis = 0; s.axis < 2; ++s.axis) {
            const tensor<float> data(s.axis == 0 ? extents{1, 37} : extents{37, 1}, values);
            const any_qtensor channel = quantize(data, calibrate(s, data, observe::minmax{}));
            BOOST_TEST(channel.params().scales == whole.params().scales);
            BOOST_TEST(channel.params().zero_points == whole.params().zero_points);
            BOOST_TEST(std::ranges::equal(channel.packed(), whole.packed()));
        }
    }
}

BOOST_AUTO_TEST_CASE(each_channel_is_quantized_as_if_it_were_alone) {
    auto g = support::generator();
    const tensor<float> data = support::normal(g, {6, 4, 5});
    const any_qtensor all = quantize<w4>(data);
    for (std::size_t c = 0; c < 6; ++c) {
        const auto slice = data.slice(static_cast<std::int64_t>(c));
        const any_qtensor alone = quantize<qspec{.bits = 4}>(slice);
        BOOST_TEST(alone.params().scale() == all.params().scale(c));
        for (std::size_t i = 0; i < 20; ++i)
            BOOST_TEST(alone.code(i) == all.code(c * 20 + i));
    }
}

BOOST_AUTO_TEST_CASE(the_observer_given_makes_the_scale) {
    const std::vector<float> data{-7.0f, 3.5f};
    BOOST_TEST(quantize<qspec{.bits = 4}>(data).params().scale() == 1.0f);
    struct half : observe::minmax {
        [[nodiscard]] quantal::range range() const {
            const auto seen = observe::minmax::range();
            return {seen.lo / 2, seen.hi / 2};
        }
    };
    const auto clipped = quantize<qspec{.bits = 4}>(data, half{});
    BOOST_TEST(clipped.params().scale() == 0.5f);
    BOOST_TEST(clipped.code(0) == -7);
    BOOST_TEST(clipped.code(1) == 7);
}

BOOST_AUTO_TEST_CASE(a_scalar_and_an_empty_tensor) {
    const tensor<float> scalar(extents{}, {2.0f});
    const auto q = quantize<a8>(scalar);
    BOOST_TEST(q.shape().rank() == 0);
    BOOST_TEST(q.code(0) == 255);
    const any_qtensor none = quantize(tensor<float>({0, 3}), qparams{a8, {1.0f}, {0}});
    BOOST_TEST(none.size() == 0u);
    BOOST_TEST(dequantize(none).shape() == (extents{0, 3}));
    BOOST_CHECK_THROW((void)quantize<a8>(tensor<float>({0, 3})), data_error);
}

BOOST_AUTO_TEST_CASE(parameters_of_another_shape_are_refused) {
    const tensor<float> x({3, 2});
    const qparams p{w4, {1.0f, 1.0f}, {0, 0}};
    const std::string expected =
        "the tensor to quantize has 2 scales and 2 zero points; 3 of each belong to the spec \"4 "
        "symmetric narrow channel(0)\" and the shape 3x2";
    BOOST_TEST(message_of([&] { (void)quantize(x, p); }) == expected);
    BOOST_TEST(message_of([&] { (void)fake_quantize(x, p); }) == expected);
    const qspec axis_5{4, scheme::symmetric, per_channel, 5};
    BOOST_CHECK_THROW((void)quantize(x, qparams{axis_5, {1.0f}, {0}}), shape_error);
    BOOST_CHECK_THROW((void)fake_quantize(x, qparams{a8, {0.0f}, {0}}), data_error);
    BOOST_CHECK_THROW((void)fake_quantize(x, qparams{{.bits = 9}, {1.0f}, {0}}), spec_error);
}

BOOST_AUTO_TEST_SUITE_END()
