// SPDX-License-Identifier: Apache-2.0
/// quantal inspect: the layers of a network.
#ifndef QUANTAL_EXAMPLES_QUANTAL_INSPECT_HPP
#define QUANTAL_EXAMPLES_QUANTAL_INSPECT_HPP

#include "report.hpp"

#include <quantal/runtime/size.hpp>

namespace command {

struct inspect_options {
    std::string model;
    common_options common{};
};

/// How large a layer's weights and its work are.
struct layer_costs {
    std::size_t bytes = 0;       ///< of weights, in the form that they have
    std::int64_t operations = 0; ///< a multiply-add counts as two
};

[[nodiscard]] inline layer_costs costs_of(const quantal::integer_network& n, quantal::value v) {
    const quantal::plan& p = n.plan();
    const quantal::node& node = p.at(v);
    layer_costs costs;
    if (!node.has_weight()) return {0, static_cast<std::int64_t>(node.shape.count())};
    const auto weights = static_cast<std::int64_t>(weight_shape(p, v).count());
    const quantal::reference::image_shape shape(node.shape);
    costs.operations = 2 * weights * shape.pixels();
    costs.bytes = p.roles[v].weights ? n.layer(v).weights.packed().size()
                                     : 4 * static_cast<std::size_t>(weights);
    return costs;
}

[[nodiscard]] inline nlohmann::ordered_json layer_of(const quantal::integer_network& n,
                                                     quantal::value v) {
    const quantal::plan& p = n.plan();
    const quantal::role& r = p.roles[v];
    const auto costs = costs_of(n, v);
    std::ostringstream shape;
    shape << p.at(v).shape;
    nlohmann::ordered_json layer{{"name", p.at(v).name},
                                 {"operator", quantal::op::name(p.at(v).op)},
                                 {"shape", shape.str()},
                                 {"weights", r.weights ? to_string(*r.weights) : ""},
                                 {"output", r.output ? to_string(*r.output) : ""},
                                 {"bytes", costs.bytes},
                                 {"operations", costs.operations}};
    if (r.output) {
        const auto& q = activation_params(p, n.table(), v);
        layer["scale"] = q.scale();
        layer["zero_point"] = q.zero_point();
        layer["lowest"] = q.dequantize(q.spec.qmin());
        layer["highest"] = q.dequantize(q.spec.qmax());
    }
    return layer;
}

inline void inspect(const inspect_options& o) {
    const network_file file = o.common.read(o.model);
    const quantal::integer_network n = file.network();
    nlohmann::ordered_json layers;
    std::int64_t operations = 0;
    for (quantal::value v = 0; v < n.plan().net.size(); ++v) {
        layers.push_back(layer_of(n, v));
        operations += layers.back()["operations"].get<std::int64_t>();
    }
    const auto bytes = weight_bytes(n);
    if (o.common.tells()) {
        fmt::print("{:40} {:13} {:14} {:32} {:24} {:>22} {:>10} {:>12}\n", "layer", "operator",
                   "shape", "weights", "output", "range", "bytes", "operations");
        for (const auto& l : layers) {
            const std::string range =
                l.contains("lowest") ? fmt::format("{:.4g} to {:.4g}", l["lowest"].get<float>(),
                                                   l["highest"].get<float>())
                                     : "";
            fmt::print("{:40} {:13} {:14} {:32} {:24} {:>22} {:>10} {:>12}\n",
                       l["name"].get<std::string>(), l["operator"].get<std::string>(),
                       l["shape"].get<std::string>(), l["weights"].get<std::string>(),
                       l["output"].get<std::string>(), range, l["bytes"].get<std::size_t>(),
                       l["operations"].get<std::int64_t>());
        }
        fmt::print("{} ({}): {} layers, {} operations an image; parameters take {} bytes, {} in "
                   "float32\n",
                   o.model, file.kind(), layers.size(), operations, bytes.packed, bytes.float32);
    }
    o.common.write({{"model", o.model},
                    {"kind", file.kind()},
                    {"operations", operations},
                    {"bytes", bytes.packed},
                    {"float_bytes", bytes.float32},
                    {"metadata", file.metadata},
                    {"layers", layers}});
}

inline subcommand add_inspect(CLI::App& app) {
    auto o = std::make_shared<inspect_options>();
    app.add_option("model", o->model, "an ONNX model or a .quantal file")->required();
    o->common.add_to(app);
    return [o] { inspect(*o); };
}

} // namespace command

#endif
