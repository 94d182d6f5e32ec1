// SPDX-License-Identifier: Apache-2.0
/// Parameters and packed codes: what they are and what is refused.
#include <quantal/tensor/qtensor.hpp>

#include "support/random.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

using namespace quantal;

namespace {

using codes = std::vector<std::int32_t>;

constexpr qspec narrow_4{4, scheme::symmetric, per_tensor, 0};

template <class Error = error>
std::string message_of(const auto& action) {
    try {
        action();
    } catch (const Error& problem) {
        return problem.what();
    }
    return "no such error";
}

std::string refusal(const qparams& p, const extents& dims = {2, 3}) {
    return message_of<data_error>([&] { check(p, dims, "\"fc\""); });
}

} // namespace

BOOST_AUTO_TEST_SUITE(tensor_qtensor)

BOOST_AUTO_TEST_CASE(slices_of_every_axis_are_those_of_the_indices) {
    const extents dims{2, 3, 4, 5};
    for (int axis = 0; axis < 4; ++axis) {
        const slicing s = slicing_of({8, scheme::symmetric, per_channel, axis}, dims);
        BOOST_TEST(s.slices == static_cast<std::size_t>(dims[axis]));
        std::size_t element = 0;
        std::array<std::size_t, 4> i{};
        for (i[0] = 0; i[0] < 2; ++i[0])
            for (i[1] = 0; i[1] < 3; ++i[1])
                for (i[2] = 0; i[2] < 4; ++i[2])
                    for (i[3] = 0; i[3] < 5; ++i[3])
                        BOOST_TEST(s(element++) == i[static_cast<std::size_t>(axis)]);
    }
}

BOOST_AUTO_TEST_CASE(a_tensor_with_one_scale_is_one_slice) {
    for (const extents& dims : {extents{}, extents{0}, extents{7}, extents{2, 3}}) {
        const slicing s = slicing_of(a8, dims);
        BOOST_TEST(s.slices == 1u);
        for (std::size_t i = 0; i < dims.count(); ++i)
            BOOST_TEST(s(i) == 0u);
    }
}

BOOST_AUTO_TEST_CASE(groups_are_consecutive_indices_of_axis_1_in_each_of_axis_0) {
    for (const extents& dims :
         {extents{2, 7}, extents{3, 8, 5}, extents{2, 6, 3, 3}, extents{1, 1}})
        for (const int size : {1, 2, 3, 4, 7, 100}) {
            const slicing s = slicing_of({.grain = per_group, .group_size = size}, dims);
            const auto rows = static_cast<std::size_t>(dims[0]);
            const auto groups = static_cast<std::size_t>((dims[1] + size - 1) / size);
            BOOST_TEST(s.slices == rows * groups);
            BOOST_TEST(s.groups == groups);
            const std::size_t inner = dims.without_front().without_front().count();
            std::size_t element = 0;
            for (std::size_t row = 0; row < rows; ++row)
                for (std::size_t j = 0; j < static_cast<std::size_t>(dims[1]); ++j)
                    for (std::size_t k = 0; k < inner; ++k, ++element)
                        BOOST_TEST(s(element) == row * groups + j / static_cast<std::size_t>(size));
        }
}

BOOST_AUTO_TEST_CASE(groups_of_a_vector_are_consecutive_elements) {
    const slicing s = slicing_of({.grain = per_group, .group_size = 4}, {10});
    BOOST_TEST(s.slices == 3u);
    for (std::size_t i = 0; i < 10; ++i)
        BOOST_TEST(s(i) == i / 4);
    for (const extents& none : {extents{0}, extents{0, 5}, extents{5, 0}})
        BOOST_TEST(slicing_of({.grain = per_group, .group_size = 4}, none).slices == 0u);
}

BOOST_AUTO_TEST_CASE(an_axis_that_the_tensor_does_not_have_is_refused) {
    const auto message = [](int axis, const extents& dims) {
        return message_of<shape_error>([&] {
            (void)slicing_of({4, scheme::symmetric, per_channel, axis}, dims);
        });
    };
    BOOST_TEST(message(2, {2, 3}) ==
               "the spec \"4 symmetric narrow channel(2)\" has scales along axis 2, but the tensor "
               "has shape 2x3");
    BOOST_TEST(message(0, {}).ends_with("the tensor has shape scalar"));
    BOOST_TEST(message(1, {2, 3}) == "no such error");
    BOOST_TEST(message_of<shape_error>([] {
                   (void)slicing_of({.grain = per_group, .group_size = 4}, {});
               }) == "the spec \"8 symmetric narrow group(4)\" has scales along axis 0, but the "
                     "tensor has shape scalar");
}

