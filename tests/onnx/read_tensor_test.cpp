// SPDX-License-Identifier: Apache-2.0
#include <quantal/onnx/read_tensor.hpp>

#include "data/files.hpp"

#include <boost/test/unit_test.hpp>

#include <numeric>

using namespace quantal;
using quantal::onnx::constant;
using quantal::onnx::element;

namespace {

::onnx::TensorProto tensor_of(element type, std::int64_t count) {
    ::onnx::TensorProto t;
    t.set_data_type(static_cast<std::int32_t>(type));
    t.add_dims(count);
    return t;
}
constant read(const ::onnx::TensorProto& t) {
    quantal::onnx::allowance left(100);
    return quantal::onnx::read_tensor(t, left, std::nullopt);
}
constant raw(element type, std::int64_t count, std::string bytes) {
    auto t = tensor_of(type, count);
    t.set_raw_data(std::move(bytes));
    return read(t);
}
void check(const constant& c, const std::vector<float>& values) {
    BOOST_TEST(c.as_reals() == values, boost::test_tools::per_element());
}

} // namespace

BOOST_AUTO_TEST_SUITE(onnx_read_tensor)

BOOST_AUTO_TEST_CASE(raw_data_of_every_type) {
    using namespace std::string_literals;
    check(raw(element::f32, 1, "\0\0\xc0\x3f"s), {1.5f});
    check(raw(element::f64, 1, "\0\0\0\0\0\0\xf8\x3f"s), {1.5f});
    check(raw(element::f16, 2, "\0\x3e\0\xbe"s), {1.5f, -1.5f});
    check(raw(element::bf16, 1, "\xc0\x3f"s), {1.5f});
    check(raw(element::i8, 2, "\x7f\x80"s), {127, -128});
    check(raw(element::u8, 2, "\x7f\x80"s), {127, 128});
    check(raw(element::i16, 1, "\xfe\xff"s), {-2});
    check(raw(element::u16, 1, "\xfe\xff"s), {65534});
    // The first of two elements of 4 bits is the low half of the byte; the last half is unused.
    check(raw(element::i4, 3, "\x8f\x07"s), {-1, -8, 7});
    check(raw(element::u4, 3, "\x8f\x07"s), {15, 8, 7});
    check(raw(element::i2, 3, "\x36"s), {-2, 1, -1});
    check(raw(element::u2, 3, "\x36"s), {2, 1, 3});
    using integers = constant::integers;
    BOOST_TEST((raw(element::i32, 1, "\xfe\xff\xff\xff"s).as_integers() == integers{-2}));
    BOOST_TEST((raw(element::i64, 1, "\x01\0\0\0\0\0\0\x80"s).as_integers() ==
                integers{std::numeric_limits<std::int64_t>::min() + 1}));
    BOOST_TEST((raw(element::boolean, 2, "\x01\0"s).as_integers() == integers{1, 0}));
}

BOOST_AUTO_TEST_CASE(typed_fields) {
    auto reals = tensor_of(element::f32, 2);
    reals.add_float_data(1.5f);
    reals.add_float_data(-2.0f);
    check(read(reals), {1.5f, -2.0f});
    auto doubles = tensor_of(element::f64, 1);
    doubles.add_double_data(0.25);
    check(read(doubles), {0.25f});
    auto halves = tensor_of(element::f16, 1);
    halves.add_int32_data(0x3e00);
    check(read(halves), {1.5f});
    auto codes = tensor_of(element::i8, 2);
    codes.add_int32_data(-128);
    codes.add_int32_data(7);
    check(read(codes), {-128, 7});
    auto packed = tensor_of(element::u4, 3);
    packed.add_int32_data(0x8f);
    packed.add_int32_data(0x07);
    check(read(packed), {15, 8, 7});
    auto wide = tensor_of(element::i32, 1);
    wide.add_int32_data(-70000);
    BOOST_TEST((read(wide).as_integers() == constant::integers{-70000}));
}

BOOST_AUTO_TEST_CASE(sizes_are_checked) {
    const auto message = [](const ::onnx::TensorProto& t) {
        return files::message_of([&] { (void)read(t); });
    };
    auto t = tensor_of(element::f32, 2);
    t.set_raw_data("1234");
    BOOST_TEST(message(t) == "the tensor of float32 and shape 2 has 4 bytes of data; it needs 8");
    t.set_dims(0, 101);
    BOOST_TEST(message(t).find("all constants of a model have at most 100 elements") !=
               std::string::npos);
    t.set_data_type(8);
    BOOST_TEST(message(t).find("the element type 8") != std::string::npos);
    t.set_data_type(1);
    t.set_dims(0, -1);
    BOOST_CHECK_THROW((void)read(t), shape_error);
}

BOOST_AUTO_TEST_SUITE_END()
