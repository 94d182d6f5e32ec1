// SPDX-License-Identifier: Apache-2.0
/// ONNX files in and out, as protobuf's messages.
#ifndef QUANTAL_ONNX_MODEL_HPP
#define QUANTAL_ONNX_MODEL_HPP

#include <quantal/error.hpp>
#include <quantal/io/file.hpp>

#include <onnx/onnx_pb.h>

#include <limits>
#include <span>
#include <string>

namespace quantal {
inline namespace v0 {
namespace onnx {

/// The versions of ONNX's operators that this library reads.
inline constexpr std::int64_t first_opset = 7, last_opset = 22;

/// Parses a file that lies in memory; `file` names it in errors. Throws `data_error` if it is no
/// ONNX model. Protobuf bounds the depth of messages, and its memory by the size of the file.
[[nodiscard]] inline ::onnx::ModelProto parse_model(std::span<const std::byte> bytes,
                                                    const std::string& file) {
    ::onnx::ModelProto model;
    if (bytes.size() > std::numeric_limits<int>::max())
        quantal::detail::fail<data_error>(
            file, ": ", bytes.size(),
            " bytes; an ONNX model has less than 2 GiB, and its weights lie "
            "in a file of their own where they are larger");
    if (!model.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) || !model.has_graph())
        quantal::detail::fail<data_error>(file, ": not an ONNX model");
    return model;
}

/// The version of ONNX's operators that a model asks for. Throws `data_error` if it is none that
/// this library reads.
[[nodiscard]] inline std::int64_t opset_of(const ::onnx::ModelProto& model) {
    for (const auto& set : model.opset_import())
        if (set.domain().empty() || set.domain() == "ai.onnx") {
            if (set.version() < first_opset || set.version() > last_opset)
                quantal::detail::fail<data_error>("the model has opset ", set.version(),
                                                  "; this library reads ", first_opset, " to ",
                                                  last_opset);
            return set.version();
        }
    quantal::detail::fail<data_error>("the model names no opset of ONNX's own operators");
}

/// Writes a model as a whole, see `io::write_file`.
inline void write_model(const std::filesystem::path& path, const ::onnx::ModelProto& model) {
    const std::string bytes = model.SerializeAsString();
    io::write_file(path, std::as_bytes(std::span(bytes)));
}

} // namespace onnx
} // namespace v0
} // namespace quantal

#endif
