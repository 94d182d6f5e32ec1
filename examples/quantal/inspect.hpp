// SPDX-License-Identifier: Apache-2.0
/// quantal inspect: the layers of a network.
#ifndef QUANTAL_EXAMPLES_QUANTAL_INSPECT_HPP
#define QUANTAL_EXAMPLES_QUANTAL_INSPECT_HPP

#include "../homework/roofline.hpp"
#include "bench.hpp"

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

/// What holds each layer back on this machine, by its name, as exercise 4 says it of networks:
/// products, memory, or what neither explains. Layers that run in another's step have no entry.
[[nodiscard]] inline std::map<std::string, std::string>
bounds_of(const network_file& file, const quantal::plan& p, const common_options& common) {
    constexpr int runs = 5;
    contestant network(file, {.models = {}, .common = common});
    for (int i = 0; i < runs; ++i)
        network.run();
    const auto peaks = benchmarks::measure_peaks(quantal::cpu::default_kernels().name,
                                                 quantal::thread_count(common.threads, SIZE_MAX));
    std::map<std::string, double> peak_of;
    for (quantal::value v = 0; v < p.net.size(); ++v)
        peak_of[p.at(v).name] =
            p.roles[v].in_float ? peaks.float_operations : peaks.byte_operations;
    std::map<std::string, std::pair<homework::batch_cost, double>> costs;
    const auto steps = network.steps();
    for (const auto& s : steps) {
        auto& [cost, seconds] = costs[s.layer];
        cost += homework::cost_of(s, homework::all_weight_bytes(steps), 1.0, peak_of.at(s.layer),
                                  peaks);
        seconds += s.seconds;
    }
    std::map<std::string, std::string> bounds;
    for (const auto& [layer, c] : costs)
        bounds[layer] = homework::bound_of(c.first, c.second);
    return bounds;
}

inline void print_layers(const nlohmann::ordered_json& layers) {
    fmt::print("{:40} {:13} {:14} {:32} {:24} {:>22} {:>10} {:>12} {}\n", "layer", "operator",
               "shape", "weights", "output", "range", "bytes", "operations", "bound");
    for (const auto& l : layers) {
        const std::string range = l.contains("lowest")
                                      ? fmt::format("{:.4g} to {:.4g}", l["lowest"].get<float>(),
                                                    l["highest"].get<float>())
                                      : "";
        fmt::print("{:40} {:13} {:14} {:32} {:24} {:>22} {:>10} {:>12} {}\n",
                   l["name"].get<std::string>(), l["operator"].get<std::string>(),
                   l["shape"].get<std::string>(), l["weights"].get<std::string>(),
                   l["output"].get<std::string>(), range, l["bytes"].get<std::size_t>(),
                   l["operations"].get<std::int64_t>(), l["bound"].get<std::string>());
    }
}

inline void inspect(const inspect_options& o) {
    const network_file file = o.common.read(o.model);
    const quantal::integer_network n = file.network();
    auto bounds = bounds_of(file, n.plan(), o.common);
    nlohmann::ordered_json layers;
    std::int64_t operations = 0;
    for (quantal::value v = 0; v < n.plan().net.size(); ++v) {
        auto& layer = layers.emplace_back(layer_of(n, v));
        layer["bound"] = bounds[n.plan().at(v).name];
        operations += layer["operations"].get<std::int64_t>();
    }
    const auto bytes = weight_bytes(n);
    if (o.common.tells()) {
        print_layers(layers);
        fmt::print("{} ({}): {} layers, {} operations an image; parameters take {} bytes, {} in "
                   "float32\n",
                   o.model, file.kind(), layers.size(), operations, bytes.packed, bytes.float32);
    }
    o.common.write({{"model", o.model},
                    {"kind", file.kind()},
                    {"hardware", homework::hardware()},
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
