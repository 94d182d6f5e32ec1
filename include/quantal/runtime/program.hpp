// SPDX-License-Identifier: Apache-2.0
/// A network in integers, lowered to steps that run.
#ifndef QUANTAL_RUNTIME_PROGRAM_HPP
#define QUANTAL_RUNTIME_PROGRAM_HPP

#include <quantal/kernel/reference/step.hpp>
#include <quantal/runtime/batch.hpp>
#include <quantal/runtime/executor.hpp>
#include <quantal/runtime/parallel.hpp>

namespace quantal {
inline namespace v0 {

/// Called for each image, in order, once a quantizer point, in the order of the nodes: the codes in
/// logical order (channels, height, width).
using code_visitor =
    std::function<void(value, std::size_t image, std::span<const std::int32_t> codes)>;

/// A network that runs on the reference backend: plain loops, any spec, all cores.
class program {
public:
    template <requantizer R = requantizers::in_float>
    explicit program(const integer_network& n, R = {}) : points_(n.plan().points()) {
        for (value v = 0; v < n.plan().net.size(); ++v) {
            shapes_.push_back(n.plan().at(v).shape);
            steps_.push_back(reference::make_step<R>(n, v));
        }
        if (n.plan().roles[output()].has_codes())
            output_ = activation_params(n.plan(), n.table(), output());
    }

    /// Runs images [N, C, H, W] and returns the output [N, ...] as reals. `threads` 0 means all
    /// cores; the result does not depend on it.
    [[nodiscard]] tensor<float> run(const tensor<float>& images, int threads = 0,
                                    const code_visitor& visit = {}) const {
        if (!visit) return run_frames(images, threads, {});
        return run_frames(images, threads, [&](std::size_t image, const reference::frame& f) {
            for (const value v : points_) {
                std::vector<std::int32_t> chw(f.codes[v].size());
                reference::to_chw(shapes_[v], f.codes[v].data(), chw.data());
                visit(v, image, chw);
            }
        });
    }

    /// As `run` of a network all in float, showing the real values of all nodes.
    [[nodiscard]] tensor<float> run_reals(const tensor<float>& images, int threads,
                                          const value_visitor& visit) const {
        if (!visit) return run_frames(images, threads, {});
        const std::int64_t count = images.shape()[0];
        std::vector<tensor<float>> values;
        for (const extents& shape : shapes_)
            values.emplace_back(shape.with_front(count));
        auto result =
            run_frames(images, threads, [&](std::size_t image, const reference::frame& f) {
                for (value v = 0; v < shapes_.size(); ++v)
                    reference::to_chw(shapes_[v], f.reals[v].data(),
                                      values[v].slice(static_cast<std::int64_t>(image)).data());
            });
        for (value v = 0; v < shapes_.size(); ++v)
            visit(v, values[v]);
        return result;
    }

private:
    using frame_visitor = std::function<void(std::size_t, const reference::frame&)>;

    [[nodiscard]] value output() const { return shapes_.size() - 1; }

    [[nodiscard]] tensor<float> run_frames(const tensor<float>& images, int threads,
                                           const frame_visitor& visit) const {
        const extents& shape = images.shape();
        detail::check_images(shape, shapes_.front());
        const auto count = static_cast<std::size_t>(shape[0]);
        const std::size_t workers = thread_count(threads, count);
        tensor<float> result(shapes_.back().with_front(shape[0]));
        std::vector<reference::frame> frames(workers, reference::frame(shapes_.size()));
        // With a visitor, one image a frame at a time, so that they can be shown in order.
        const std::size_t group = visit ? workers : count;
        for (std::size_t first = 0; first < count; first += group) {
            const std::size_t size = std::min(group, count - first);
            parallel_for(size, workers, [&](std::size_t i, std::size_t worker) {
                const auto image = static_cast<std::int64_t>(first + i);
                run_image(images.slice(image), result.slice(image), frames[visit ? i : worker]);
            });
            for (std::size_t i = 0; visit && i < size; ++i)
                visit(first + i, frames[i]);
        }
        return result;
    }

    void run_image(std::span<const float> image, std::span<float> result,
                   reference::frame& f) const {
        f.reals[0].resize(image.size());
        reference::to_hwc(shapes_[0], image.data(), f.reals[0].data());
        for (const reference::step& step : steps_)
            step(f);
        std::vector<float>& reals = f.reals[output()];
        if (output_) {
            reals.clear();
            for (const std::int32_t q : f.codes[output()])
                reals.push_back(output_->dequantize(q));
        }
        reference::to_chw(shapes_.back(), reals.data(), result.data());
    }

    std::vector<extents> shapes_;
    std::vector<reference::step> steps_;
    std::vector<value> points_;
    std::optional<qparams> output_; ///< where the output is codes
};

/// Makes an integer network run; its sums become codes by the requantizer's formula.
template <requantizer R = requantizers::in_float>
[[nodiscard]] program lower(const integer_network& n, R requantizer = {}) {
    return program(n, requantizer);
}

/// Turns a calibrated plan into exact integers that run: `lower(quantize(p, t))`.
template <requantizer R = requantizers::in_float>
[[nodiscard]] program lower(const plan& p, const table& t, R requantizer = {}) {
    return lower(quantize(p, t), requantizer);
}

/// A float executor without any other library: the reference loops in float32.
class reference_executor {
public:
    explicit reference_executor(const graph& net, int threads = 0)
        : program_(all_in_float(net)), threads_(threads) {}

    tensor<float> operator()(const tensor<float>& images, const value_visitor& visit) const {
        return program_.run_reals(images, threads_, visit);
    }

private:
    program program_;
    int threads_;
};

static_assert(float_executor<reference_executor>);

} // namespace v0
} // namespace quantal

#endif
