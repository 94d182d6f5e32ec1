// SPDX-License-Identifier: Apache-2.0
/// quantal eval: how many images a network classifies rightly.
#ifndef QUANTAL_EXAMPLES_QUANTAL_EVAL_HPP
#define QUANTAL_EXAMPLES_QUANTAL_EVAL_HPP

#include "run.hpp"

namespace command {

inline void evaluate(const run_options& o) {
    const stopwatch watch;
    const network_file file = o.common.read(o.model);
    const auto set = open_images(o.images, file, o.preprocess, false);
    const auto program = quantal::lower(file.network(), quantal::cpu::default_kernels());
    std::size_t images = 0, first = 0, among = 0;
    for_batches(*set, o.count, "images", [&](const auto& batch) {
        const auto y = program.run(batch.images, o.common.threads);
        for (std::size_t i = 0; i < batch.labels.size(); ++i) {
            if (batch.labels[i] < 0)
                quantal::detail::fail<quantal::data_error>(
                    o.images, " has images without labels; they lie in a folder a class, or in "
                              "FILE.labels.npy beside FILE.npy");
            const auto found = largest(y.slice(static_cast<std::int64_t>(i)), o.top);
            const auto label = static_cast<std::size_t>(batch.labels[i]);
            first += !found.empty() && found[0] == label;
            among += std::find(found.begin(), found.end(), label) != found.end();
        }
        images += batch.labels.size();
    });
    const auto percent = [&](std::size_t right) {
        return 100.0 * static_cast<double>(right) / static_cast<double>(images);
    };
    if (o.common.tells())
        fmt::print("{} ({}): {} images, top-1 {:.2f} %, top-{} {:.2f} %, {:.1f} s\n", o.model,
                   file.kind(), images, percent(first), o.top, percent(among), watch.seconds());
    o.common.write({{"model", o.model},
                    {"kind", file.kind()},
                    {"images", images},
                    {"top1", percent(first)},
                    {"top", o.top},
                    {"among_top", percent(among)},
                    {"seconds", watch.seconds()}});
}

inline subcommand add_eval(CLI::App& app) {
    auto o = std::make_shared<run_options>();
    app.add_option("model", o->model, "an ONNX model or a .quantal file")->required();
    app.add_option("images", o->images,
                   "labelled images: a folder of class folders, cifar10:DIR, fashion_mnist[:DIR], "
                   "or FILE.npy with FILE.labels.npy beside it")
        ->required();
    app.add_option("--count", o->count, "number of images, 0: all")->capture_default_str();
    app.add_option("--top", o->top, "count those among so many of the largest outputs too")
        ->capture_default_str();
    o->preprocess.add_to(app);
    o->common.add_to(app);
    return [o] { evaluate(*o); };
}

} // namespace command

#endif
