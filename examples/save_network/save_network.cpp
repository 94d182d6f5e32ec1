// SPDX-License-Identifier: Apache-2.0
/// From a float checkpoint to a deployable file, without LibTorch: calibrates, quantizes, saves,
/// loads again, and compares size and codes.
#include "../homework/report.hpp"
#include "../homework/source.hpp"

#include <quantal/data/preprocess_json.hpp>
#include <quantal/io/deployable.hpp>
#include <quantal/observe/by_name.hpp>
#include <quantal/runtime/calibrate.hpp>
#include <quantal/runtime/size.hpp>
#include <quantal/runtime/trace.hpp>

using namespace homework;

namespace {

quantal::table calibrate_network(const quantal::plan& plan, const data::dataset& set,
                                 const options& o) {
    quantal::table t = quantal::observe::with_observer(o.observer, [&](const auto& observer) {
        quantal::reference_executor executor(plan.net, o.threads);
        quantal::plan_observer observers(plan, observer);
        for (const auto& batch : data::loader(set, calibration_order(set, o)))
            observers.observe(executor, batch.images);
        return observers.activations();
    });
    add_weights(plan, t, o);
    return t;
}

/// The codes that two networks have in all points, and how many of them differ.
quantal::code_comparison compare(const quantal::integer_network& a,
                                 const quantal::integer_network& b, const data::dataset& set,
                                 std::size_t count) {
    const auto first = lower(a), second = lower(b);
    quantal::code_comparison all;
    for (const auto& batch : data::loader(set, {.batch_size = 16, .count = count}))
        for (const auto& [v, point] : compare_codes(first, second, batch.images)) {
            all.codes += point.codes;
            all.differing += point.differing;
        }
    return all;
}

/// The time that loading takes, the least of five.
double loading_seconds(const std::filesystem::path& file) {
    double least = std::numeric_limits<double>::infinity();
    for (int i = 0; i < 5; ++i) {
        const stopwatch watch;
        (void)quantal::io::load(file);
        least = std::min(least, watch.seconds());
    }
    return least;
}

void save_network(const std::string& model, const std::filesystem::path& output,
                  const std::string& labels, const options& o) {
    const source from = parse_source(o.data);
    network n = load_network(model, from, o);
    const images sets = open_images(from, n.preprocess, o);
    const quantal::plan plan = place(std::move(n.net), o.quantization());
    const auto made = quantize(plan, calibrate_network(plan, *sets.other, o));
    std::map<std::string, std::string> about = {{"model", model},
                                                {"preprocess", to_json(n.preprocess)}};
    if (!labels.empty()) {
        const auto bytes = quantal::io::read_file(labels);
        about["labels"] = {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    }
    quantal::io::save(output, made, about);
    const auto loaded = quantal::io::load(output);
    const auto size = weight_bytes(loaded.network);
    const auto codes = compare(made, loaded.network, *sets.test, o.compare);
    fmt::print("| Model | Quant config | Parameters in float32, bytes | Quantized, bytes | File, "
               "bytes | Loading, ms | Differing codes |\n|---|---|---|---|---|---|---|\n"
               "| {} | {}, {} | {} | {} | {} | {:.1f} | {} of {} |\n",
               model, o.weight_spec, o.activation_spec, size.float32, size.packed,
               file_size(output), 1000.0 * loading_seconds(output), codes.differing, codes.codes);
}

} // namespace

int main(int argc, char** argv) {
    CLI::App app("From a float network to a deployable file", "save_network");
    options o;
    std::string output, labels;
    add_options(app, o);
    app.add_option("--output", output, "the file to write, for example resnet20.quantal")
        ->required();
    app.add_option("--labels", labels, "a text with the name of a class a line, to go with it");
    return run(app, argc, argv, [&] {
        if (o.models.empty()) o.models = {"resnet20"};
        if (o.models.size() != 1)
            quantal::detail::fail<quantal::data_error>("a file holds one network, ",
                                                       o.models.size(), " were named");
        save_network(o.models[0], output, labels, o);
    });
}