BOOST_AUTO_TEST_CASE(parameters_know_their_values) {
    const qparams p{{8, scheme::affine, per_channel, 0}, {0.5f, 2.0f}, {10, 200}};
    BOOST_TEST(p.scale() == 0.5f);
    BOOST_TEST(p.scale(1) == 2.0f);
    BOOST_TEST(p.zero_point(1) == 200);
    BOOST_TEST(p.quantize(3.0f) == 16);
    BOOST_TEST(p.quantize(3.0f, 1) == 202); // 1.5 to even
    BOOST_TEST(p.quantize(1e9f, 1) == 255);
    BOOST_TEST(p.dequantize(16) == 3.0f);
    BOOST_TEST(p.dequantize(0, 1) == -400.0f);
}

BOOST_AUTO_TEST_CASE(parameters_need_one_scale_and_zero_point_a_slice) {
    const std::string expected = "2 of each belong to the spec \"4 symmetric narrow channel(0)\" "
                                 "and the shape 2x3";
    BOOST_TEST(refusal({w4, {1.0f}, {0}}) == "\"fc\" has 1 scales and 1 zero points; " + expected);
    BOOST_TEST(refusal({w4, {1.0f, 1.0f}, {0}}) ==
               "\"fc\" has 2 scales and 1 zero points; " + expected);
    BOOST_TEST(refusal({w4, {1.0f}, {0, 0}}) ==
               "\"fc\" has 1 scales and 2 zero points; " + expected);
    BOOST_TEST(refusal({w4, {}, {}}) == "\"fc\" has 0 scales and 0 zero points; " + expected);
    BOOST_TEST(refusal({a8, {1.0f, 1.0f}, {0, 0}})
                   .ends_with("1 of each belong to the spec \"8 affine unsigned tensor\" and the "
                              "shape 2x3"));
    BOOST_TEST(refusal({w4, {1.0f, 2.0f}, {0, 0}}) == "no such error");
}

BOOST_AUTO_TEST_CASE(scales_are_finite_and_not_too_small) {
    const auto with = [](float scale) { return refusal({w4, {1.0f, scale}, {0, 0}}); };
    const std::string rest = "; a scale is finite and at least 2^-63";
    BOOST_TEST(with(0.0f) == "\"fc\" has the scale 0" + rest);
    BOOST_TEST(with(-1.0f) == "\"fc\" has the scale -1" + rest);
    BOOST_TEST(with(std::numeric_limits<float>::infinity()) == "\"fc\" has the scale inf" + rest);
    BOOST_TEST(with(std::numeric_limits<float>::quiet_NaN()) == "\"fc\" has the scale nan" + rest);
    BOOST_TEST(with(std::nextafter(0x1p-63f, 0.0f)).ends_with(rest));
    BOOST_TEST(with(0x1p-63f) == "no such error");
    BOOST_TEST(with(std::numeric_limits<float>::max()) == "no such error");
}

BOOST_AUTO_TEST_CASE(scales_of_a_spec_of_powers_of_two_are_powers_of_two) {
    constexpr qspec powers{.bits = 4, .grain = per_channel, .power_of_two = true};
    const auto with = [&](float scale) { return refusal({powers, {1.0f, scale}, {0, 0}}); };
    for (const float power : {0x1p-63f, 0.25f, 1.0f, 0x1p127f})
        BOOST_TEST(with(power) == "no such error");
    BOOST_TEST(with(0.75f) == "\"fc\" has the scale 0.75; the spec \"4 symmetric narrow "
                              "channel(0) pow2\" allows powers of two");
    BOOST_TEST(with(std::numeric_limits<float>::max()) != "no such error");
}

