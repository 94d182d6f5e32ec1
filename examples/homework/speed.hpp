// SPDX-License-Identifier: Apache-2.0
/// One network in several forms, raced against each other at a batch size.
#ifndef QUANTAL_EXAMPLES_HOMEWORK_SPEED_HPP
#define QUANTAL_EXAMPLES_HOMEWORK_SPEED_HPP

#include "backend.hpp"
#include "device.hpp"
#include "forms.hpp"
#include "roofline.hpp"
#include "source.hpp"

#include <quantal/passes/optimize.hpp>
#include <quantal/runtime/cpu/program.hpp>

#include <support/race.hpp>
#include <support/random_weights.hpp>

namespace homework {

struct speed_options {
    std::vector<std::int64_t> batches{1, 32, 128, 256};
    std::vector<form> forms = integer_forms;
    int size = 224, rounds = 5;
    std::size_t megabytes = 2048;
    std::string tensorrt{}; ///< the folder for TensorRT's models, if they are wanted
};

/// A network with folded batch norms; its weights are random unless given.
[[nodiscard]] inline quantal::graph raced_graph(const std::string& name, const speed_options& s,
                                                const options& o, std::mt19937_64& g) {
    if (!o.weights.empty()) return load_network(name, {source::kind::imagenet, {}}, o).net;
    quantal::graph net = quantal::models::by_name(name, {.size = s.size});
    benchmarks::randomize(net, g);
    return quantal::passes::optimize(std::move(net));
}

/// Two images to calibrate a network on.
[[nodiscard]] inline std::vector<quantal::tensor<float>>
random_calibration(const quantal::graph& net, std::mt19937_64& g) {
    std::vector<quantal::tensor<float>> images;
    for (int i = 0; i < 2; ++i)
        images.push_back(benchmarks::normal(g, net.input_shape().with_front(1), 1.0f));
    return images;
}

/// Memory to run in.
[[nodiscard]] inline quantal::cpu::context context_of(const quantal::cpu::program& p,
                                                      std::int64_t batch, int threads) {
    return p.context(batch, threads);
}
[[nodiscard]] inline quantal::cuda::linked::context
context_of(const quantal::cuda::linked::program& p, std::int64_t batch, int /*threads*/) {
    return p.context(batch);
}

/// A network on the CPU's kernels or a device's. A batch whose values would take more memory than
/// allowed goes through in parts.
template <class Program>
class batch_runner {
public:
    /// `make(batch)`: the program for about so many images at a time.
    batch_runner(std::function<Program(std::int64_t)> make, std::size_t most_bytes, int threads)
        : make_(std::move(make)), program_(make_(1)), most_bytes_(most_bytes), threads_(threads) {}

    void prepare(std::int64_t batch) {
        context_.emplace(context_of(program_, 1, threads_));
        const std::size_t images = std::max<std::size_t>(1, most_bytes_ / context_->bytes());
        part_ = std::min(batch, static_cast<std::int64_t>(images));
        if (part_ > 1) program_ = make_(part_);
        context_.emplace(context_of(program_, part_, threads_));
    }
    void run(const quantal::tensor<float>& images, quantal::tensor<float>& output) {
        const auto count = static_cast<std::size_t>(images.shape()[0]);
        const std::size_t in = images.size() / count, out = output.size() / count;
        const auto part = static_cast<std::size_t>(part_);
        for (std::size_t first = 0; first < count; first += part) {
            const std::size_t n = std::min(part, count - first);
            context_->run(images.values().subspan(first * in, n * in),
                          output.values().subspan(first * out, n * out));
        }
    }
    /// Images that go through at a time.
    [[nodiscard]] std::int64_t part() const { return part_; }
    /// Of values and scratch memory.
    [[nodiscard]] std::size_t bytes() const { return context_->bytes(); }
    [[nodiscard]] auto steps() const { return program_.describe(); }

private:
    std::function<Program(std::int64_t)> make_;
    Program program_;
    std::size_t most_bytes_;
    int threads_;
    std::int64_t part_ = 1;
    std::optional<decltype(context_of(std::declval<const Program&>(), 1, 1))> context_;
};

using kernel_runner = batch_runner<quantal::cpu::program>;
using device_runner = batch_runner<quantal::cuda::linked::program>;

/// A network in all forms and in float32, by quantal and by LibTorch if that is there.
class raced_network {
public:
    raced_network(const std::string& name, const speed_options& s, const options& o)
        : most_bytes_(s.megabytes << 20), o_(o), g_(o.seed) {
        quantal::graph net = raced_graph(name, s, o, g_);
        image_ = net.input_shape();
        output_ = net.at(net.output()).shape;
        const auto images = random_calibration(net, g_);
        for (const form& f : s.forms)
            add(f, in_integers(net, f, images, o.threads));
        add({"float32 quantal", "float32", "float32"}, all_in_float(net));
        if (backend::second_answers) other_ = backend::in_float(net);
    }

