// SPDX-License-Identifier: Apache-2.0
/// Networks from files, whatever form they have.
#ifndef QUANTAL_EXAMPLES_QUANTAL_NETWORK_HPP
#define QUANTAL_EXAMPLES_QUANTAL_NETWORK_HPP

#include <quantal/io/deployable.hpp>
#include <quantal/onnx/import_quantized.hpp>
#include <quantal/passes/batch_norm_to_conv.hpp>
#include <quantal/passes/optimize.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace command {

/// What a file holds: a network in float, optimized, or one in integers.
struct network_file {
    std::filesystem::path path;
    std::optional<quantal::graph> real;
    std::optional<quantal::integer_network> quantized;
    std::map<std::string, std::string> metadata; ///< what its writer said of it
    std::vector<std::string> notes;              ///< what was left out

    /// The network as every backend takes it; one in float has no quantizers.
    [[nodiscard]] quantal::integer_network network() const {
        return quantized ? *quantized : quantal::all_in_float(*real);
    }
    [[nodiscard]] const quantal::extents& image_shape() const {
        return quantized ? quantized->plan().net.input_shape() : real->input_shape();
    }
    [[nodiscard]] const char* kind() const { return quantized ? "integers" : "float32"; }
};

/// Reads a .quantal file, or else an ONNX model; `image` is the shape of its images, for models
/// that leave it open.
[[nodiscard]] inline network_file read_network(const std::filesystem::path& path,
                                               const std::vector<std::int64_t>& image) {
    namespace onnx = quantal::onnx;
    network_file result{.path = path, .real = {}, .quantized = {}, .metadata = {}, .notes = {}};
    if (path.extension() == ".quantal") {
        auto loaded = quantal::io::load(path);
        result.quantized = std::move(loaded.network);
        result.metadata = std::move(loaded.metadata);
        return result;
    }
    onnx::import_options options;
    if (!image.empty()) options.image = quantal::extents(image);
    onnx::with_model(path, [&](const auto& model) {
        for (const auto& entry : model.metadata_props())
            result.metadata.emplace(entry.key(), entry.value());
        if (onnx::is_quantized(model)) {
            auto read = onnx::import_quantized(model, path.parent_path(), options);
            result.quantized = std::move(read.network);
            result.notes = std::move(read.notes);
        } else {
            auto read = onnx::import_network(model, path.parent_path(), options);
            result.real =
                quantal::passes::batch_norm_to_conv(quantal::passes::optimize(std::move(read.net)));
            result.notes = std::move(read.notes);
        }
    });
    return result;
}

} // namespace command

#endif
