// SPDX-License-Identifier: Apache-2.0
/// The time that each layer takes at each width of its weights, measured.
#ifndef QUANTAL_TUNE_LAYER_SECONDS_HPP
#define QUANTAL_TUNE_LAYER_SECONDS_HPP

#include <quantal/runtime/calibrate.hpp>
#include <quantal/runtime/cpu/executor.hpp>
#include <quantal/runtime/cpu/program.hpp>

namespace quantal {
inline namespace v0 {
namespace tune {

/// A cost for `measure_widths`: the seconds that the CPU's kernels spend on a layer for one image
/// of a batch, while the weights of all layers have the same width. Measure it while nothing else
/// runs.
class layer_seconds {
public:
    /// Of each step counts the fastest of `rounds` runs.
    layer_seconds(const plan& p, std::span<const int> widths, const tensor<float>& images,
                  int threads = 0, int rounds = 10) {
        const table known = calibrate(p, cpu::executor(p.net, threads), std::span(&images, 1));
        for (const int width : widths) {
            plan q = p;
            for (role& r : q.roles)
                if (r.weights) r.weights->bits = width;
            table t;
            t.activations = known.activations;
            calibrate_weights(q, t, observe::minmax{});
            measure(quantize(std::move(q), std::move(t)), width, images, threads, rounds);
        }
    }

    /// Throws `spec_error` for a width that was not measured.
    [[nodiscard]] double operator()(const plan& p, value v, int width) const {
        auto found = seconds_.find({p.at(v).name, width});
        for (value u = v + 1; found == seconds_.end() && u < p.net.size(); ++u)
            if (const auto& read = p.at(u).inputs;
                std::find(read.begin(), read.end(), v) != read.end())
                found = seconds_.find({p.at(u).name, width}); // a step is named after its last node
        if (found == seconds_.end())
            quantal::detail::fail<spec_error>("\"", p.at(v).name, "\" was not measured with ",
                                              width, " bits");
        return found->second;
    }

private:
    void measure(const integer_network& n, int width, const tensor<float>& images, int threads,
                 int rounds) {
        const std::int64_t batch = images.shape()[0];
        const cpu::program program(n, cpu::default_kernels(), batch);
        cpu::context context = program.context(batch, threads);
        const extents each = n.plan().at(n.plan().net.output()).shape;
        tensor<float> output(each.with_front(images.shape()[0]));
        std::vector<cpu::step_description> fastest;
        for (int i = 0; i < rounds; ++i) {
            context.reset_seconds();
            context.run(images.values(), output.values());
            const auto steps = program.describe(context);
            if (i == 0) fastest = steps;
            for (std::size_t s = 0; s < steps.size(); ++s)
                fastest[s].seconds = std::min(fastest[s].seconds, steps[s].seconds);
        }
        for (const cpu::step_description& s : fastest)
            seconds_[{s.layer, width}] += s.seconds;
    }

    std::map<std::pair<std::string, int>, double> seconds_;
};

} // namespace tune
} // namespace v0
} // namespace quantal

#endif
