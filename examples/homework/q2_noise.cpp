// SPDX-License-Identifier: Apache-2.0
/// Exercise 2: calibration on standard Gaussian noise instead of images. How much accuracy is left,
/// and what the ranges of the layers say about it.
#include "exercise.hpp"
#include "noise.hpp"

using namespace homework;

namespace {

struct noise_options {
    std::vector<std::size_t> samples{1, 10, 100};
    std::uint64_t draws = 3;
};

quantal::table calibrate_on_noise(subject& s, const options& o, std::size_t samples,
                                  std::uint64_t seed) {
    const gaussian_noise noise(s.plan.net.input_shape(), samples, seed);
    return calibrate_network(s, noise, {.batch_size = 16, .count = samples}, o);
}

/// The top-1 accuracies of the simulation for other draws of the noise.
std::vector<double> other_draws(subject& s, const options& o, std::size_t samples,
                                std::uint64_t draws) {
    std::vector<double> top1;
    for (std::uint64_t draw = 1; draw < draws; ++draw) {
        const quantal::table t = calibrate_on_noise(s, o, samples, o.seed + draw);
        top1.push_back(per_cent(s.right(simulate(s, t)), s.count));
    }
    return top1;
}

/// Each layer under images and under noise: ranges, what they cut off, signal-to-noise.
std::string layer_table(const std::string& model, const std::vector<std::string>& sets,
                        const json& evidence) {
    std::vector<column> columns{{"Layer", "layer"}};
    json rows = json::array();
    for (const std::string& set : sets) {
        const json &ranges = evidence["ranges"][model + ", " + set],
                   &noise = evidence["signal_to_noise_db"][model + ", " + set];
        columns.push_back({set + ": range", set + "range"});
        columns.push_back({"clipped, %", set + "clipped", 3});
        columns.push_back({"SNR, dB", set + "decibels", 1});
        for (std::size_t i = 0; i < ranges.size(); ++i) {
            rows[i]["layer"] = ranges[i]["layer"];
            rows[i][set + "range"] = fmt::format("{:.2f} to {:.2f}", ranges[i]["lo"].get<double>(),
                                                 ranges[i]["hi"].get<double>());
            rows[i][set + "clipped"] = ranges[i]["clipped_per_cent"];
            rows[i][set + "decibels"] = noise[i]["decibels"];
        }
    }
    return model + ", layer by layer:\n\n" + to_markdown(rows, columns);
}

void add_rows(subject& s, report& file, const options& o, const noise_options& n) {
    const quantal::table by_images =
        calibrate_network(s, *s.sets.other, calibration_order(*s.sets.other, o), o);
    json& images = add_row(file, s, o, {s.name + ", images", by_images, by_images});
    images["calibration_set"] = "images";
    images["seconds"] = s.watch.lap();
    std::vector<std::string> sets{"images"};
    for (const std::size_t samples : n.samples) {
        sets.push_back(fmt::format("noise {}", samples));
        const quantal::table by_noise = calibrate_on_noise(s, o, samples, o.seed);
        json& row = add_row(file, s, o, {s.name + ", " + sets.back(), by_noise, by_images});
        row["calibration_set"] = "noise";
        row["calibration"] = samples;
        std::vector<double> top1 = other_draws(s, o, samples, n.draws);
        top1.push_back(row["sim_top1"].get<double>());
        add_spread(row, top1);
        row["seconds"] = s.watch.lap();
    }
    if (file.details.empty()) file.details.push_back(layer_table(s.name, sets, file.evidence));
}

/// What share of the accuracy with images is left, in words.
std::string kept(double noise, double images) {
    if (noise > 0.99 * images) return "keeps nearly all of its accuracy";
    if (noise > 0.5 * images) return "keeps most of its accuracy";
    return "loses most of its accuracy";
}

/// "resnet18 has 1.00, 2.00 and 3.00 % (images 4.00 %, float 5.00 %)": the rows from `first` on
/// that belong to one network.
std::string accuracies(const json& rows, std::size_t first) {
    const json& images = rows[first];
    std::vector<std::string> noise;
    double last = 0.0;
    for (std::size_t i = first + 1; i < rows.size() && rows[i]["model"] == images["model"]; ++i) {
        last = quoted_top1(rows[i]);
        noise.push_back(fmt::format("{:.2f}", last));
    }
    return filled("{model} has ", images) + enumerate(noise) +
           fmt::format(" % (images {:.2f} %", quoted_top1(images)) +
           filled(", float {float_top1:.2f} %) and ", images) + kept(last, quoted_top1(images));
}

std::string answer(const json& rows, const noise_options& n) {
    std::vector<std::string> networks, samples;
    for (std::size_t i = 0; i < rows.size(); i += n.samples.size() + 1)
        networks.push_back(accuracies(rows, i));
    for (const std::size_t count : n.samples)
        samples.push_back(std::to_string(count));
    const json& row = rows[n.samples.size()];
    const double width = row["width_median"].get<double>();
    const char* judgement = width < 0.5   ? "far too narrow"
                            : width > 2.0 ? "far too wide"
                                          : "of the same order";
    return fmt::format("Calibrated on {} samples of noise ({}), {}. ", enumerate(samples),
                       quoted_measure(row), fmt::join(networks, "; ")) +
           filled("Weights do not depend on the data; the ranges of activations do, and with "
                  "{calibration} samples the median layer of {model} has {width_median:.2f} times "
                  "the width that images give it, ",
                  row) +
           judgement +
           filled(
               ", and cuts off {clipped_median:.3f} % of what images give, but the ratio goes "
               "from {width_least:.2f} ({narrowest_layer}) to {width_most:.2f} ({widest_layer}), "
               "{most_clipped_layer} loses {clipped_most:.2f} %, and the lowest signal-to-noise "
               "ratio is {lowest_signal_to_noise_db:.1f} dB ({noisiest_layer}) ",
               row) +
           filled("instead of {lowest_signal_to_noise_db:.1f}.", rows[0]);
}

} // namespace

int main(int argc, char** argv) {
    CLI::App app("Exercise 2: calibration on Gaussian noise instead of images", "q2_noise");
    options o;
    noise_options n;
    add_options(app, o);
    add_device_option(app, o);
    app.add_option("--samples", n.samples, "sizes of the calibration sets of noise")
        ->delimiter(',')
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    app.add_option("--draws", n.draws,
                   "how often noise is drawn (--seed and the numbers after it); the first draw is "
                   "measured in full, the others by simulation")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    return run(app, argc, argv, [&] {
        report file{.exercise = "q2_noise", .command = command_line(argc, argv)};
        run_exercise(o, file,
                     {.columns = {{"Model", "model"},
                                  {"Calibration set", "calibration_set"},
                                  {"Calibration size", "calibration"},
                                  {"Quant config", "config"},
                                  {"Acc1", "int_top1"},
                                  {"Float Acc1", "float_top1"}},
                      .evidence = {{"Draws", "repetitions"},
                                   {"Simulated Acc1 from", "sim_top1_least"},
                                   {"to", "sim_top1_most"},
                                   {"Width against images: least", "width_least"},
                                   {"median", "width_median"},
                                   {"most", "width_most"}},
                      .add_rows = [&](subject& s, report& r) { add_rows(s, r, o, n); },
                      .answer = [&](const json& rows) { return answer(rows, n); }});
    });
}
