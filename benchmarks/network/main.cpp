// SPDX-License-Identifier: Apache-2.0
/// network export MODEL FOLDER: a network with random weights in all forms, and images with the
/// answers of its float32 form, for peers to read.
/// network run FOLDER FORM BATCH THREADS: times that form; one line in, one line of JSON out.
#include "../../examples/homework/forms.hpp"

#include "support/random_weights.hpp"
#include "support/rows.hpp"

#include <quantal/io/checkpoint.hpp>
#include <quantal/io/deployable.hpp>
#include <quantal/io/safetensors.hpp>
#include <quantal/models/by_name.hpp>
#include <quantal/passes/optimize.hpp>
#include <quantal/runtime/cpu/program.hpp>

#include <iostream>

#include <sys/resource.h>

using namespace quantal;

namespace {

constexpr std::int64_t images_to_compare = 4, images_to_calibrate = 4;
constexpr std::uint64_t seed = 20261124;
constexpr int wall_time = 0; // as the peers are timed: their threads may wait in busy loops

std::filesystem::path file_of(const std::filesystem::path& folder, const std::string& form) {
    return folder / (form + ".quantal");
}

std::string lower_case(std::string text) {
    for (char& c : text)
        c = static_cast<char>(std::tolower(c));
    return text;
}

/// One layer whose products are the largest there are, 255 * 127: what saturates gives half of
/// them.
constexpr const char* largest = "largest";
graph largest_sums() {
    graph net;
    net.conv2d("conv", net.input({64, 8, 8}), {.out_channels = 64});
    for (const auto& [name, shape] : parameter_shapes(net)) {
        tensor<float> values(shape);
        if (shape.rank() > 1) std::fill(values.values().begin(), values.values().end(), 127.0f);
        net.parameters.emplace(name, std::move(values));
    }
    return net;
}

void export_network(const std::string& model, const std::filesystem::path& folder) {
    std::filesystem::create_directories(folder);
    std::mt19937_64 g(seed);
    graph net = model == largest ? largest_sums() : models::by_name(model, {});
    if (model != largest) benchmarks::randomize(net, g);
    net = passes::optimize(std::move(net));
    io::checkpoint images;
    const auto draw = [&](const char* name, std::int64_t count) {
        auto& t = images.tensors[name];
        t = benchmarks::normal(g, net.input_shape().with_front(count), 1.0f);
        if (model == largest) std::fill(t.values().begin(), t.values().end(), 255.0f);
        return t;
    };
    const auto calibration = draw("calibration", images_to_calibrate);
    const auto compared = draw("images", images_to_compare);
    images.tensors["answers"] = cpu::program(all_in_float(net)).run(compared);
    write_safetensors(folder / "images.safetensors", images);
    io::save(file_of(folder, "f32"), all_in_float(net), {{"model", model}});
    for (const homework::form& f : homework::integer_forms)
        io::save(file_of(folder, lower_case(f.name)),
                 homework::in_integers(net, f, {calibration}, 0), {{"model", model}});
}

double megabytes_so_far() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return static_cast<double>(usage.ru_maxrss) / 1024.0; // kilobytes
}

/// The images to compare, again and again until they are a batch.
tensor<float> batch_of(const tensor<float>& images, std::int64_t batch) {
    tensor<float> result(images.shape().without_front().with_front(batch));
    for (std::size_t i = 0; i < result.size(); ++i)
        result[i] = images[i % images.size()];
    return result;
}

void answer_requests(const std::filesystem::path& folder, const std::string& form,
                     std::int64_t batch, int threads) {
    const auto loaded = io::load(file_of(folder, form));
    const plan& p = loaded.network.plan();
    const cpu::program program(loaded.network, cpu::default_kernels(), batch);
    auto context = program.context(batch, threads);
    const auto images =
        batch_of(io::read_checkpoint(folder / "images.safetensors").tensors.at("images"), batch);
    tensor<float> output(p.at(p.net.output()).shape.with_front(batch));
    const benchmarks::contender run{form, [&] { context.run(images.values(), output.values()); }};
    std::int64_t operations = 0;
    for (const auto& s : program.describe())
        operations += s.operations;
    std::cout << benchmarks::json{{"name", "quantal"},
                                  {"version", cpu::default_kernels().name},
                                  {"operations", operations}}
              << std::endl;
    for (std::string request; std::getline(std::cin, request);) {
        benchmarks::json answer;
        if (request == "answers") {
            run.run();
            answer["answers"] = std::vector<float>(output.values().begin(), output.values().end());
        } else {
            const auto [mean, least] = benchmarks::time_of(run, wall_time, std::stod(request));
            answer["seconds"] = mean;
            answer["least_seconds"] = least;
            answer["megabytes"] = megabytes_so_far();
        }
        std::cout << answer << std::endl;
    }
}

void describe_machine(std::size_t threads) {
    benchmarks::json names = benchmarks::json::array();
    for (const cpu::kernel_set* kernels : cpu::runnable_kernels())
        names.push_back(kernels->name);
    const auto peaks = benchmarks::measure_peaks(cpu::default_kernels().name, threads);
    std::cout << benchmarks::json{{"kernels", names}, {"peaks", benchmarks::to_json(peaks)}}
              << std::endl;
}

} // namespace

int main(int argc, char** argv) {
    CLI::App app("One network in one form, timed on request", "network_benchmark");
    app.require_subcommand(1);
    std::string model, folder, form;
    std::int64_t batch = 1;
    int threads = 1;
    auto* make = app.add_subcommand("export", "write a network in all forms");
    make->add_option("model", model)->required();
    make->add_option("folder", folder)->required();
    auto* time = app.add_subcommand("run", "answer requests: seconds to run for, or \"answers\"");
    time->add_option("folder", folder)->required();
    time->add_option("form", form)->required();
    time->add_option("batch", batch)->required()->check(CLI::Range(1, 4096));
    time->add_option("threads", threads)->required()->check(CLI::PositiveNumber);
    auto* machine = app.add_subcommand("machine", "kernels that run here, and peaks");
    machine->add_option("threads", threads)->required()->check(CLI::PositiveNumber);
    return benchmarks::run(app, argc, argv, [&] {
        if (*make) export_network(model, folder);
        if (*time) answer_requests(folder, form, batch, threads);
        if (*machine) describe_machine(static_cast<std::size_t>(threads));
    });
}
