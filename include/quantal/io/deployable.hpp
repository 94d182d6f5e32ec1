// SPDX-License-Identifier: Apache-2.0
/// The deployable file: a network in integers, ready to load and run. It is a safetensors file
/// whose metadata hold its version ("quantal"), its graph ("graph") and its calibration table
/// without the weights' part ("table"), both as JSON. Of each integer layer there are the tensors
/// "<layer>.weight" (U8, the packed codes), "<layer>.scale" (F32), "<layer>.zero_point" (I32, if it
/// can differ from 0) and "<layer>.bias" (I32, or F32 where it is added to reals); of each layer
/// left in float its parameters (F32).
#ifndef QUANTAL_IO_DEPLOYABLE_HPP
#define QUANTAL_IO_DEPLOYABLE_HPP

#include <quantal/io/graph_json.hpp>
#include <quantal/io/raw_safetensors.hpp>
#include <quantal/io/table.hpp>
#include <quantal/runtime/integer_network.hpp>

namespace quantal {
inline namespace v0 {
namespace io {

/// The version of the file that this library writes: that of its graph. It reads those before it.
inline constexpr int deployable_version = graph_version;

/// What a file holds.
struct deployable {
    integer_network network;
    /// What its writer added; by convention "model", "preprocess" (data/preprocess_json.hpp) and
    /// "labels" (names of the classes, one a line).
    std::map<std::string, std::string> metadata;
};

namespace detail {

/// The metadata that the format itself uses.
inline constexpr const char* reserved_metadata[] = {"quantal", "graph", "table"};

/// The tensors of a file, each taken once with the type and the number of elements that the graph
/// asks for.
class tensor_taker {
public:
    explicit tensor_taker(std::map<std::string, raw_tensor> tensors)
        : tensors_(std::move(tensors)) {}

    template <class T>
    [[nodiscard]] std::vector<T> take(const std::string& name, scalar_type type,
                                      const extents& shape) {
        const auto found = tensors_.find(name);
        if (found == tensors_.end()) fail<data_error>("there is no tensor \"", name, '"');
        const raw_tensor& t = found->second;
        if (t.type != type || t.shape != shape)
            fail<data_error>("the tensor \"", name, "\" is ", info_of(t.type).safetensors,
                             " of shape ", t.shape, "; the graph needs ", info_of(type).safetensors,
                             " of shape ", shape);
        std::vector<T> values(t.shape.count());
        std::copy(t.bytes.begin(), t.bytes.end(),
                  std::as_writable_bytes(std::span(values)).begin());
        tensors_.erase(found);
        return values;
    }
    void finish() const {
        if (!tensors_.empty())
            fail<data_error>("the tensor \"", tensors_.begin()->first,
                             "\" belongs to no layer of the graph");
    }

private:
    std::map<std::string, raw_tensor> tensors_;
};

/// A shape of one dimension.
inline extents flat(std::size_t count) {
    return {static_cast<std::int64_t>(count)};
}

inline layer_codes take_layer(const plan& p, value v, tensor_taker& from) {
    const std::string& name = p.at(v).name;
    const extents shape = weight_shape(p, v);
    qparams params{*p.roles[v].weights, {}, {}};
    const std::size_t slices = slicing_of(params.spec, shape).slices;
    params.scales = from.take<float>(name + ".scale", scalar_type::f32, flat(slices));
    if (params.spec.is_symmetric())
        params.zero_points.resize(slices);
    else
        params.zero_points =
            from.take<std::int32_t>(name + ".zero_point", scalar_type::i32, flat(slices));
    const std::size_t size = arith::packed_size(shape.count(), params.spec.bits);
    auto packed = from.take<std::uint8_t>(name + ".weight", scalar_type::u8, flat(size));
    std::vector<std::int32_t> bias;
    if (!p.roles[v].has_real_bias())
        bias = from.take<std::int32_t>(name + ".bias", scalar_type::i32, {shape[0]});
    return with_context("layer \"" + name + '"', [&]() -> layer_codes {
        return {any_qtensor::from_packed(std::move(params), shape, std::move(packed)),
                std::move(bias)};
    });
}

inline integer_network take_network(plan p, table t, tensor_taker from) {
    std::map<value, layer_codes> codes;
    for (value v = 0; v < p.roles.size(); ++v)
        if (p.roles[v].weights) {
            const auto& layer = codes.emplace(v, take_layer(p, v, from)).first->second;
            t.weights.insert_or_assign(p.at(v).name, layer.weights.params());
        }
    for (const auto& [name, shape] : float_parameter_shapes(p))
        p.net.parameters.emplace(
            name, tensor<float>(shape, from.take<float>(name, scalar_type::f32, shape)));
    from.finish();
    return {std::move(p), std::move(t), std::move(codes)};
}

} // namespace detail

/// The bytes of a deployable file. Throws `data_error` for metadata under a name that the format
/// itself uses ("quantal", "graph", "table").
[[nodiscard]] inline std::vector<std::byte>
to_deployable(const integer_network& n, const std::map<std::string, std::string>& metadata = {}) {
    raw_checkpoint file{{}, metadata};
    for (const char* key : detail::reserved_metadata)
        if (metadata.contains(key))
            detail::fail<data_error>("the metadata of a deployable file cannot have the name \"",
                                     key, '"');
    table activations = n.table();
    activations.weights.clear();
    file.metadata["quantal"] = std::to_string(deployable_version);
    file.metadata["graph"] = to_json(n.plan());
    file.metadata["table"] = to_json(activations);
    const auto add = [&](const std::string& name, scalar_type type, const extents& shape,
                         auto values) {
        file.tensors[name] = {type, shape, std::as_bytes(values)};
    };
    const auto add_flat = [&](const std::string& name, scalar_type type, auto values) {
        add(name, type, detail::flat(values.size()), values);
    };
    for (const auto& [v, layer] : n.layers()) {
        const std::string& name = n.plan().at(v).name;
        const qparams& params = layer.weights.params();
        add_flat(name + ".weight", scalar_type::u8, layer.weights.packed());
        add_flat(name + ".scale", scalar_type::f32, std::span(params.scales));
        if (!n.plan().roles[v].has_real_bias())
            add_flat(name + ".bias", scalar_type::i32, std::span(layer.bias));
        if (!params.spec.is_symmetric())
            add_flat(name + ".zero_point", scalar_type::i32, std::span(params.zero_points));
    }
    for (const auto& [name, values] : n.plan().net.parameters)
        add(name, scalar_type::f32, values.shape(), values.values());
    return to_safetensors(file);
}

/// Reads a file that lies in memory; `file` names it in errors. Throws `data_error` for anything
/// that `to_deployable` could not have written: the result can run.
[[nodiscard]] inline deployable parse_deployable(std::span<const std::byte> bytes,
                                                 const std::string& file) {
    raw_checkpoint raw = parse_raw_safetensors(bytes, file);
    const auto take_text = [&](const char* key) {
        const auto found = raw.metadata.extract(key);
        if (found.empty())
            detail::fail<data_error>(file, ": not a deployable file; its metadata have no \"", key,
                                     '"');
        return found.mapped();
    };
    const std::string version = take_text("quantal");
    if (version != "1" && version != std::to_string(deployable_version))
        detail::fail<data_error>(file, ": a deployable file of version ", version,
                                 "; this library reads versions 1 to ", deployable_version);
    plan p = plan_from_json(take_text("graph"), file);
    const std::string table_text = take_text("table");
    auto network = detail::with_context(file, [&] {
        return detail::take_network(std::move(p), table_from_json(table_text, "the table"),
                                    detail::tensor_taker(std::move(raw.tensors)));
    });
    return {std::move(network), std::move(raw.metadata)};
}

/// Writes a network with whatever its readers have to know (see `deployable::metadata`). On failure
/// throws `data_error`, and what was there before is still there.
inline void save(const std::filesystem::path& path, const integer_network& n,
                 const std::map<std::string, std::string>& metadata = {}) {
    write_file(path, to_deployable(n, metadata));
}
[[nodiscard]] inline deployable load(const std::filesystem::path& path) {
    return parse_deployable(read_file(path), path.string());
}

} // namespace io
} // namespace v0
} // namespace quantal

#endif
