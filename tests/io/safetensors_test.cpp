// SPDX-License-Identifier: Apache-2.0
#include <quantal/io/safetensors.hpp>

#include "data/files.hpp"
#include "io/pickle_writer.hpp"
#include "support/random.hpp"

#include <limits>

namespace io = quantal::io;
using io::float_type;
using quantal::extents;
using quantal::tensor;

namespace {

files::bytes safetensors_of(const std::string& header, const std::string& data = "") {
    return files::to_bytes(writer::little_endian(std::uint64_t{header.size()}) + header + data);
}
/// One tensor "w", whose entry lacks nothing.
files::bytes one_tensor(const std::string& dtype, const std::string& shape,
                        const std::string& data) {
    return safetensors_of("{\"w\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shape +
                              ",\"data_offsets\":[0," + std::to_string(data.size()) + "]}}",
                          data);
}
io::checkpoint load_safetensors(std::span<const std::byte> file) {
    return io::parse_safetensors(file, "a.safetensors");
}
std::string message_of_safetensors(const files::bytes& file) {
    return files::message_of([&] { load_safetensors(file); });
}
void check_refusal(const files::bytes& file, const std::string& part) {
    const std::string found = message_of_safetensors(file);
    BOOST_TEST(found.starts_with("a.safetensors: "), found);
    BOOST_TEST(found.find(part) != std::string::npos, found);
}

io::checkpoint sample_checkpoint() {
    auto generator = support::generator();
    io::checkpoint c;
    c.tensors.emplace("conv.weight", support::normal(generator, {3, 2, 5}));
    c.tensors.emplace("conv.bias", support::normal(generator, {3}));
    c.tensors.emplace("empty", tensor<float>(extents{4, 0}));
    c.tensors.emplace("scalar", tensor<float>(extents{}, {-0.0f}));
    c.tensors.emplace("edges \"\\ \u00e9",
                      tensor<float>(extents{4}, {0x1p-149f, 0x1p-24f, 65504, -1}));
    c.metadata = {{"format", "pt"}, {"note", "two\nlines, \"quoted\""}};
    return c;
}

std::vector<std::uint32_t> bits_of(const tensor<float>& t) {
    std::vector<std::uint32_t> bits;
    for (const float v : t.values())
        bits.push_back(std::bit_cast<std::uint32_t>(v));
    return bits;
}

} // namespace

BOOST_AUTO_TEST_SUITE(io_safetensors)

BOOST_AUTO_TEST_CASE(a_file_of_float32_comes_back_bit_for_bit) {
    io::checkpoint c = sample_checkpoint();
    constexpr float infinity = std::numeric_limits<float>::infinity();
    c.tensors.emplace("special", tensor<float>(extents{2}, {infinity, -infinity}));
    const files::bytes file = io::to_safetensors(c, float_type::f32);
    const io::checkpoint found = load_safetensors(file);
    BOOST_TEST((found.metadata == c.metadata));
    BOOST_REQUIRE(found.tensors.size() == c.tensors.size());
    for (const auto& [name, values] : c.tensors) {
        BOOST_TEST(found.tensors.at(name).shape() == values.shape());
        BOOST_TEST((bits_of(found.tensors.at(name)) == bits_of(values)), name);
    }
    BOOST_TEST((io::to_safetensors(found, float_type::f32) == file));
}

BOOST_AUTO_TEST_CASE(a_file_of_float16_comes_back_rounded_once) {
    const io::checkpoint c = sample_checkpoint();
    const files::bytes file = io::to_safetensors(c, float_type::f16);
    const io::checkpoint found = load_safetensors(file);
    BOOST_TEST((found.metadata == c.metadata));
    BOOST_REQUIRE(found.tensors.size() == c.tensors.size());
    for (const auto& [name, values] : c.tensors) {
        const tensor<float>& rounded = found.tensors.at(name);
        BOOST_REQUIRE(rounded.shape() == values.shape());
        for (std::size_t i = 0; i < values.size(); ++i)
            BOOST_TEST(rounded[i] == io::from_float16(io::to_float16(values[i])));
    }
    BOOST_TEST((io::to_safetensors(found, float_type::f16) == file));
}

BOOST_AUTO_TEST_CASE(the_bytes_are_those_of_the_format) {
    io::checkpoint c;
    c.tensors.emplace("b", tensor<float>(extents{2}, {1, -2}));
    c.tensors.emplace("a", tensor<float>(extents{1, 1}, {0.5f}));
    const std::string header = R"({"a":{"dtype":"F16","shape":[1,1],"data_offsets":[0,2]},)"
                               R"("b":{"dtype":"F16","shape":[2],"data_offsets":[2,6]}})";
    const std::string padding((8 - header.size() % 8) % 8, ' ');
    const files::bytes expected = safetensors_of(
        header + padding, writer::storage_of<std::uint16_t>({0x3800, 0x3c00, 0xc000}));
    BOOST_TEST((io::to_safetensors(c, float_type::f16) == expected));
    BOOST_TEST((io::to_safetensors({}, float_type::f32) == safetensors_of("{}      ")));
    BOOST_TEST(load_safetensors(safetensors_of("{}")).tensors.empty());
}

