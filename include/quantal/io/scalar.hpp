// SPDX-License-Identifier: Apache-2.0
/// The element types of checkpoints, all read as float32.
#ifndef QUANTAL_IO_SCALAR_HPP
#define QUANTAL_IO_SCALAR_HPP

#include <quantal/error.hpp>
#include <quantal/io/half.hpp>

#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

namespace quantal {
inline namespace v0 {
namespace io {

static_assert(std::endian::native == std::endian::little, "quantal reads little-endian files");

enum class scalar_type { f64, f32, f16, bf16, i64, i32, i16, i8, u8, boolean };

/// A type with its names in safetensors and in PyTorch's storages, and its size in bytes.
struct scalar_info {
    scalar_type type;
    std::string_view safetensors, torch_storage;
    std::size_t size;
};

inline constexpr scalar_info scalar_types[] = {
    {scalar_type::f64, "F64", "DoubleStorage", 8},
    {scalar_type::f32, "F32", "FloatStorage", 4},
    {scalar_type::f16, "F16", "HalfStorage", 2},
    {scalar_type::bf16, "BF16", "BFloat16Storage", 2},
    {scalar_type::i64, "I64", "LongStorage", 8},
    {scalar_type::i32, "I32", "IntStorage", 4},
    {scalar_type::i16, "I16", "ShortStorage", 2},
    {scalar_type::i8, "I8", "CharStorage", 1},
    {scalar_type::u8, "U8", "ByteStorage", 1},
    {scalar_type::boolean, "BOOL", "BoolStorage", 1},
};

[[nodiscard]] constexpr const scalar_info& info_of(scalar_type type) {
    return scalar_types[static_cast<std::size_t>(type)];
}
[[nodiscard]] constexpr std::size_t size_of(scalar_type type) {
    return info_of(type).size;
}

namespace detail {

using quantal::detail::fail;

template <class T>
[[nodiscard]] T load(const std::byte* bytes) {
    T value;
    std::memcpy(&value, bytes, sizeof value);
    return value;
}

} // namespace detail

/// The element at `bytes` as float32, rounded where it is wider.
[[nodiscard]] inline float read_scalar(const std::byte* bytes, scalar_type type) {
    using detail::load;
    switch (type) {
    case scalar_type::f64:
        return static_cast<float>(load<double>(bytes));
    case scalar_type::f32:
        return load<float>(bytes);
    case scalar_type::f16:
        return from_float16(load<std::uint16_t>(bytes));
    case scalar_type::bf16:
        return from_bfloat16(load<std::uint16_t>(bytes));
    case scalar_type::i64:
        return static_cast<float>(load<std::int64_t>(bytes));
    case scalar_type::i32:
        return static_cast<float>(load<std::int32_t>(bytes));
    case scalar_type::i16:
        return static_cast<float>(load<std::int16_t>(bytes));
    case scalar_type::i8:
        return static_cast<float>(load<std::int8_t>(bytes));
    case scalar_type::u8:
        return static_cast<float>(load<std::uint8_t>(bytes));
    default:
        return load<std::uint8_t>(bytes) != 0 ? 1.0f : 0.0f;
    }
}

} // namespace io
} // namespace v0
} // namespace quantal

#endif
