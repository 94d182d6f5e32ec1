// SPDX-License-Identifier: Apache-2.0
/// The element types of ONNX tensors (TensorProto.DataType), by number: libonnx 1.12 has no names
/// for the narrow ones.
#ifndef QUANTAL_ONNX_ELEMENT_TYPE_HPP
#define QUANTAL_ONNX_ELEMENT_TYPE_HPP

#include <quantal/arith/subbyte.hpp>
#include <quantal/error.hpp>
#include <quantal/io/half.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace quantal {
inline namespace v0 {
namespace onnx {

static_assert(std::endian::native == std::endian::little, "quantal reads little-endian files");

enum class element : std::int32_t {
    f32 = 1,
    u8 = 2,
    i8 = 3,
    u16 = 4,
    i16 = 5,
    i32 = 6,
    i64 = 7,
    boolean = 9,
    f16 = 10,
    f64 = 11,
    bf16 = 16,
    u4 = 21,
    i4 = 22,
    u2 = 25,
    i2 = 26,
};

/// A type with its name in messages and the bits that an element takes in raw data.
struct element_info {
    element type;
    const char* name;
    int bits;
    bool is_signed, is_floating;

    /// Whether an element is an integer that float32 holds, as quantized numbers are.
    [[nodiscard]] constexpr bool is_code() const {
        return !is_floating && bits <= 16 && type != element::boolean;
    }
};

inline constexpr element_info element_types[] = {
    {element::f32, "float32", 32, true, true},   {element::f64, "float64", 64, true, true},
    {element::f16, "float16", 16, true, true},   {element::bf16, "bfloat16", 16, true, true},
    {element::i64, "int64", 64, true, false},    {element::i32, "int32", 32, true, false},
    {element::i16, "int16", 16, true, false},    {element::u16, "uint16", 16, false, false},
    {element::i8, "int8", 8, true, false},       {element::u8, "uint8", 8, false, false},
    {element::i4, "int4", 4, true, false},       {element::u4, "uint4", 4, false, false},
    {element::i2, "int2", 2, true, false},       {element::u2, "uint2", 2, false, false},
    {element::boolean, "bool", 8, false, false},
};

/// Throws `data_error` for a type that is not among them (strings, complex numbers, 8-bit floats).
[[nodiscard]] inline const element_info& info_of(std::int32_t type) {
    for (const element_info& info : element_types)
        if (static_cast<std::int32_t>(info.type) == type) return info;
    quantal::detail::fail<data_error>(
        "a tensor has the element type ", type,
        "; this library reads float16, bfloat16, float32, float64, bool and "
        "integers of 2 to 64 bits");
}
[[nodiscard]] inline const element_info& info_of(element type) {
    return info_of(static_cast<std::int32_t>(type));
}

/// Element i of raw data of an integer type.
[[nodiscard]] inline std::int64_t integer_at(const std::uint8_t* raw, std::size_t i,
                                             const element_info& type) {
    if (type.bits < 8) return arith::unpack_code(raw, i, type.bits, type.is_signed);
    const std::size_t bytes = static_cast<std::size_t>(type.bits) / 8;
    std::uint64_t bits = 0;
    std::memcpy(&bits, raw + i * bytes, bytes);
    const int unused = 64 - type.bits;
    if (type.is_signed) return static_cast<std::int64_t>(bits << unused) >> unused;
    return static_cast<std::int64_t>(bits);
}

/// Element i of raw data of a floating type or of codes, in float32: exact, but for float64.
[[nodiscard]] inline float real_at(const std::uint8_t* raw, std::size_t i,
                                   const element_info& type) {
    const auto load = [&](auto value) {
        std::memcpy(&value, raw + i * sizeof value, sizeof value);
        return value;
    };
    switch (type.type) {
    case element::f32:
        return load(0.0f);
    case element::f64:
        return static_cast<float>(load(0.0));
    case element::f16:
        return io::from_float16(load(std::uint16_t{}));
    case element::bf16:
        return io::from_bfloat16(load(std::uint16_t{}));
    default:
        return static_cast<float>(integer_at(raw, i, type));
    }
}

} // namespace onnx
} // namespace v0
} // namespace quantal

#endif
