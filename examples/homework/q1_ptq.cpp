// SPDX-License-Identifier: Apache-2.0
/// Exercise 1: post-training quantization. Top-1 accuracy before and after, and where the loss
/// comes from.
#include "measure.hpp"
#include "report.hpp"
#include "source.hpp"

#include <ATen/Parallel.h>

using namespace homework;

namespace {

struct result {
    std::string model;
    measurement measured;
    quantal::plan plan;
    quantal::table table;
    double seconds = 0.0;
    double megabytes = 0.0;
};

double per_cent(std::size_t right, std::size_t images) {
    return 100.0 * static_cast<double>(right) / static_cast<double>(images);
}

quantal::table calibrate_network(const quantal::plan& plan, const data::dataset& set,
                                 const options& o, progress_line& tell) {
    quantal::torch::float_network executor(plan.net);
    return quantal::observe::with_observer(o.observer, [&](const auto& observer) {
        quantal::plan_observer observers(plan, observer);
        std::size_t done = 0;
        const data::loader loader(set, calibration_order(set, o));
        for (const auto& batch : loader) {
            observers.observe(executor, batch.images);
            done += batch.labels.size();
            tell("calibrating", done, o.calibration);
        }
        return observers.finish();
    });
}

result quantize_model(const std::string& model, const source& from, const options& o) {
    const stopwatch watch;
    progress_line tell(model);
    network n = load_network(model, from, o);
    const images sets = open_images(from, n.preprocess, o);
    result r{.model = model,
             .measured = {},
             .plan = quantal::place(std::move(n.net), o.quantization()),
             .table = {}};
    r.table = calibrate_network(r.plan, *sets.other, o, tell);
    const std::size_t count = o.images == 0 ? sets.test->size() : o.images;
    const candidates forms{r.plan, r.table};
    r.measured = measure(forms, *sets.test, count, o.compare, o.threads, std::ref(tell));
    r.seconds = watch.seconds();
    r.megabytes = peak_megabytes();
    return r;
}

void print_table(const std::vector<result>& results, const options& o) {
    fmt::print("| Model | Data | Calibration size | Quant config | Float Acc1 | Simulated Acc1 | "
               "Exact Acc1 | Quant Acc1 | Drop | Images | Differing codes | Seconds | Peak MB |\n"
               "|---|---|---|---|---|---|---|---|---|---|---|---|---|\n");
    for (const result& r : results) {
        const measurement& m = r.measured;
        const auto acc = [&](std::size_t right) { return per_cent(right, m.images); };
        fmt::print("| {} | {} | {} | {}, {} | {:.2f} | {:.2f} | {:.2f} | {:.2f} | {:.2f} | {} | "
                   "{} of {} | {:.0f} | {:.0f} |\n",
                   r.model, o.data.substr(0, o.data.find(':')), o.calibration, o.weight_spec,
                   o.activation_spec, acc(m.float_right), acc(m.sim_right), acc(m.exact_right),
                   acc(m.int_right), acc(m.float_right) - acc(m.int_right), m.images,
                   m.differing_codes, m.compared_codes, r.seconds, r.megabytes);
    }
}

/// The layers with the lowest signal-to-noise ratio, lowest first.
std::vector<std::pair<double, std::string>> noisiest(const result& r, std::size_t count) {
    std::vector<std::pair<double, std::string>> layers;
    for (const auto& [v, decibels] : r.measured.signal_to_noise)
        layers.emplace_back(decibels, r.plan.at(v).name);
    std::sort(layers.begin(), layers.end());
    layers.resize(std::min(count, layers.size()));
    return layers;
}

void print_details(const result& r) {
    const measurement& m = r.measured;
    fmt::print("\n{}: float {} right of {}, integers {}: {} images gained, {} lost.\n", r.model,
               m.float_right, m.images, m.int_right, m.gained, m.lost);
    fmt::print("Lowest signal-to-noise ratio (dB, all noise from the input on):");
    for (const auto& [decibels, layer] : noisiest(r, 5))
        fmt::print(" {} {:.1f};", layer, decibels);
    fmt::print("\n");
    for (const std::string& note : r.table.notes)
        fmt::print("Note: {}\n", note);
}

void add_to_report(report& file, const result& r, const options& o) {
    const measurement& m = r.measured;
    file.rows.push_back({{"model", r.model},
                         {"data", o.data.substr(0, o.data.find(':'))},
                         {"images", m.images},
                         {"calibration", o.calibration},
                         {"observer", o.observer},
                         {"weight_spec", to_string(quantal::parse_spec(o.weight_spec))},
                         {"activation_spec", to_string(quantal::parse_spec(o.activation_spec))},
                         {"layers", o.layers},
                         {"device", "cpu reference"},
                         {"threads", o.threads},
                         {"float_top1", per_cent(m.float_right, m.images)},
                         {"sim_top1", per_cent(m.sim_right, m.images)},
                         {"exact_top1", per_cent(m.exact_right, m.images)},
                         {"int_top1", per_cent(m.int_right, m.images)},
                         {"images_gained", m.gained},
                         {"images_lost", m.lost},
                         {"compared_images", m.compared_images},
                         {"compared_codes", m.compared_codes},
                         {"differing_codes", m.differing_codes},
                         {"seconds", r.seconds},
                         {"peak_megabytes", r.megabytes}});
    auto& layers = file.evidence["signal_to_noise_db"][r.model];
    for (const auto& [v, decibels] : m.signal_to_noise)
        layers.push_back({{"layer", r.plan.at(v).name}, {"decibels", decibels}});
    auto& hashes = file.evidence["fnv1a_of_compared_codes"][r.model];
    for (const auto& [v, hash] : m.hashes.values())
        hashes.push_back({{"layer", r.plan.at(v).name}, {"hash", fmt::format("{:016x}", hash)}});
    file.evidence["notes"][r.model] = r.table.notes;
}

} // namespace

int main(int argc, char** argv) {
    CLI::App app("Exercise 1: post-training quantization of whole networks", "q1_ptq");
    options o;
    add_options(app, o);
    return run(app, argc, argv, [&] {
        const source from = parse_source(o.data);
        if (o.models.empty()) o.models = default_models(from);
        if (o.threads > 0) at::set_num_threads(o.threads);
        report file{.exercise = "q1_ptq", .command = command_line(argc, argv)};
        std::vector<result> results;
        for (const std::string& model : o.models) {
            results.push_back(quantize_model(model, from, o));
            add_to_report(file, results.back(), o);
        }
        print_table(results, o);
        for (const result& r : results)
            print_details(r);
        if (!o.json.empty()) file.write(o.json);
    });
}
