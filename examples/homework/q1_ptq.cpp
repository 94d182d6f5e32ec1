// SPDX-License-Identifier: Apache-2.0
/// Exercise 1: post-training quantization. Top-1 accuracy before and after, and where the loss
/// comes from.
#include "exercise.hpp"

#include <quantal/tune/layer_errors.hpp>
#include <quantal/tune/quantize_best.hpp>

using namespace homework;

namespace {

/// Below the table: the images that changed, the noisiest layers, the notes of calibration.
std::string details(const subject& s, const json& row, const json& evidence) {
    std::vector<of_layer> noise;
    for (const json& entry : evidence["signal_to_noise_db"][s.name])
        noise.emplace_back(entry["decibels"].get<double>(), entry["layer"].get<std::string>());
    std::sort(noise.begin(), noise.end());
    noise.resize(std::min<std::size_t>(5, noise.size()));
    std::string text = filled(
        "{model}: of {integer_images} images {images_gained} gained and {images_lost} lost.\n"
        "Lowest signal-to-noise ratios (dB, all noise from the input on):",
        row);
    for (const auto& [decibels, layer] : noise)
        text += fmt::format(" {} {:.1f};", layer, decibels);
    text +=
        "\nSignal-to-noise ratios of the output if one layer alone is quantized, the lowest (dB):";
    const json& errors = evidence["layer_errors"][s.name];
    for (std::size_t i = 0; i < std::min<std::size_t>(5, errors.size()); ++i)
        text += fmt::format(" {} {:.1f};", errors[i]["layer"].get<std::string>(),
                            errors[i]["output_decibels_alone"].get<double>());
    for (const json& note : evidence["notes"][s.name])
        text += "\nNote: " + note.get<std::string>();
    return text;
}

/// The errors of each quantizer point on the first test images, those that cost most first.
json error_report(subject& s, const quantal::table& t, const options& o) {
    constexpr std::size_t count = 8;
    const auto batch = data::read_all(*s.sets.test, 0, std::min(count, s.sets.test->size()));
    json all = json::array();
    for (const auto& e : quantal::tune::layer_errors(s.float_net, s.plan, t, batch, o.threads))
        all.push_back({{"layer", s.plan.at(e.node).name},
                       {"output_decibels_alone", e.output_signal_to_noise},
                       {"decibels", e.signal_to_noise},
                       {"cosine", e.cosine},
                       {"own_decibels", e.own_signal_to_noise},
                       {"clipping_share", e.clipping_share}});
    return all;
}

/// The best combination for which there is time becomes that of subject and options; what was tried
/// is filed.
quantal::table take_best(subject& s, report& file, const data::load_options& choice, options& o) {
    auto best =
        quantal::tune::quantize_best(s.plan, read_batches(*s.sets.other, choice), o.best_seconds,
                                     {.threads = o.threads, .seed = o.seed});
    json& trials = file.evidence["best"][s.name] = json::array();
    for (const quantal::tune::trial& t : best.trials)
        trials.push_back({{"observer", t.observer},
                          {"weight_observer", t.weight_observer},
                          {"rounding", t.rounding},
                          {"output_decibels", t.signal_to_noise},
                          {"seconds", t.seconds}});
    file.details.push_back(s.name + ", what was tried:\n" +
                           to_markdown(trials, {{"Observer", "observer"},
                                                {"of weights", "weight_observer"},
                                                {"Rounding", "rounding"},
                                                {"SNR of the output, dB", "output_decibels"},
                                                {"Seconds", "seconds"}}) +
                           best.explanation());
    const quantal::tune::trial& chosen = best.trials[best.chosen];
    o.observer = chosen.observer;
    o.weight_observer = chosen.weight_observer;
    if (chosen.rounding != "none") o.rounding = chosen.rounding;
    s.plan = std::move(best.plan);
    return std::move(best.table);
}

void add_rows(subject& s, report& file, options o) {
    const data::load_options choice = calibration_order(*s.sets.other, o);
    if (const json widths = choose_widths(s, *s.sets.other, o); !widths.empty())
        file.evidence["mixed_precision"][s.name] = widths;
    const bool chooses = o.best_seconds > 0.0;
    quantal::table t =
        chooses ? take_best(s, file, choice, o) : calibrate_network(s, *s.sets.other, choice, o);
    if (!chooses) round_weights(s, t, *s.sets.other, choice, o);
    json& row = add_row(file, s, o, {s.name, t, t});
    file.evidence["layer_errors"][s.name] = error_report(s, t, o);
    row["seconds"] = s.watch.lap();
    row["peak_megabytes"] = peak_megabytes();
    file.details.push_back(details(s, row, file.evidence));
}

std::string answer(const json& rows) {
    std::vector<std::string> drops;
    for (const json& row : rows)
        drops.push_back(filled("{model} {drop:.2f} ({images_gained} images gained and "
                               "{images_lost} lost of {integer_images})",
                               row));
    const auto highest = [&](const char* key, double sign) {
        return *std::max_element(rows.begin(), rows.end(), [&](const json& a, const json& b) {
            return sign * a[key].get<double>() < sign * b[key].get<double>();
        });
    };
    const json worst = highest("drop", 1.0), cut = highest("clipped_most", 1.0),
               noisiest = highest("lowest_signal_to_noise_db", -1.0);
    const char* place = worst["drop"].get<double>() <= 0.0    ? "which costs no accuracy here"
                        : rows.size() == 1                    ? "where the loss comes from"
                        : worst["model"] == noisiest["model"] ? "the network that loses most"
                                                              : "which does not lose most";
    return "Post-training quantization costs, in points of top-1: " + enumerate(drops) + ". " +
           filled("The ranges cut off at most {clipped_most:.3f} % of the activations of any layer "
                  "({most_clipped_layer} of {model}), ",
                  cut) +
           filled("and the rounding of all layers before it leaves a signal-to-noise ratio of "
                  "{lowest_signal_to_noise_db:.1f} dB in {noisiest_layer} of {model}, ",
                  noisiest) +
           place + '.';
}

} // namespace

int main(int argc, char** argv) {
    CLI::App app("Exercise 1: post-training quantization of whole networks", "q1_ptq");
    options o;
    add_options(app, o);
    add_device_option(app, o);
    app.add_option("--weight-bytes", o.weight_bytes,
                   "choose the width of each layer's weights, 2 to 8 bits, so that all packed "
                   "weights take at most so many bytes; 0: as --weight-spec and --layer say")
        ->capture_default_str();
    app.add_option("--rounding", o.rounding,
                   std::string("choose steps of weights by the calibration images, and correct "
                               "biases: ") +
                       quantal::tune::rounding_names);
    app.add_option("--best", o.best_seconds,
                   "try observers and ways of rounding for so many seconds, and take what leaves "
                   "most signal at the output on a quarter of the calibration images")
        ->check(CLI::NonNegativeNumber)
        ->excludes("--observer", "--weight-observer", "--rounding");
    return run(app, argc, argv, [&] {
        report file{.exercise = "q1_ptq", .command = command_line(argc, argv)};
        run_exercise(o, file,
                     {.columns = {{"Model", "model"},
                                  {"Data", "data"},
                                  {"Calibration size", "calibration"},
                                  {"Quant config", "config"},
                                  {"Float Acc1", "float_top1"},
                                  {"Quant Acc1", "int_top1"}},
                      .evidence = {{"Peak MB", "peak_megabytes", 0}},
                      .add_rows = [&](subject& s, report& r) { add_rows(s, r, o); },
                      .answer = answer});
    });
}