BOOST_AUTO_TEST_CASE(zero_points_are_codes_and_zero_for_symmetric_specs) {
    const auto with = [](scheme kind, std::int32_t zero) {
        return refusal({{4, kind, per_tensor, 0}, {1.0f}, {zero}});
    };
    for (const auto& [kind, lo, hi, name] :
         {std::tuple{scheme::symmetric, 0, 0, "symmetric narrow"},
          std::tuple{scheme::symmetric_full, 0, 0, "symmetric full"},
          std::tuple{scheme::affine, 0, 15, "affine unsigned"},
          std::tuple{scheme::affine_signed, -8, 7, "affine signed"}}) {
        for (std::int32_t zero = lo; zero <= hi; ++zero)
            BOOST_TEST(with(kind, zero) == "no such error");
        for (const std::int32_t zero : {lo - 1, hi + 1})
            BOOST_TEST(with(kind, zero) == "\"fc\" has the zero point " + std::to_string(zero) +
                                               "; the spec \"4 " + name + " tensor\" allows " +
                                               std::to_string(lo) + " to " + std::to_string(hi));
    }
}

BOOST_AUTO_TEST_CASE(codes_come_back_and_are_packed_densely) {
    codes c(15);
    std::iota(c.begin(), c.end(), -7);
    const any_qtensor q({narrow_4, {0.5f}, {0}}, {3, 5}, c);
    BOOST_TEST(q.size() == 15u);
    BOOST_TEST((q.shape() == extents{3, 5}));
    BOOST_TEST((q.spec() == narrow_4));
    BOOST_TEST(q.packed().size() == 8u); // rows are not padded
    BOOST_TEST(q.packed()[0] == 0xa9);   // -7, -6
    BOOST_TEST(q.packed()[7] == 0x07);
    for (std::size_t i = 0; i < c.size(); ++i)
        BOOST_TEST(q.code(i) == c[i]);
    BOOST_TEST((q.codes() == tensor<std::int32_t>({3, 5}, c)));
}

BOOST_AUTO_TEST_CASE(quantized_tensors_are_equal_if_parameters_shape_and_codes_are) {
    const codes c{1, 2, 3, 4, 5, 6};
    const qparams p{narrow_4, {0.5f}, {0}};
    const any_qtensor q(p, {2, 3}, c);
    BOOST_TEST((q == any_qtensor(p, {2, 3}, c)));
    BOOST_TEST((q != any_qtensor(p, {3, 2}, c)));
    BOOST_TEST((q != any_qtensor({narrow_4, {0.25f}, {0}}, {2, 3}, c)));
    BOOST_TEST((q != any_qtensor(p, {2, 3}, codes{1, 2, 3, 4, 5, 7})));
    BOOST_TEST(any_qtensor().size() == 0u);
}

BOOST_AUTO_TEST_CASE(codes_outside_of_the_spec_are_refused) {
    const auto with = [](qspec s, std::int32_t code) {
        return message_of<data_error>([&] {
            any_qtensor({s, {1.0f}, {0}}, {3}, codes{0, code, 0});
        });
    };
    BOOST_TEST(with(narrow_4, -8) == "the code -8 at element 1 is outside [-7, 7], the codes of "
                                     "\"4 symmetric narrow tensor\"");
    for (const scheme kind :
         {scheme::symmetric, scheme::symmetric_full, scheme::affine, scheme::affine_signed})
        for (const int bits : {2, 3, 4, 5, 6, 7, 8, 16}) {
            const qspec s{.bits = bits, .kind = kind};
            BOOST_TEST(with(s, s.qmin()) == "no such error");
            BOOST_TEST(with(s, s.qmax()) == "no such error");
            BOOST_TEST(with(s, s.qmin() - 1).starts_with("the code "));
            BOOST_TEST(with(s, s.qmax() + 1).starts_with("the code "));
        }
}

BOOST_AUTO_TEST_CASE(codes_of_another_number_or_parameters_are_refused) {
    const qparams p{narrow_4, {1.0f}, {0}};
    BOOST_TEST(message_of<shape_error>([&] {
                   any_qtensor(p, {2, 3}, codes(5));
               }) == "a quantized tensor of shape 2x3 needs 6 codes, 5 were given");
    BOOST_TEST(message_of<shape_error>([&] {
                   any_qtensor(p, {2, 3}, codes(7));
               }) == "a quantized tensor of shape 2x3 needs 6 codes, 7 were given");
    BOOST_TEST(message_of<data_error>([&] {
                   any_qtensor({w4, {1.0f}, {0}}, {2}, codes(2));
               }).starts_with("a quantized tensor has 1 scales"));
    for (const int bits : {-1, 0, 9, 15, 17, 32, 1 << 30})
        BOOST_CHECK_THROW(any_qtensor({{.bits = bits}, {1.0f}, {0}}, {2}, codes(2)), spec_error);
}

