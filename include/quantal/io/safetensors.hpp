// SPDX-License-Identifier: Apache-2.0
/// Checkpoints in the safetensors format: every tensor as float32.
#ifndef QUANTAL_IO_SAFETENSORS_HPP
#define QUANTAL_IO_SAFETENSORS_HPP

#include <quantal/io/raw_safetensors.hpp>
#include <quantal/tensor/tensor.hpp>

namespace quantal {
inline namespace v0 {
namespace io {

/// Tensors and strings by name.
struct checkpoint {
    std::map<std::string, tensor<float>> tensors;
    std::map<std::string, std::string> metadata;
};

/// Reads a file that lies in memory; `file` names it in errors. All tensors become float32.
[[nodiscard]] inline checkpoint parse_safetensors(std::span<const std::byte> bytes,
                                                  const std::string& file) {
    raw_checkpoint raw = parse_raw_safetensors(bytes, file);
    checkpoint result{{}, std::move(raw.metadata)};
    for (const auto& [name, t] : raw.tensors) {
        tensor<float> values(t.shape);
        for (std::size_t i = 0; i < values.size(); ++i)
            values[i] = read_scalar(t.bytes.data() + i * size_of(t.type), t.type);
        result.tensors.emplace(name, std::move(values));
    }
    return result;
}

/// How tensors are written.
enum class float_type { f32, f16 };

namespace detail {

/// Rounds to float16, ties to even; `name` is for the error.
inline std::vector<std::uint16_t> to_halves(std::span<const float> values,
                                            const std::string& name) {
    std::vector<std::uint16_t> halves;
    for (const float v : values) {
        halves.push_back(to_float16(v));
        if ((halves.back() & 0x7fffu) == 0x7c00u)
            fail<data_error>("tensor \"", name, "\" holds ", v,
                             ", which is outside the range of float16");
    }
    return halves;
}

} // namespace detail

/// The bytes of a safetensors file, tensors in the order of their names. As f16, values are rounded
/// to even; one beyond 65519 is refused by its tensor's name.
[[nodiscard]] inline std::vector<std::byte> to_safetensors(const checkpoint& c, float_type type) {
    raw_checkpoint raw{{}, c.metadata};
    std::map<std::string, std::vector<std::uint16_t>> halves;
    for (const auto& [name, t] : c.tensors) {
        raw_tensor& out = raw.tensors[name];
        out = {scalar_type::f32, t.shape(), std::as_bytes(t.values())};
        if (type == float_type::f32) continue;
        const auto& rounded = halves[name] = detail::to_halves(t.values(), name);
        out = {scalar_type::f16, t.shape(), std::as_bytes(std::span(rounded))};
    }
    return to_safetensors(raw);
}

inline void write_safetensors(const std::filesystem::path& path, const checkpoint& c,
                              float_type type = float_type::f32) {
    write_file(path, to_safetensors(c, type));
}

} // namespace io
} // namespace v0
} // namespace quantal

#endif