BOOST_AUTO_TEST_CASE(every_type_is_read) {
    const auto check = [](const std::string& type, const std::string& data,
                          std::vector<float> expected) {
        const auto count = std::ssize(expected);
        const auto found =
            load_safetensors(one_tensor(type, "[" + std::to_string(count) + "]", data));
        BOOST_TEST((found.tensors.at("w") == tensor<float>(extents{count}, std::move(expected))),
                   type);
    };
    using writer::storage_of;
    check("F64", storage_of<double>({0.1, -1e300}),
          {0.1f, -std::numeric_limits<float>::infinity()});
    check("F32", storage_of<float>({0.1f, -3.0f}), {0.1f, -3.0f});
    check("F16", storage_of<std::uint16_t>({0x3c00, 0xc000}), {1, -2});
    check("BF16", storage_of<std::uint16_t>({0x3f80, 0xc000}), {1, -2});
    check("I64", storage_of<std::int64_t>({-1, (1ll << 24) + 1}), {-1, 0x1p24f});
    check("I32", storage_of<std::int32_t>({-1, 70000}), {-1, 70000});
    check("I16", storage_of<std::int16_t>({-1, 300}), {-1, 300});
    check("I8", storage_of<std::int8_t>({-128, 127}), {-128, 127});
    check("U8", storage_of<std::uint8_t>({0, 255}), {0, 255});
    check("BOOL", storage_of<std::uint8_t>({0, 1}), {0, 1});
}

BOOST_AUTO_TEST_CASE(tensors_may_stand_in_any_order_in_the_header) {
    const auto found =
        load_safetensors(safetensors_of(R"({"z":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                                        R"("a":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})",
                                        "\1\2\3"));
    BOOST_TEST((found.tensors.at("z") == tensor<float>(extents{1}, {1})));
    BOOST_TEST((found.tensors.at("a") == tensor<float>(extents{2}, {2, 3})));
}

BOOST_AUTO_TEST_CASE(truncated_files_are_refused) {
    files::check_truncation(io::to_safetensors(sample_checkpoint(), float_type::f32),
                            load_safetensors);
    files::check_truncation(io::to_safetensors(sample_checkpoint(), float_type::f16),
                            load_safetensors);
    check_refusal({}, "0 bytes are no safetensors file");
    check_refusal(files::bytes(8, std::byte{0xff}),
                  "the header claims 18446744073709551615 bytes, the file has 0 left");
}

BOOST_AUTO_TEST_CASE(damaged_files_give_errors_only) {
    for (const float_type type : {float_type::f32, float_type::f16}) {
        const files::bytes file = io::to_safetensors(sample_checkpoint(), type);
        const std::size_t header = file.size() - (37 * (type == float_type::f32 ? 4u : 2u));
        const std::size_t refused = files::check_damage(file, load_safetensors);
        // Names, texts and data may be anything; lengths, types, shapes and marks may not.
        BOOST_TEST(refused >= header / 2);
        BOOST_TEST(refused <= header);
    }
}

BOOST_AUTO_TEST_CASE(headers_that_are_none_are_refused) {
    check_refusal(safetensors_of("no JSON"), "the header is not one of safetensors: ");
    check_refusal(safetensors_of(""), "the header is not one of safetensors: ");
    check_refusal(safetensors_of("{} {}"), "the header is not one of safetensors: ");
    check_refusal(safetensors_of("{\"\xff\":1}"), "the header is not one of safetensors: ");
    check_refusal(safetensors_of("[]"), "the header is no JSON object");
    check_refusal(safetensors_of(R"({"w":5})"), "the header is not one of safetensors: ");
    check_refusal(safetensors_of(R"({"w":{}})"), "the header is not one of safetensors: ");
    check_refusal(safetensors_of(R"({"__metadata__":{"a":1}})"),
                  "the header is not one of safetensors: ");
    check_refusal(safetensors_of(std::string(100000, '[')),
                  "the header is nested more than 4 deep");
    check_refusal(
        safetensors_of("{\"w\":" + std::string(100000, '[') + std::string(100000, ']') + "}"),
        "the header is nested more than 4 deep");
}

BOOST_AUTO_TEST_CASE(a_name_that_stands_twice_is_refused) {
    const std::string one = R"("w":{"dtype":"U8","shape":[1],"data_offsets":[0,1]})";
    BOOST_TEST(message_of_safetensors(safetensors_of("{" + one + "}", "x")) == "no data_error");
    check_refusal(safetensors_of("{" + one + "," + one + "}", "x"), "the header names \"w\" twice");
}