    /// One contender's figures for a batch.
    struct figures {
        form of;
        bool in_float;
        const kernel_runner& kernels; ///< quantal's float32 beside LibTorch, whose work is the same
        benchmarks::result times;
    };

    /// The integer forms in their order, then float32.
    [[nodiscard]] std::vector<figures> race(std::int64_t batch, std::size_t threads, int rounds) {
        constexpr double least_seconds = 0.1; // of a contender's turn
        const auto images = random_images(batch);
        quantal::tensor<float> output(output_.with_front(batch));
        std::vector<benchmarks::contender> contenders;
        for (auto& [f, kernels] : forms_) {
            kernels->prepare(batch);
            contenders.push_back({f.name, [&, k = kernels.get()] { k->run(images, output); }});
        }
        std::vector<quantal::tensor<float>> parts;
        if (other_) {
            parts = split(images, forms_.back().second->part());
            contenders.push_back({std::string("float32 ") + backend::name, [&] {
                                      for (const auto& part : parts)
                                          (void)other_(part, {});
                                  }});
        }
        std::vector<figures> all;
        for (auto& times :
             benchmarks::race(contenders, static_cast<int>(threads), rounds, least_seconds)) {
            const bool in_float = all.size() + 1 >= forms_.size();
            const auto& [f, kernels] = in_float ? forms_.back() : forms_[all.size()];
            all.push_back({f, in_float, *kernels, std::move(times)});
        }
        return all;
    }

private:
    void add(const form& f, const quantal::integer_network& n) {
        const auto make = [n](std::int64_t batch) {
            return quantal::cpu::program(n, quantal::cpu::default_kernels(), batch);
        };
        forms_.emplace_back(f, std::make_unique<kernel_runner>(make, most_bytes_, o_.threads));
    }
    quantal::tensor<float> random_images(std::int64_t count) {
        return benchmarks::normal(g_, image_.with_front(count), 1.0f);
    }
    std::vector<quantal::tensor<float>> split(const quantal::tensor<float>& images,
                                              std::int64_t part) const {
        std::vector<quantal::tensor<float>> parts;
        for (std::int64_t first = 0; first < images.shape()[0]; first += part) {
            const std::int64_t n = std::min(part, images.shape()[0] - first);
            const auto values =
                images.values().subspan(static_cast<std::size_t>(first) * image_.count(),
                                        static_cast<std::size_t>(n) * image_.count());
            parts.emplace_back(image_.with_front(n));
            std::copy(values.begin(), values.end(), parts.back().values().begin());
        }
        return parts;
    }

    std::size_t most_bytes_;
    const options& o_;
    std::mt19937_64 g_;
    quantal::extents image_, output_;
    std::vector<std::pair<form, std::unique_ptr<kernel_runner>>> forms_; ///< float32 last
    backend::float_network other_;
};

} // namespace homework

#endif
