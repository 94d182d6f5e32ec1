// SPDX-License-Identifier: Apache-2.0
/// quantal run: what a network answers.
#ifndef QUANTAL_EXAMPLES_QUANTAL_RUN_HPP
#define QUANTAL_EXAMPLES_QUANTAL_RUN_HPP

#include "layers.hpp"
#include "report.hpp"

#include <quantal/runtime/cpu/program.hpp>

#include <numeric>

namespace command {

struct run_options {
    std::string model, images, output{}, layers{};
    std::size_t count = 0;
    int top = 5;
    preprocess_options preprocess{};
    common_options common{};
};

/// The classes of the `top` largest outputs, the lowest of equals first.
[[nodiscard]] inline std::vector<std::size_t> largest(std::span<const float> outputs, int top) {
    std::vector<std::size_t> order(outputs.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return outputs[a] > outputs[b]; });
    order.resize(std::min(order.size(), static_cast<std::size_t>(std::max(top, 0))));
    return order;
}

/// Writes what each layer computes of the images to a file of its name, "/" made "_".
inline void write_layers(const run_options& o, const network_file& file, const data::dataset& set) {
    shown_network run(file, o.common.threads);
    layer_values all;
    std::int64_t images = 0;
    for_batches(set, o.count, "images", [&](const auto& batch) {
        images += batch.images.shape()[0];
        for (auto& [name, values] : run(batch.images)) {
            auto& to = all[name];
            to.insert(to.end(), values.begin(), values.end());
        }
    });
    std::filesystem::create_directories(o.layers);
    for (auto& [name, values] : all) {
        std::string file_name = name + ".npy";
        std::replace(file_name.begin(), file_name.end(), '/', '_');
        const std::int64_t each = std::ssize(values) / images;
        quantal::io::write_npy(std::filesystem::path(o.layers) / file_name,
                               {{images, each}, std::move(values)});
    }
}

inline void run_network(const run_options& o) {
    const network_file file = o.common.read(o.model);
    const auto set = open_images(o.images, file, o.preprocess, false);
    if (!o.layers.empty()) return write_layers(o, file, *set);
    const auto program = quantal::lower(file.network(), quantal::cpu::default_kernels());
    std::vector<float> outputs;
    quantal::extents shape;
    nlohmann::ordered_json answers;
    for_batches(*set, o.count, "images", [&](const auto& batch) {
        const auto y = program.run(batch.images, o.common.threads);
        shape = y.shape();
        outputs.insert(outputs.end(), y.values().begin(), y.values().end());
        for (std::int64_t i = 0; i < shape[0]; ++i) {
            const auto image = y.slice(i);
            nlohmann::ordered_json answer;
            for (const std::size_t c : largest(image, o.top))
                answer.push_back({{"class", c}, {"output", image[c]}});
            answers.push_back(std::move(answer));
        }
    });
    if (!o.output.empty()) {
        const auto count = static_cast<std::int64_t>(answers.size());
        quantal::io::write_npy(o.output, {shape.without_front().with_front(count), outputs});
    } else if (o.common.tells()) {
        for (std::size_t i = 0; i < answers.size(); ++i) {
            fmt::print("image {}:", i);
            for (const auto& a : answers[i])
                fmt::print(" {} ({:.4g})", a["class"].get<std::size_t>(), a["output"].get<float>());
            fmt::print("\n");
        }
    }
    o.common.write({{"model", o.model}, {"kind", file.kind()}, {"answers", answers}});
}

inline subcommand add_run(CLI::App& app) {
    auto o = std::make_shared<run_options>();
    app.add_option("model", o->model, "an ONNX model or a .quantal file")->required();
    app.add_option("images", o->images,
                   "FILE.npy, a folder, cifar10:DIR or fashion_mnist[:DIR]; see quantize --help")
        ->required();
    app.add_option("-o,--output", o->output, "write all outputs to this .npy file");
    app.add_option("--layers", o->layers,
                   "instead, write what each layer computes (those in integers: what their codes "
                   "stand for) to LAYER.npy in this folder; the answers are output.npy");
    app.add_option("--count", o->count, "number of images, 0: all")->capture_default_str();
    app.add_option("--top", o->top, "how many classes are told")->capture_default_str();
    o->preprocess.add_to(app);
    o->common.add_to(app);
    return [o] { run_network(*o); };
}

} // namespace command

#endif
