// SPDX-License-Identifier: Apache-2.0
/// Exercise 4: images a second in integers and in float by batch size, and why their ratio changes
/// with it. Weights are random unless given, images and ranges always: speed depends on none of
/// them.
#include "device_speed.hpp"
#if defined(QUANTAL_HOMEWORK_ONNX)
#include "trtexec.hpp"
#endif

#include <set>

using namespace homework;

namespace {

double number(const json& row, const char* key) {
    return row[key].get<double>();
}

/// What was measured of one form at one batch; `real` is the fastest float32.
json row_of(const std::string& model, const raced_network::figures& f,
            const raced_network::figures& real, std::int64_t batch, const benchmarks::peaks& p) {
    const auto images = static_cast<double>(batch);
    const auto part = f.kernels.part();
    const double seconds = f.times.seconds, parts = images / static_cast<double>(part);
    const batch_cost c = cost_of(f.kernels.steps(), static_cast<double>(part),
                                 f.in_float ? p.float_operations : p.byte_operations, p);
    const auto [fastest, slowest] =
        std::minmax_element(f.times.rounds.begin(), f.times.rounds.end());
    const auto ratios = benchmarks::speed_ratios(f.times.rounds, real.times.rounds);
    return {{"model", model},
            {"batch", batch},
            {"config", f.times.name},
            {"weight_spec", f.of.weight_spec},
            {"activation_spec", f.of.activation_spec},
            {"device", std::string("cpu ") + quantal::cpu::default_kernels().name},
            {"images_at_a_time", part},
            {"images_per_second", images / seconds},
            {"spread", (*slowest - *fastest) / seconds},
            {"latency_ms", 1e3 * seconds},
            {"float", real.times.name},
            {"float_images_per_second", images / real.times.seconds},
            {"ratio_to_float", benchmarks::median(ratios)},
            {"ratio_least", ratios.front()},
            {"ratio_most", ratios.back()},
            {"operations_per_byte", c.operations / c.bytes},
            {"megabytes_per_image", 1e-6 * c.bytes / static_cast<double>(part)},
            {"products_per_cent", 100 * parts * c.product_seconds / seconds},
            {"memory_per_cent", 100 * parts * c.memory_seconds / seconds},
            {"bound", bound_of(c, seconds / parts)},
            {"value_megabytes", 1e-6 * static_cast<double>(f.kernels.bytes())}};
}

void add_rows(const std::string& model, const speed_options& s, const options& o,
              std::size_t threads, const benchmarks::peaks& p, report& file) {
    progress_line tell(model);
    stopwatch watch;
    tell("batch sizes", 0, s.batches.size());
    raced_network network(model, s, o);
    for (std::size_t i = 0; i < s.batches.size(); ++i) {
        const auto all = network.race(s.batches[i], threads, s.rounds);
        const auto* real = &all.back();
        for (const auto& f : all)
            if (f.in_float && f.times.seconds < real->times.seconds) real = &f;
        const double seconds = watch.lap();
        for (const auto& f : all) {
            json& row = file.rows.emplace_back(row_of(model, f, *real, s.batches[i], p));
            row["threads"] = threads;
            row["seconds"] = seconds;
        }
        tell("batch sizes", i + 1, s.batches.size());
    }
}

json peaks_of(const benchmarks::peaks& p, std::size_t threads) {
    json reads = json::array();
    for (const auto& [bytes, rate] : p.reads)
        reads.push_back({{"bytes", bytes}, {"gigabytes_per_second", 1e-9 * rate}});
    return {{"threads", threads},
            {"byte_gop_per_second", 1e-9 * p.byte_operations},
            {"float_gop_per_second", 1e-9 * p.float_operations},
            {"reads", reads}};
}

std::string describe(const json& peaks) {
    return fmt::format("Hardware: {}, {} kernels, {} threads; at most {:.0f} Gop/s on bytes, "
                       "{:.0f} Gop/s on float32, {:.1f} GB/s read from memory.",
                       hardware(), quantal::cpu::default_kernels().name,
                       peaks["threads"].get<int>(), number(peaks, "byte_gop_per_second"),
                       number(peaks, "float_gop_per_second"),
                       number(peaks["reads"].back(), "gigabytes_per_second"));
}

/// The row of this model, batch and configuration.
const json& find(const json& rows, const json& model, std::int64_t batch, const json& config) {
    return *std::find_if(rows.begin(), rows.end(), [&](const json& row) {
        return row["model"] == model && row["batch"] == batch && row["config"] == config;
    });
}

/// "compute (products 71 % of the time at the peak, memory 12 %)"
std::string bound_text(const json& row) {
    return filled("{bound} (at the peaks products take {products_per_cent:.0f} % of the time and "
                  "memory {memory_per_cent:.0f} %)",
                  row);
}

/// How one form's ratio moves from the smallest batch to the largest, and what moves with it.
std::string explain(const json& few, const json& many, const json& few_real,
                    const json& many_real) {
    const auto growth = [](const json& from, const json& to) {
        return number(to, "images_per_second") / number(from, "images_per_second");
    };
    const double integers = growth(few, many), reals = growth(few_real, many_real);
    const bool apart = number(few, "ratio_most") < number(many, "ratio_least") ||
                       number(many, "ratio_most") < number(few, "ratio_least");
    const std::string more = integers > reals ? few["config"].get<std::string>() : "float";
    return filled("{model}, {config}: {ratio_to_float:.2f} times {float} at batch {batch}, ", few) +
           filled("{ratio_to_float:.2f} times {float} at batch {batch}", many) +
           (apart ? fmt::format(", because {} gains more by the batch", more)
                  : ", which is the same within the spread of the rounds") +
           fmt::format(": images a second grow {:.2f} times in integers, {:.2f} times in float. ",
                       integers, reals) +
           filled("An image moves {megabytes_per_image:.1f} MB at batch {batch}, ", few) +
           filled("its share of the weights among them, and {megabytes_per_image:.1f} MB at batch "
                  "{batch}",
                  many) +
           filled(" (float: {megabytes_per_image:.1f} MB", few_real) +
           filled(" and {megabytes_per_image:.1f} MB). ", many_real) +
           filled("At batch {batch} the integers are bound by ", few) + bound_text(few) +
           ", float by " + bound_text(few_real) +
           filled("; at batch {batch} the integers by ", many) + bound_text(many) + ", float by " +
           bound_text(many_real) + '.';
}

std::string answer(const json& rows, const std::vector<std::int64_t>& batches, const json& peaks) {
    const auto [least, most] = std::minmax_element(batches.begin(), batches.end());
    std::string text = fmt::format(
        "On registers alone this machine does {:.1f} times as many operations a second on bytes as "
        "on float32; what is below that went to memory and to overhead (transforms, packing, "
        "rounding, waiting for threads), what is above it to transforms and few bits, which need "
        "fewer products than are counted.",
        number(peaks, "byte_gop_per_second") / number(peaks, "float_gop_per_second"));
    std::set<std::string> told;
    for (const json& row : rows) {
        const std::string model = row["model"];
        if (!told.insert(model).second) continue;
        const auto at = [&](std::int64_t batch, const json& config) -> const json& {
            return find(rows, model, batch, config);
        };
        const json &few = at(*least, row["config"]), &many = at(*most, row["config"]);
        text += "\n\n" + explain(few, many, at(*least, few["float"]), at(*most, many["float"]));
    }
    return text;
}

const std::vector<column> columns{{"Model", "model"},
                                  {"Batch size", "batch"},
                                  {"Quant config", "config"},
                                  {"QPS", "images_per_second"},
                                  {"Float QPS", "float_images_per_second"},
                                  {"of", "float"},
                                  {"Ratio", "ratio_to_float"},
                                  {"least", "ratio_least"},
                                  {"most", "ratio_most"},
                                  {"Spread of QPS", "spread"},
                                  {"Latency, ms", "latency_ms"},
                                  {"Operations a byte", "operations_per_byte", 0},
                                  {"Products, % of the time at the peak", "products_per_cent", 0},
                                  {"Memory, %", "memory_per_cent", 0},
                                  {"Bound", "bound"},
                                  {"Images at a time", "images_at_a_time"},
                                  {"MB of values", "value_megabytes", 0}};

#if defined(QUANTAL_HOMEWORK_ONNX)
void add_tensorrt(const speed_options& s, const options& o, report& file) {
    std::vector<tensorrt_models> models;
    for (const std::string& name : o.models) {
        std::mt19937_64 g(o.seed);
        const quantal::graph net = raced_graph(name, s, o, g);
        models.push_back(write_for_tensorrt(s.tensorrt, name, net, random_calibration(net, g)));
    }
    race_in_tensorrt(s.tensorrt, models, s.batches, file);
}
#endif

void race(speed_options& s, options& o, report& file) {
    const std::size_t threads = quantal::thread_count(o.threads, SIZE_MAX);
    o.threads = static_cast<int>(threads);
    backend::use_threads(o.threads);
    const auto peaks = benchmarks::measure_peaks(quantal::cpu::default_kernels().name, threads);
    const json kept = peaks_of(peaks, threads);
    file.evidence["peaks"] = kept;
    for (const std::string& model : o.models)
        add_rows(model, s, o, threads, peaks, file);
    file.evidence["answer"] = answer(file.rows, s.batches, kept);
    fmt::print("{}\n\n{}\n{}\n", describe(kept), to_markdown(file.rows, columns),
               file.evidence["answer"].get<std::string>());
    if (!backend::second_answers)
        fmt::print("\nBuilt without LibTorch: float is quantal's float32 alone.\n");
    if (!o.json.empty()) file.write(o.json);
}

void add_speed_options(CLI::App& app, speed_options& s, options& o) {
    app.add_option("--model", o.models, "networks: resnet18, vgg16_bn, mobilenet_v2, ...")
        ->check(a_network())
        ->capture_default_str();
    app.add_option("--weights", o.weights,
                   "checkpoint of the one model: .safetensors, .pth or .th (default: random)");
    app.add_option("--size", s.size, "height and width of an image, with random weights")
        ->check(CLI::Range(32, 1024))
        ->capture_default_str();
    app.add_option("--batch", s.batches, "images a run, several")
        ->delimiter(',')
        ->check(CLI::Range(1, 4096))
        ->capture_default_str();
    app.add_option("--threads", o.threads, "0: all cores")
        ->check(CLI::NonNegativeNumber)
        ->capture_default_str();
    app.add_option("--rounds", s.rounds, "how often everything is timed, in turn")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    app.add_option("--megabytes", s.megabytes,
                   "memory for the values of a form; a larger batch goes through in parts")
        ->check(CLI::Range(1, 1 << 20))
        ->capture_default_str();
    app.add_option("--seed", o.seed, "of weights and images")->capture_default_str();
#if defined(QUANTAL_HOMEWORK_ONNX)
    app.add_option("--tensorrt", s.tensorrt,
                   "write the networks for TensorRT into this folder and time them with trtexec; "
                   "without it or a GPU, print its commands");
#endif
    add_device_option(app, o,
                      "cpu, or cuda and cuda:N (device number N): the integer forms alone, on a "
                      "CUDA device");
    add_json_option(app, o);
}

} // namespace

int main(int argc, char** argv) {
    CLI::App app("Exercise 4: images a second in integers and in float, by batch size", "q4_speed");
    options o{.models = {"resnet18", "vgg16_bn", "mobilenet_v2"}};
    speed_options s;
    bool quick = false;
    add_speed_options(app, s, o);
    app.add_flag("--quick", quick, "batches of 1 and 32 in three rounds, W8A8 and W4A4");
    return run(app, argc, argv, [&] {
        if (quick) {
            s.batches = {1, 32};
            s.rounds = 3;
            s.forms = {integer_forms[0], integer_forms[2]};
        }
        if (o.device) check_times_mean_something(*o.device);
        report file{.exercise = "q4_speed", .command = command_line(argc, argv)};
#if defined(QUANTAL_HOMEWORK_ONNX)
        if (!s.tensorrt.empty()) add_tensorrt(s, o, file);
#endif
        if (o.device)
            run_device_speed(s, o, file);
        else
            race(s, o, file);
    });
}