BOOST_AUTO_TEST_CASE(bytes_are_codes_from_the_lowest_on) {
    const auto with = [](std::vector<std::uint8_t> bytes) {
        return any_qtensor::from_bytes({narrow_4, {1.0f}, {0}}, {3}, bytes);
    };
    BOOST_TEST((with({8, 1, 15}) == any_qtensor({narrow_4, {1.0f}, {0}}, {3}, codes{0, -7, 7})));
    BOOST_TEST(message_of<data_error>([&] {
                   (void)with({8, 0, 15});
               }) == "the code -8 at element 1 is outside [-7, 7], the codes of "
                     "\"4 symmetric narrow tensor\"");
    BOOST_TEST(message_of<data_error>([&] { (void)with({8, 8, 255}); }).starts_with("the code "));
    BOOST_TEST(message_of<shape_error>([&] {
                   (void)with({8, 8});
               }) == "a quantized tensor of shape 3 needs 3 codes, 2 were given");
}

BOOST_AUTO_TEST_CASE(packed_codes_come_back_as_they_were) {
    auto generator = support::generator();
    for (const scheme kind :
         {scheme::symmetric, scheme::symmetric_full, scheme::affine, scheme::affine_signed})
        for (int bits = 2; bits <= 8; ++bits)
            for (std::int64_t count : {0, 1, 3, 7, 8, 9, 64}) {
                const qspec s{.bits = bits, .kind = kind};
                std::uniform_int_distribution<std::int32_t> any(s.qmin(), s.qmax());
                codes c(static_cast<std::size_t>(count));
                std::generate(c.begin(), c.end(), [&] { return any(generator); });
                const any_qtensor q({s, {1.0f}, {0}}, {count}, c);
                const auto from = q.packed();
                BOOST_TEST((any_qtensor::from_packed(q.params(), q.shape(),
                                                     {from.begin(), from.end()}) == q));
            }
}

BOOST_AUTO_TEST_CASE(packed_codes_from_elsewhere_are_checked) {
    const qparams p{narrow_4, {1.0f}, {0}};
    const auto with = [&](const extents& shape, std::vector<std::uint8_t> packed) {
        return [=] { (void)any_qtensor::from_packed(p, shape, packed); };
    };
    BOOST_TEST(message_of<shape_error>(with({3}, {0x21, 0x03, 0x00})) ==
               "3 codes of \"4 symmetric narrow tensor\" do not fill 3 bytes");
    BOOST_TEST(message_of<shape_error>(with({3}, {0x21})).ends_with("do not fill 1 bytes"));
    // Four bits each, 2^64 bits: the size in bytes must not be computed in 64 bits of bits.
    BOOST_CHECK_THROW(with({std::int64_t{1} << 62}, {0x21})(), shape_error);
    BOOST_TEST(message_of<data_error>(with({3}, {0x21, 0x08})) ==
               "the code -8 at element 2 is outside [-7, 7], the codes of "
               "\"4 symmetric narrow tensor\"");
    BOOST_TEST(message_of<data_error>(with({3}, {0x21, 0x13})) ==
               "a bit behind the last packed code is set");
    BOOST_TEST(message_of<data_error>(with({3}, {0x21, 0x03})) == "no such error");
    BOOST_CHECK_THROW((void)any_qtensor::from_packed({{.bits = 40}, {1.0f}, {0}}, {2}, {0}),
                      spec_error);
}

BOOST_AUTO_TEST_CASE(a_spec_in_the_type_is_checked) {
    const any_qtensor q({narrow_4, {1.0f}, {0}}, {2}, codes{-7, 7});
    const qtensor<narrow_4> typed(q);
    BOOST_TEST((typed == q));
    static_assert(qtensor<narrow_4>::static_spec == narrow_4);
    BOOST_TEST(
        message_of<spec_error>([&] { (void)qtensor<a8>(q); }) ==
        "codes of \"4 symmetric narrow tensor\" were given for \"8 affine unsigned tensor\"");
    BOOST_CHECK_THROW((void)qtensor<w4>(q), spec_error); // only the grain differs
}

BOOST_AUTO_TEST_SUITE_END()
