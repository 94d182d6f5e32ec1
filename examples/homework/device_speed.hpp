// SPDX-License-Identifier: Apache-2.0
/// Exercise 4 on a CUDA device: images a second of a network's integer forms by batch size.
#ifndef QUANTAL_EXAMPLES_HOMEWORK_DEVICE_SPEED_HPP
#define QUANTAL_EXAMPLES_HOMEWORK_DEVICE_SPEED_HPP

#include "report.hpp"
#include "speed.hpp"

namespace homework {

/// Throws `data_error` for the host runner.
inline void check_times_mean_something(const quantal::cuda::linked::device& d) {
    if (d.is_host_runner())
        quantal::detail::fail<quantal::data_error>(
            "--device cuda: this program was built without nvcc, and times of the CUDA host runner "
            "say nothing about a device; build with the option QUANTAL_CUDA");
}

/// One form on the device, ready for any batch.
struct device_form {
    form of;
    device_runner runner;
};

[[nodiscard]] inline std::vector<device_form> forms_on(const quantal::cuda::linked::device& d,
                                                       const quantal::graph& net,
                                                       const speed_options& s, const options& o,
                                                       std::mt19937_64& g) {
    const auto images = random_calibration(net, g);
    std::vector<device_form> all;
    for (const form& f : s.forms) {
        const auto program = quantal::lower(in_integers(net, f, images, o.threads), d);
        const auto same = [program](std::int64_t /*batch*/) { return program; };
        all.push_back({f, {same, s.megabytes << 20, o.threads}});
    }
    return all;
}

/// The times of all forms at a batch, by the wall clock: from images in the host's memory to
/// results there.
[[nodiscard]] inline std::vector<benchmarks::result>
race_on_device(std::vector<device_form>& forms, const quantal::tensor<float>& images,
               quantal::tensor<float>& output, int rounds) {
    constexpr double least_seconds = 0.1; // of a contender's turn
    constexpr int wall_clock = 2;         // processor time is that of one thread only
    std::vector<benchmarks::contender> contenders;
    for (auto& [f, runner] : forms) {
        runner.prepare(images.shape()[0]);
        contenders.push_back({f.name, [&, r = &runner] { r->run(images, output); }});
    }
    return benchmarks::race(contenders, wall_clock, rounds, least_seconds);
}

[[nodiscard]] inline json device_row(const std::string& model, const std::string& device,
                                     std::int64_t batch, const device_form& f,
                                     const benchmarks::result& times) {
    const auto [fastest, slowest] = std::minmax_element(times.rounds.begin(), times.rounds.end());
    return {{"model", model},
            {"batch", batch},
            {"config", times.name},
            {"weight_spec", f.of.weight_spec},
            {"activation_spec", f.of.activation_spec},
            {"device", device},
            {"images_at_a_time", f.runner.part()},
            {"images_per_second", static_cast<double>(batch) / times.seconds},
            {"spread", (*slowest - *fastest) / times.seconds},
            {"latency_ms", 1e3 * times.seconds},
            {"ratio_to_first", times.ratio},
            {"value_megabytes", 1e-6 * static_cast<double>(f.runner.bytes())}};
}

/// All batches of one network.
inline void add_device_rows(const std::string& model, const speed_options& s, const options& o,
                            report& file) {
    progress_line tell(model);
    tell("batch sizes", 0, s.batches.size());
    std::mt19937_64 g(o.seed);
    const quantal::graph net = raced_graph(model, s, o, g);
    auto forms = forms_on(*o.device, net, s, o, g);
    for (std::size_t i = 0; i < s.batches.size(); ++i) {
        const std::int64_t batch = s.batches[i];
        const auto images = benchmarks::normal(g, net.input_shape().with_front(batch), 1.0f);
        quantal::tensor<float> output(net.at(net.output()).shape.with_front(batch));
        const auto results = race_on_device(forms, images, output, s.rounds);
        for (std::size_t f = 0; f < forms.size(); ++f)
            file.rows.push_back(device_row(model, name_of(o.device), batch, forms[f], results[f]));
        tell("batch sizes", i + 1, s.batches.size());
    }
}

/// How images a second grow from the smallest batch to the largest, by network, in the first form.
[[nodiscard]] inline std::string device_answer(const json& rows, const speed_options& s) {
    const auto ends = std::minmax_element(s.batches.begin(), s.batches.end());
    const std::int64_t least = *ends.first, most = *ends.second;
    const auto is = [&](const json& row, std::int64_t batch) {
        return row["batch"] == batch && row["config"] == s.forms.front().name;
    };
    std::vector<std::string> told;
    for (const json& few : rows) {
        if (!is(few, least)) continue;
        const json& many = *std::find_if(rows.begin(), rows.end(), [&](const json& row) {
            return is(row, most) && row["model"] == few["model"];
        });
        told.push_back(
            filled("{model}, {config}: {images_per_second:.0f} at batch {batch} and ", few) +
            filled("{images_per_second:.0f} at batch {batch}", many));
    }
    return "Images a second on the device, from the host's memory and back: " +
           fmt::format("{}", fmt::join(told, "; ")) +
           ". Codes of fewer than 8 bits lie in bytes there. What float16 does on the same device "
           "is "
           "TensorRT's to say (--tensorrt).";
}

inline const std::vector<column> device_columns{{"Model", "model"},
                                                {"Batch size", "batch"},
                                                {"Quant config", "config"},
                                                {"QPS", "images_per_second"},
                                                {"Spread of QPS", "spread"},
                                                {"Latency, ms", "latency_ms", 3},
                                                {"Speed against the first", "ratio_to_first"},
                                                {"Images at a time", "images_at_a_time"},
                                                {"MB of values", "value_megabytes", 0}};

/// Exercise 4 with `--device cuda`.
inline void run_device_speed(const speed_options& s, const options& o, report& file) {
    file.device = hardware_of(o.device);
    for (const std::string& model : o.models)
        add_device_rows(model, s, o, file);
    file.evidence["answer"] = device_answer(file.rows, s);
    fmt::print("Hardware: {}; {}.\n\n{}\n{}\n", hardware(), file.device,
               to_markdown(file.rows, device_columns), file.evidence["answer"].get<std::string>());
    if (!o.json.empty()) file.write(o.json);
}

} // namespace homework

#endif