BOOST_AUTO_TEST_CASE(gaps_overlaps_and_wrong_sizes_are_refused_by_name) {
    const auto two = [](const std::string& first, const std::string& second) {
        return safetensors_of(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":)" + first +
                                  R"(},"b":{"dtype":"U8","shape":[2],"data_offsets":)" + second +
                                  "}}",
                              "1234");
    };
    BOOST_TEST(message_of_safetensors(two("[0,2]", "[2,4]")) == "no data_error");
    check_refusal(two("[0,2]", "[3,4]"), "\"b\" of shape 2 claims the bytes 3 to 4 of 4; ");
    check_refusal(two("[0,2]", "[1,3]"), "\"b\" of shape 2 claims the bytes 1 to 3 of 4; ");
    check_refusal(two("[0,2]", "[2,5]"), "\"b\" of shape 2 claims the bytes 2 to 5 of 4; ");
    check_refusal(two("[0,2]", "[2,3]"), "\"b\" of shape 2 claims the bytes 2 to 3 of 4; ");
    check_refusal(two("[0,2]", "[2,1]"), "\"b\" of shape 2 claims the bytes 2 to 1 of 4; ");
    check_refusal(two("[1,3]", "[3,5]"), "\"a\" of shape 2 claims the bytes 1 to 3 of 4; ");
    check_refusal(one_tensor("F32", "[1]", "12345"), "\"w\" of shape 1 claims the bytes 0 to 5 ");
    check_refusal(one_tensor("F32", "[2]", "1234"), "\"w\" of shape 2 claims the bytes 0 to 4 ");
    check_refusal(safetensors_of(R"({"w":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})", "12"),
                  "\"w\" of shape 4 claims the bytes 0 to 4 of 2; ");
    check_refusal(safetensors_of("{}", "1234"), "the tensors end at byte 0 of 4");
    for (const char* offsets : {"[0]", "[0,1,2]", "[-1,1]", "[0,1.0]", "[false,true]", "7"})
        check_refusal(two(offsets, "[2,4]"), "tensor \"a\" has no shape of whole numbers, or not ");
}

BOOST_AUTO_TEST_CASE(types_and_shapes_that_are_none_are_refused_by_name) {
    check_refusal(one_tensor("F8_E4M3", "[1]", "x"),
                  "tensor \"w\" has the type \"F8_E4M3\"; F64, F32, F16, BF16, I64, I32, I16, I8, "
                  "U8 and BOOL are read");
    for (const char* shape : {"[-1]", "[1.0]", "[true]", "7", "null", "[[1]]"})
        check_refusal(one_tensor("U8", shape, "x"), "tensor \"w\" has no shape of whole numbers");
    for (const char* shape : {"[1,1,1,1,1,1,1,1,1]", "[18446744073709551615]",
                              "[4294967296,4294967296]", "[9223372036854775807,2]"})
        check_refusal(one_tensor("U8", shape, "x"), "a.safetensors: tensor \"w\": a shape ");
    BOOST_TEST(message_of_safetensors(one_tensor("U8", "[1,1,1,1,1,1,1,1]", "x")) ==
               "no data_error");
}

BOOST_AUTO_TEST_CASE(tensors_of_any_type_come_back_and_are_aligned) {
    const std::vector<double> wide{1.5, -2.0};
    const std::vector<std::uint8_t> narrow{1, 2, 3};
    const std::vector<std::int32_t> middle{-1, 7};
    io::raw_checkpoint c{{}, {{"key", "value"}}};
    c.tensors["a"] = {io::scalar_type::u8, {3}, std::as_bytes(std::span(narrow))};
    c.tensors["b"] = {io::scalar_type::i32, {2, 1}, std::as_bytes(std::span(middle))};
    c.tensors["c"] = {io::scalar_type::f64, {2}, std::as_bytes(std::span(wide))};
    const auto bytes = io::to_safetensors(c);
    const auto found = io::parse_raw_safetensors(bytes, "a.safetensors");
    BOOST_TEST((found.metadata == c.metadata));
    BOOST_REQUIRE(found.tensors.size() == c.tensors.size());
    for (const auto& [name, t] : c.tensors) {
        const io::raw_tensor& other = found.tensors.at(name);
        BOOST_TEST((other.type == t.type && other.shape == t.shape));
        BOOST_TEST(
            std::equal(t.bytes.begin(), t.bytes.end(), other.bytes.begin(), other.bytes.end()));
        const auto offset = static_cast<std::size_t>(other.bytes.data() - bytes.data());
        BOOST_TEST(offset % io::size_of(t.type) == 0u);
    }
}

BOOST_AUTO_TEST_SUITE_END()
