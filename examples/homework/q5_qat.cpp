// SPDX-License-Identifier: Apache-2.0
/// Exercise 5: training with quantizers. Top-1 of the integers before and after training at 4w4f
/// and 2w4f: of the trained networks that lie beside the programs, or of those that it trains
/// itself.
#include "bit_config.hpp"
#include "exercise.hpp"
#include "trained.hpp"
#if defined(QUANTAL_HOMEWORK_TORCH)
#include "quantized_training.hpp"

#include <malloc.h>
#endif

using namespace homework;

namespace {

struct request {
    std::vector<std::string> configs{"float", "4w4f", "2w4f"};
    std::vector<std::string> methods{};
    std::string trained = own_weights().string();
    int epochs = 0;
    double learning_rate = 0.04, distillation = 0.5, engine_values = 0.0;
    std::string states{};
    std::string command{};
};

void add_request(CLI::App& app, request& r) {
    app.add_option("--config", r.configs,
                   "bits of weights and features (what layers take): 4w4f, 2w4f (three levels, -1 "
                   "to 1), 2w4f-full (four, -2 to 1) or any NwMf; several times. The first and "
                   "the last layer, and what is only added, have 8 bits. float: the float "
                   "network, trained as long")
        ->capture_default_str();
    app.add_option(
        "--method", r.methods,
        "lsq, lsq+, pact or dorefa: how scales are learned; several times (default: lsq, "
        "and what else was trained)");
    app.add_option("--trained", r.trained,
                   "folder of the trained networks, which are read, or with --epochs written")
        ->capture_default_str();
    app.add_option("--epochs", r.epochs, "train for so many epochs; 0: read what was trained")
        ->check(CLI::NonNegativeNumber)
        ->capture_default_str();
    app.add_option("--learning-rate", r.learning_rate, "the highest")->capture_default_str();
    app.add_option("--distillation", r.distillation,
                   "share of the loss that is the distance from the float network's answers; the "
                   "rest is that from the labels")
        ->check(CLI::Range(0.0, 1.0))
        ->capture_default_str();
    app.add_option("--engine-values", r.engine_values,
                   "the last part of all steps, in which batch norms are frozen and values are "
                   "those of the integer engine")
        ->check(CLI::Range(0.0, 1.0))
        ->capture_default_str();
    app.add_option("--resume", r.states,
                   "folder that keeps the state of each training after every epoch; a training "
                   "goes on from the one that is there");
}

#if defined(QUANTAL_HOMEWORK_TORCH)
training_request training_of(const request& r, const std::string& config,
                             const std::string& method) {
    training_request t{config, method, {}, r.states};
    t.options.steps.epochs = r.epochs;
    t.options.steps.learning_rate = r.learning_rate;
    t.options.distillation = r.distillation;
    t.options.frozen = r.engine_values;
    t.options.integers = r.engine_values > 0.0;
    return t;
}

/// Before anything takes time.
void check_methods(const request& r) {
    for (const std::string& method : r.methods)
        (void)learning_by_name(method);
}

/// Trains the subject's plan and writes the file.
trained_network train_network(subject& s, const quantal::table& start, const options& o,
                              const request& r, const std::string& config,
                              const std::string& method, const std::filesystem::path& file) {
    const stopwatch watch;
    const training_request t = training_of(r, config, method);
    auto [found, top1] = train_quantized(s, start, o, t);
    const trained_network result{quantal::quantize(std::move(found.plan), std::move(found.table)),
                                 {{"config", config},
                                  {"method", method},
                                  {"epochs", r.epochs},
                                  {"engine_values", r.engine_values},
                                  {"command", r.command},
                                  {"commit", commit},
                                  {"hardware", hardware()},
                                  {"seconds", watch.seconds()},
                                  {"top1_by_epoch", top1}}};
    write_trained(file, result, s);
    return result;
}
/// Trains the float network as long and writes what that gave.
json train_float(subject& s, const options& o, const request& r,
                 const std::filesystem::path& file) {
    const stopwatch watch;
    const auto top1 = train_in_float(s, o, training_of(r, "float", "float"));
    const json result = {{"config", "float"},      {"epochs", r.epochs},
                         {"command", r.command},   {"commit", commit},
                         {"hardware", hardware()}, {"seconds", watch.seconds()},
                         {"top1_by_epoch", top1}};
    const std::string text = result.dump(2) + '\n';
    quantal::io::write_file(file, std::as_bytes(std::span(text)));
    return result;
}
#else
void check_methods(const request&) {}
trained_network train_network(subject&, const quantal::table&, const options&, const request&,
                              const std::string&, const std::string&,
                              const std::filesystem::path&) {
    quantal::detail::fail<quantal::data_error>("--epochs needs a build with LibTorch");
}
json train_float(subject&, const options&, const request&, const std::filesystem::path&) {
    quantal::detail::fail<quantal::data_error>("--epochs needs a build with LibTorch");
}
#endif

/// Where what a row needs is kept.
std::filesystem::path file_of(const subject& s, const options& o, const request& r,
                              const std::string& config, const std::string& method) {
    const char* const data = parse_source(o.data).name();
    if (config != "float") return trained_file(r.trained, s.name, data, config, method);
    return std::filesystem::path(r.trained) / fmt::format("{}_{}_float.json", s.name, data);
}

/// The float network, trained as long as the others.
void add_float_row(subject& s, report& file, const options& o, const request& r) {
    const auto path = file_of(s, o, r, "float", {});
    const json training = r.epochs > 0 ? train_float(s, o, r, path)
                                       : json::parse(std::ifstream(path), nullptr, false);
    if (!training.contains("top1_by_epoch") || training["top1_by_epoch"].empty())
        quantal::detail::fail<quantal::data_error>(path.string(),
                                                   " does not say what training in float gave");
    json& row = file.rows.emplace_back(json{{"model", s.name},
                                            {"data", parse_source(o.data).name()},
                                            {"config", "float"},
                                            {"method", "float32"},
                                            {"epochs", training.value("epochs", 0)},
                                            {"images", s.sets.test->size()},
                                            {"top1_after", training["top1_by_epoch"].back()}});
    if (s.count == s.sets.test->size()) row["float_top1"] = s.top1(s.float_answers());
    file.evidence["training"][s.name + " float"] = training;
}

/// Compares the codes of the first test images with those of the second computation.
void compare(subject& s, json& row, const quantal::plan& p, const quantal::integer_network& network,
             const options& o) {
    const second_computation second(p, network.table(), network, o.device);
    const integer_engine integer(network, o.device);
    const std::size_t images = std::min(o.compare, s.count);
    std::size_t codes = 0, differing = 0, done = 0;
    for (const auto& batch : data::loader(*s.sets.test, {.batch_size = 32, .count = images})) {
        for (const auto& [v, counts] : second.compare(integer, batch.images)) {
            codes += counts.codes;
            differing += counts.differing;
        }
        s.tell("compared images", done += batch.labels.size(), images);
    }
    row["device"] = name_of(o.device);
    row["compared_with"] = second_computation::name(o.device);
    row["compared_images"] = images;
    row["compared_codes"] = codes;
    row["differing_codes"] = differing;
}

/// What training simulated, on all test images: fake quantizers around float32 sums, or the
/// engine's rounding, which the backend computes from the graph and the table alone.
json simulated(subject& s, const trained_network& t) {
    const bool rounds = t.training.value("engine_values", 0.0) > 0.0 && backend::second_answers;
    const auto exactly = [&] {
        const auto second = backend::second_integers(s.plan, t.network.table(), t.network);
        return s.answers([&](const auto& x) { return second.run(x); }, "exact images", s.count);
    };
    const auto found = rounds ? exactly() : simulate(s, t.network.table());
    return {{"sim_top1", s.top1(found)}, {"simulation", rounds ? "integers" : "float32 sums"}};
}

void add_row(subject& s, report& file, const options& o, const request& r,
             const std::string& config, const std::string& method) {
    s.tell = progress_line(fmt::format("{} {} {}", s.name, config, method));
    const data::load_options choice = calibration_order(*s.sets.other, o);
    s.plan = quantal::place(s.float_net, for_network(parse_config(config), s.float_net));
    const quantal::table start = calibrate_network(s, *s.sets.other, choice, o);
    const auto before = integer_answers(s, quantal::quantize(s.plan, start), o);
    const auto path = file_of(s, o, r, config, method);
    const trained_network trained =
        r.epochs > 0 ? train_network(s, start, o, r, config, method, path) : read_trained(path, s);
    const auto after = integer_answers(s, trained.network, o);
    s.plan = with_real_weights(trained.network);
    const auto bytes = quantal::weight_bytes(trained.network);
    json& row = file.rows.emplace_back(json{{"model", s.name},
                                            {"data", parse_source(o.data).name()},
                                            {"config", config},
                                            {"method", method},
                                            {"epochs", trained.training.value("epochs", 0)},
                                            {"images", s.count},
                                            {"float_top1", s.top1(s.float_answers())},
                                            {"top1_before", s.top1(before)},
                                            {"top1_after", s.top1(after)},
                                            {"float_bytes", bytes.float32},
                                            {"quant_bytes", bytes.packed}});
    row["drop"] = row["float_top1"].get<double>() - row["top1_after"].get<double>();
    row.update(simulated(s, trained));
    compare(s, row, s.plan, trained.network, o);
    row["seconds"] = s.watch.lap();
    file.evidence["training"][fmt::format("{} {} {}", s.name, config, method)] = trained.training;
}

std::string answer(const json& rows) {
    std::vector<std::string> found;
    for (const json& row : rows)
        if (row["config"] != "float")
            found.push_back(filled("{model} {config} ({method}) from {top1_before:.2f} to "
                                   "{top1_after:.2f} % (float {float_top1:.2f} %)",
                                   row));
    return "Training with quantizers brings the top-1 of the integers, by network: " +
           enumerate(found) + '.';
}

void print(const report& file) {
    const std::vector<column> columns{{"Model", "model"},
                                      {"Data", "data"},
                                      {"Quant config", "config"},
                                      {"Method", "method"},
                                      {"Epochs", "epochs"},
                                      {"Float Acc1", "float_top1"},
                                      {"Acc1 before", "top1_before"},
                                      {"Acc1 after", "top1_after"},
                                      {"Drop", "drop"},
                                      {"Simulated Acc1", "sim_top1"},
                                      {"Simulation", "simulation"},
                                      {"Images", "images"},
                                      {"Float bytes", "float_bytes"},
                                      {"Quant bytes", "quant_bytes"},
                                      {"Differing codes", "differing_codes"},
                                      {"of", "compared_codes"},
                                      {"Seconds", "seconds", 0}};
    fmt::print("{}", to_markdown(file.rows, columns));
    for (const std::string& line : file.details)
        fmt::print("\n{}\n", line);
    fmt::print("\n{}\n", file.evidence["answer"].get<std::string>());
}

/// How the scales of a configuration are learned.
std::vector<std::string> methods_of(const subject& s, const options& o, const request& r,
                                    const std::string& config) {
    if (config == "float") return {"float32"};
    if (!r.methods.empty()) return r.methods;
    std::vector<std::string> found{"lsq"};
    for (const char* other : {"lsq+", "pact", "dorefa"})
        if (r.epochs == 0 && exists(file_of(s, o, r, config, other))) found.emplace_back(other);
    return found;
}

/// The rows of one network; returns the files of trained networks that are not there.
std::vector<std::string> add_rows(subject& s, report& file, const options& o, const request& r) {
    std::vector<std::string> missing;
    for (const std::string& config : r.configs) {
        for (const std::string& method : methods_of(s, o, r, config)) {
            const auto kept = file_of(s, o, r, config, method);
            if (r.epochs == 0 && !exists(kept))
                missing.push_back(kept.string());
            else if (config == "float")
                add_float_row(s, file, o, r);
            else
                add_row(s, file, o, r, config, method);
        }
    }
    return missing;
}

void run_all(options& o, const request& r, report& file) {
    const source from = parse_source(o.data);
    if (o.models.empty()) o.models = default_models(from);
    backend::use_threads(o.threads);
    for (const std::string& config : r.configs)
        if (config != "float") (void)parse_config(config);
    check_methods(r);
    if (r.epochs > 0) std::filesystem::create_directories(r.trained); // not missed afterwards
    std::vector<std::string> missing;
    for (const std::string& model : o.models) {
        subject s(model, from, o);
        const auto files = add_rows(s, file, o, r);
        missing.insert(missing.end(), files.begin(), files.end());
    }
    if (file.rows.empty())
        quantal::detail::fail<quantal::data_error>("there is no trained network ",
                                                   enumerate(missing), "; --epochs trains one");
    for (const std::string& name : missing)
        file.details.push_back("Not trained, hence not in the table: " + name);
    file.evidence["answer"] = answer(file.rows);
    add_device(file, o);
    print(file);
    if (!o.json.empty()) file.write(o.json);
}

} // namespace

int main(int argc, char** argv) {
#if defined(QUANTAL_HOMEWORK_TORCH)
    // Large tensors come and go every step: keep their memory (see train_float.cpp).
    mallopt(M_MMAP_MAX, 0);
    mallopt(M_TRIM_THRESHOLD, -1);
#endif
    CLI::App app("Exercise 5: training with quantizers at few bits", "q5_qat");
    options o;
    o.observer = o.weight_observer = "mse";
    request r;
    add_options(app, o);
    add_device_option(app, o);
    // What --config says, or what training does by itself.
    for (const char* name :
         {"--weight-spec", "--activation-spec", "--layer", "--equalize", "--integer-images"})
        app.remove_option(app.get_option(name));
    add_request(app, r);
    return run(app, argc, argv, [&] {
        r.command = command_line(argc, argv);
        report file{.exercise = "q5_qat", .command = r.command};
        run_all(o, r, file);
    });
}
