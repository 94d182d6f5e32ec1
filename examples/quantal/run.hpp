// SPDX-License-Identifier: Apache-2.0
/// quantal run: what a network answers.
#ifndef QUANTAL_EXAMPLES_QUANTAL_RUN_HPP
#define QUANTAL_EXAMPLES_QUANTAL_RUN_HPP

#include "report.hpp"

#include <quantal/runtime/cpu/program.hpp>

#include <numeric>

namespace command {

struct run_options {
    std::string model, images, output{};
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

inline void run_network(const run_options& o) {
    const network_file file = o.common.read(o.model);
    const auto set = open_images(o.images, file, o.preprocess, false);
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
    app.add_option("--count", o->count, "number of images, 0: all")->capture_default_str();
    app.add_option("--top", o->top, "how many classes are told")->capture_default_str();
    o->preprocess.add_to(app);
    o->common.add_to(app);
    return [o] { run_network(*o); };
}

} // namespace command

#endif
