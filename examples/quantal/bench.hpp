// SPDX-License-Identifier: Apache-2.0
/// quantal bench: how fast networks are, beside each other.
#ifndef QUANTAL_EXAMPLES_QUANTAL_BENCH_HPP
#define QUANTAL_EXAMPLES_QUANTAL_BENCH_HPP

#include "report.hpp"

#include <quantal/runtime/cpu/program.hpp>

#include <random>

namespace command {

struct bench_options {
    std::vector<std::string> models;
    std::int64_t batch = 1;
    double seconds = 2.0;
    bool steps = false;
    common_options common{};
};

/// One network with memory, threads and images to run.
class contestant {
public:
    contestant(const network_file& file, const bench_options& o)
        : name(file.path.string()), kind(file.kind()),
          program_(quantal::lower(file.network(), quantal::cpu::default_kernels(), o.batch)),
          context_(program_.context(o.batch, o.common.threads)),
          images_(file.image_shape().with_front(o.batch)) {
        std::mt19937 random(1);
        std::normal_distribution<float> normal;
        for (float& x : images_.values())
            x = normal(random);
        outputs_.resize(program_.run(images_, o.common.threads).size());
    }
    contestant(const contestant&) = delete;
    contestant& operator=(const contestant&) = delete;

    void run() {
        const stopwatch watch;
        context_.run(std::as_const(images_).values(), outputs_);
        seconds_.push_back(watch.seconds());
    }
    [[nodiscard]] double images_a_second() {
        const auto middle = seconds_.begin() + std::ssize(seconds_) / 2;
        std::nth_element(seconds_.begin(), middle, seconds_.end());
        return static_cast<double>(images_.shape()[0]) / *middle;
    }
    [[nodiscard]] std::vector<quantal::cpu::step_description> steps() const {
        return program_.describe(context_);
    }

    std::string name, kind;

private:
    quantal::cpu::program program_;
    quantal::cpu::context context_;
    quantal::tensor<float> images_;
    std::vector<float> outputs_;
    std::vector<double> seconds_;
};

/// Medians of runs in turn, so that all networks see the same machine.
inline void bench(const bench_options& o) {
    std::vector<std::unique_ptr<contestant>> all;
    for (const std::string& model : o.models)
        all.push_back(std::make_unique<contestant>(o.common.read(model), o));
    for (const stopwatch watch; watch.seconds() < o.seconds * static_cast<double>(all.size());)
        for (const auto& one : all)
            one->run();
    nlohmann::ordered_json rows;
    double first = 0;
    for (const auto& one : all) {
        const double speed = one->images_a_second();
        if (rows.empty()) first = speed;
        if (o.common.tells()) {
            fmt::print("{} ({}): {:.1f} images a second, {:.3f} ms an image, {:.2f} times the "
                       "first\n",
                       one->name, one->kind, speed, 1000.0 / speed, speed / first);
            if (o.steps) fmt::print("{}", quantal::cpu::print(one->steps()));
        }
        rows.push_back({{"model", one->name},
                        {"kind", one->kind},
                        {"images_a_second", speed},
                        {"times_the_first", speed / first}});
    }
    o.common.write({{"batch", o.batch},
                    {"threads", o.common.threads},
                    {"hardware", homework::hardware()},
                    {"networks", rows}});
}

inline subcommand add_bench(CLI::App& app) {
    auto o = std::make_shared<bench_options>();
    app.add_option("models", o->models,
                   "networks; the first one, in float say, is what the others "
                   "are compared with")
        ->required();
    app.add_option("--batch", o->batch, "images at a time")
        ->check(CLI::Range(1, 1024))
        ->capture_default_str();
    app.add_option("--seconds", o->seconds, "how long each network runs")->capture_default_str();
    app.add_flag("--steps", o->steps, "where the time goes, step by step");
    o->common.add_to(app);
    return [o] { bench(*o); };
}

} // namespace command

#endif
