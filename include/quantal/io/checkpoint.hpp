// SPDX-License-Identifier: Apache-2.0
/// Checkpoints of any kind that quantal reads, recognized by their contents.
#ifndef QUANTAL_IO_CHECKPOINT_HPP
#define QUANTAL_IO_CHECKPOINT_HPP

#include <quantal/io/pth.hpp>

namespace quantal {
inline namespace v0 {
namespace io {

/// Reads safetensors or either format of torch.save from memory; `file` names it in errors.
[[nodiscard]] inline checkpoint parse_checkpoint(std::span<const std::byte> bytes,
                                                 const std::string& file) {
    constexpr std::byte pickle_protocol{0x80};
    if (zip_archive::recognizes(bytes)) return parse_pth_zip(bytes, file);
    // A safetensors header begins with "{" behind its length.
    if (bytes.size() > 8 && bytes[8] == std::byte{'{'}) return parse_safetensors(bytes, file);
    if (!bytes.empty() && bytes[0] == pickle_protocol) return parse_pth_stream(bytes, file);
    detail::fail<data_error>(file, ": ", bytes.size(),
                             " bytes that are neither safetensors nor a checkpoint of torch.save");
}

[[nodiscard]] inline checkpoint read_checkpoint(const std::filesystem::path& path) {
    return parse_checkpoint(read_file(path), path.string());
}

} // namespace io
} // namespace v0
} // namespace quantal

#endif
