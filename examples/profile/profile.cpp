// SPDX-License-Identifier: Apache-2.0
/// Where the time of a network in integers goes: every step and every kernel, with random weights.
#include "../homework/written_quantization.hpp"

#include <support/command_line.hpp>
#include <support/random_weights.hpp>

#include <quantal/models/by_name.hpp>
#include <quantal/passes/optimize.hpp>
#include <quantal/runtime/calibrate.hpp>
#include <quantal/runtime/cpu/executor.hpp>
#include <quantal/runtime/cpu/program.hpp>

#include <fmt/format.h>

#include <chrono>

using benchmarks::normal;

namespace {

struct run_options {
    std::string model = "resnet18", arch{}, weight_spec = "w8", activation_spec = "a8";
    std::vector<std::string> layers{};
    int size = 224, threads = 1;
    std::int64_t batch = 1, calibration = 2, runs = 10;
    std::uint64_t seed = 1;
};

const quantal::cpu::kernel_set& kernels_of(const run_options& o) {
#if defined(QUANTAL_DISPATCH)
    if (!o.arch.empty()) return quantal::cpu::kernels_named(o.arch.c_str());
#else
    if (!o.arch.empty())
        quantal::detail::fail<quantal::spec_error>(
            "--arch needs quantal::dispatch; this program has the kernels of its compiler's flags");
#endif
    return quantal::cpu::default_kernels();
}

/// The network, calibrated on a few random images.
quantal::integer_network make(const run_options& o, const quantal::quantization& q,
                              const quantal::cpu::kernel_set& kernels, std::mt19937_64& g) {
    quantal::graph net = quantal::models::by_name(o.model, {.size = o.size});
    benchmarks::randomize(net, g);
    quantal::plan p = place(quantal::passes::optimize(std::move(net)), q);
    std::vector<quantal::tensor<float>> images;
    for (std::int64_t i = 0; i < o.calibration; ++i)
        images.push_back(normal(g, p.net.input_shape().with_front(1), 1.0f));
    quantal::table t = calibrate(p, quantal::cpu::executor(p.net, o.threads, kernels), images);
    return quantize(std::move(p), std::move(t));
}

struct measurement {
    std::vector<double> seconds;                         ///< of each run, sorted
    std::vector<quantal::cpu::step_description> fastest; ///< the steps of the fastest run
};

/// Times runs after a first one, which finds its memory.
measurement measure(const quantal::cpu::program& program, quantal::cpu::context& context,
                    const quantal::tensor<float>& images, std::span<float> output,
                    std::int64_t runs) {
    context.run(images.values(), output);
    measurement m;
    for (std::int64_t i = 0; i < runs; ++i) {
        context.reset_seconds();
        const auto start = std::chrono::steady_clock::now();
        context.run(images.values(), output);
        const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
        if (m.seconds.empty() ||
            spent.count() < *std::min_element(m.seconds.begin(), m.seconds.end()))
            m.fastest = program.describe(context);
        m.seconds.push_back(spent.count());
    }
    std::sort(m.seconds.begin(), m.seconds.end());
    return m;
}

void profile(const run_options& o, const quantal::quantization& q) {
    std::mt19937_64 g(o.seed);
    const quantal::cpu::kernel_set& kernels = kernels_of(o);
    const quantal::integer_network n = make(o, q, kernels, g);
    const quantal::cpu::program program(n, kernels, o.batch);
    auto context = program.context(o.batch, o.threads);
    const auto images = normal(g, n.plan().net.input_shape().with_front(o.batch), 1.0f);
    quantal::tensor<float> output(n.plan().at(n.plan().net.output()).shape.with_front(o.batch));
    const auto [seconds, steps] = measure(program, context, images, output.values(), o.runs);
    const auto totals = quantal::cpu::totals_by_kernel(steps);
    const auto rate = [&](double s) { return static_cast<double>(o.batch) / s; };
    fmt::print("{}\n{}\n", quantal::cpu::print(steps), quantal::cpu::print(totals));
    fmt::print("{}, {} x {}, batch {}, {} threads, {}: {:.2f} images a second (median of {} runs; "
               "{:.2f} to {:.2f}), {:.1f} MB of memory\n",
               o.model, o.size, o.size, o.batch, o.threads, kernels.name,
               rate(seconds[seconds.size() / 2]), o.runs, rate(seconds.back()),
               rate(seconds.front()), 1e-6 * static_cast<double>(context.bytes()));
}

} // namespace

int main(int argc, char** argv) {
    CLI::App app("Where the time of a network in integers goes", "profile");
    run_options o;
    app.add_option("--model", o.model, "resnet18, vgg16_bn, mobilenet_v2, ...")
        ->capture_default_str();
    app.add_option("--size", o.size, "height and width of an image")
        ->check(CLI::Range(32, 1024))
        ->capture_default_str();
    app.add_option("--batch", o.batch, "images a run")
        ->check(CLI::Range(1, 1024))
        ->capture_default_str();
    app.add_option("--threads", o.threads, "0: all cores")
        ->check(CLI::NonNegativeNumber)
        ->capture_default_str();
    app.add_option("--arch", o.arch, "kernels: generic, sse2, avx2, ... (default: the best)");
    app.add_option("--weight-spec", o.weight_spec, "for example w8")->capture_default_str();
    app.add_option("--activation-spec", o.activation_spec, "for example a8")->capture_default_str();
    app.add_option("--layer", o.layers, "PATTERN=SPEC for layers that differ; several times");
    app.add_option("--calibration", o.calibration, "random images to calibrate on")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    app.add_option("--runs", o.runs,
                   "how often it is timed; the steps are those of the fastest run")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    app.add_option("--seed", o.seed, "of weights and images")->capture_default_str();
    return benchmarks::run(app, argc, argv, [&] {
        profile(o, homework::written_quantization(o.weight_spec, o.activation_spec, o.layers));
    });
}
