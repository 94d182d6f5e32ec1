// SPDX-License-Identifier: Apache-2.0
/// From TensorProto to constants, also where the data lie in a file of their own.
#ifndef QUANTAL_ONNX_READ_TENSOR_HPP
#define QUANTAL_ONNX_READ_TENSOR_HPP

#include <quantal/io/random_access.hpp>
#include <quantal/onnx/constant.hpp>

#include <onnx/onnx_pb.h>

#include <charconv>
#include <filesystem>
#include <optional>
#include <string>

namespace quantal {
inline namespace v0 {
namespace onnx {

/// The folder that external data of a model may lie in; none for a model that lies in memory.
using model_folder = std::optional<std::filesystem::path>;

namespace detail {

using quantal::detail::fail;

inline extents shape_of(const ::onnx::TensorProto& t) {
    return extents(std::span(t.dims().data(), static_cast<std::size_t>(t.dims_size())));
}

/// The bytes that so many elements take.
inline std::size_t raw_size(std::size_t count, const element_info& type) {
    return type.bits < 8 ? arith::packed_size(count, type.bits)
                         : count * static_cast<std::size_t>(type.bits) / 8;
}

/// The file of external data: inside the folder of the model, whatever its name says.
inline std::filesystem::path external_path(const std::string& location,
                                           const model_folder& folder) {
    namespace fs = std::filesystem;
    if (!folder)
        fail<data_error>("the data lie in the file \"", location,
                         "\", and the model does not come from a folder");
    std::error_code failed;
    const fs::path home = fs::canonical(folder->empty() ? "." : *folder, failed);
    fs::path file = fs::weakly_canonical(home / location, failed);
    const auto [end, _] = std::mismatch(home.begin(), home.end(), file.begin(), file.end());
    if (failed || fs::path(location).is_absolute() || end != home.end())
        fail<data_error>("the data lie in the file \"", location,
                         "\"; external data lie in the folder of the model");
    return file;
}

inline std::uint64_t offset_from(const std::string& text) {
    std::uint64_t number = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (problem != std::errc() || end != text.data() + text.size())
        fail<data_error>("the external data have \"", text, "\" as an offset or a length");
    return number;
}

/// The external data of a tensor that takes `size` bytes.
inline std::string read_external(const ::onnx::TensorProto& t, std::size_t size,
                                 const model_folder& folder) {
    std::string location;
    std::uint64_t offset = 0, length = size;
    for (const auto& entry : t.external_data()) {
        if (entry.key() == "location") location = entry.value();
        if (entry.key() == "offset") offset = offset_from(entry.value());
        if (entry.key() == "length") length = offset_from(entry.value());
    }
    const io::random_access_file file(external_path(location, folder));
    if (length != size || offset > file.size() || size > file.size() - offset)
        fail<data_error>("the external data are ", length, " bytes from byte ", offset, " on of ",
                         file.path(), ", which has ", file.size(), "; the tensor takes ", size);
    std::string bytes(size, '\0');
    file.read(offset, std::as_writable_bytes(std::span(bytes)));
    return bytes;
}

/// The elements of a typed field as raw data: `Raw` each.
template <class Raw, class Field>
std::string raw_of(const Field& field) {
    std::string bytes;
    bytes.reserve(sizeof(Raw) * static_cast<std::size_t>(field.size()));
    for (const auto number : field) {
        const auto raw = static_cast<Raw>(number);
        bytes.append(reinterpret_cast<const char*>(&raw), sizeof raw);
    }
    return bytes;
}

/// The data of a tensor that has none in raw form.
inline std::string raw_from_fields(const ::onnx::TensorProto& t, const element_info& type) {
    switch (type.type) {
    case element::f32:
        return raw_of<float>(t.float_data());
    case element::f64:
        return raw_of<double>(t.double_data());
    case element::i64:
        return raw_of<std::int64_t>(t.int64_data());
    case element::i32:
        return raw_of<std::int32_t>(t.int32_data());
    default: // the low bits of an int32 each
        return type.bits == 16 ? raw_of<std::uint16_t>(t.int32_data())
                               : raw_of<std::uint8_t>(t.int32_data());
    }
}

} // namespace detail

/// The constant that a TensorProto holds. Its size is checked before anything is allocated for it.
/// Throws `data_error`.
[[nodiscard]] inline constant read_tensor(const ::onnx::TensorProto& t, allowance& left,
                                          const model_folder& folder) {
    const element_info& type = info_of(t.data_type());
    const extents shape = detail::shape_of(t);
    const std::size_t count = left.take(shape);
    const std::size_t size = detail::raw_size(count, type);
    std::string own;
    if (t.data_location() == ::onnx::TensorProto::EXTERNAL)
        own = detail::read_external(t, size, folder);
    else if (!t.has_raw_data())
        own = detail::raw_from_fields(t, type);
    const std::string& raw = own.empty() && t.has_raw_data() ? t.raw_data() : own;
    if (raw.size() != size)
        detail::fail<data_error>("the tensor of ", type.name, " and shape ", shape, " has ",
                                 raw.size(), " bytes of data; it needs ", size);
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(raw.data());
    if (type.is_floating || type.is_code()) {
        constant::reals values(count);
        for (std::size_t i = 0; i < count; ++i)
            values[i] = real_at(bytes, i, type);
        return {type.type, shape, std::move(values)};
    }
    constant::integers values(count);
    for (std::size_t i = 0; i < count; ++i)
        values[i] = integer_at(bytes, i, type);
    return {type.type, shape, std::move(values)};
}

} // namespace onnx
} // namespace v0
} // namespace quantal

#endif
