// SPDX-License-Identifier: Apache-2.0
/// quantal compare: how two networks differ, layer by layer.
#ifndef QUANTAL_EXAMPLES_QUANTAL_COMPARE_HPP
#define QUANTAL_EXAMPLES_QUANTAL_COMPARE_HPP

#include "layers.hpp"
#include "report.hpp"

#include <cmath>

namespace command {

struct compare_options {
    std::string a, b, images;
    std::size_t count = 64;
    preprocess_options preprocess{};
    common_options common{};
};

/// The difference of one layer's values in two networks.
struct difference {
    double signal = 0, noise = 0, largest = 0;
    std::size_t values = 0, differing = 0;

    void add(std::span<const float> a, std::span<const float> b) {
        for (std::size_t i = 0; i < a.size(); ++i) {
            const double error = double{a[i]} - b[i];
            signal += double{a[i]} * a[i];
            noise += error * error;
            largest = std::max(largest, std::abs(error));
            differing += a[i] != b[i];
        }
        values += a.size();
    }
    [[nodiscard]] double decibels() const { return 10.0 * std::log10(signal / noise); }
};

inline void compare(const compare_options& o) {
    const network_file a = o.common.read(o.a), b = o.common.read(o.b);
    const auto set = open_images(o.images, a, o.preprocess, false);
    shown_network first(a, o.common.threads), second(b, o.common.threads);
    std::map<std::string, difference> layers;
    for_batches(*set, o.count, "images", [&](const auto& batch) {
        const layer_values x = first(batch.images), y = second(batch.images);
        for (const auto& [name, values] : x)
            if (const auto found = y.find(name);
                found != y.end() && found->second.size() == values.size())
                layers[name].add(values, found->second);
    });
    // In the order of computing, the output last.
    std::vector<std::string> order;
    const quantal::integer_network n = a.network();
    for (const auto& node : n.plan().net.nodes())
        if (layers.contains(node.name)) order.push_back(node.name);
    if (layers.contains("output")) order.emplace_back("output");
    nlohmann::ordered_json rows;
    if (o.common.tells())
        fmt::print("{:40} {:>12} {:>12} {:>14} {:>10}\n", "layer", "values", "differing", "largest",
                   "SNR, dB");
    for (const std::string& name : order) {
        const difference& d = layers.at(name);
        if (o.common.tells())
            fmt::print("{:40} {:>12} {:>12} {:>14.6g} {:>10.2f}\n", name, d.values, d.differing,
                       d.largest, d.decibels());
        const auto *p = first.params(name), *q = second.params(name);
        rows.push_back({{"layer", name},
                        {"values", d.values},
                        {"differing", d.differing},
                        {"largest", d.largest},
                        {"noise", d.noise},
                        {"signal", d.signal},
                        {"same_scales",
                         p && q && p->scales == q->scales && p->zero_points == q->zero_points}});
    }
    o.common.write({{"a", o.a}, {"b", o.b}, {"layers", rows}});
}

inline subcommand add_compare(CLI::App& app) {
    auto o = std::make_shared<compare_options>();
    app.add_option("a", o->a, "a network, the reference of signal and noise")->required();
    app.add_option("b", o->b, "a network of the same layers")->required();
    app.add_option("images", o->images, "FILE.npy, a folder or a data set; see quantize --help")
        ->required();
    app.add_option("--count", o->count, "number of images, 0: all")->capture_default_str();
    o->preprocess.add_to(app);
    o->common.add_to(app);
    return [o] { compare(*o); };
}

} // namespace command

#endif
