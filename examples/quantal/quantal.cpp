// SPDX-License-Identifier: Apache-2.0
/// One command for any network: quantize an ONNX model, run it, measure it, look into it.
#include "bench.hpp"
#include "compare.hpp"
#include "eval.hpp"
#include "inspect.hpp"
#include "quantize.hpp"
#include "run.hpp"

#include <utility>

namespace {

struct entry {
    const char *name, *what;
    command::subcommand (*add)(CLI::App&);
};
constexpr entry entries[] = {
    {"quantize", "from a float ONNX model to a quantized one, or to a .quantal file",
     command::add_quantize},
    {"run", "what a network answers to images", command::add_run},
    {"eval", "top-1 and top-5 of labelled images", command::add_eval},
    {"bench", "images a second of networks beside each other", command::add_bench},
    {"inspect", "layers, specs, ranges, bytes and operations of a network", command::add_inspect},
    {"compare", "how two networks differ, layer by layer", command::add_compare},
};

} // namespace

/// Exit codes: 0, or 2 with one line on the error stream.
int main(int argc, char** argv) try {
    CLI::App app("Quantized convolutional networks, from ONNX and back", "quantal");
    app.set_version_flag("--version", QUANTAL_VERSION_TEXT);
    app.require_subcommand(1);
    std::vector<std::pair<CLI::App*, command::subcommand>> all;
    for (const entry& e : entries) {
        CLI::App* sub = app.add_subcommand(e.name, e.what);
        all.emplace_back(sub, e.add(*sub));
    }
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
        return app.exit(e) == 0 ? 0 : 2;
    }
    for (const auto& [sub, run] : all)
        if (sub->parsed()) run();
} catch (const std::exception& e) {
    std::cerr << "quantal: " << e.what() << '\n';
    return 2;
}
