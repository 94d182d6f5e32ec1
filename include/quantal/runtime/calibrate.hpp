// SPDX-License-Identifier: Apache-2.0
/// Calibrating a whole network: the data through a float executor, every quantizer point observed.
#ifndef QUANTAL_RUNTIME_CALIBRATE_HPP
#define QUANTAL_RUNTIME_CALIBRATE_HPP

#include <quantal/graph/plan.hpp>
#include <quantal/observe/calibrate.hpp>
#include <quantal/observe/minmax.hpp>
#include <quantal/runtime/executor.hpp>

#include <map>

namespace quantal {
inline namespace v0 {

namespace detail {

/// The images of a batch: the batch itself, or its member `images`.
inline const tensor<float>& images_of(const tensor<float>& batch) {
    return batch;
}
template <class Batch>
requires requires(const Batch& b) {
    { b.images } -> std::convertible_to<const tensor<float>&>;
}
const tensor<float>& images_of(const Batch& batch) {
    return batch.images;
}

} // namespace detail

/// Adds the weight parameters of every integer layer to a table that has its activations; scales
/// rise where an integer bias needs it.
template <observer O>
void calibrate_weights(const plan& p, table& t, const O& prototype) {
    for (value v = 0; v < p.roles.size(); ++v) {
        if (!p.roles[v].weights) continue;
        const node& n = p.at(v);
        qparams w = calibrate(*p.roles[v].weights, p.net.parameter(n, "weight"), prototype,
                              n.name + ".weight", &t.notes);
        const auto* bias = p.net.find_parameter(n, "bias");
        if (bias && !p.roles[v].has_real_bias())
            raise_scales_for_bias(w, bias->values(), activation_params(p, t, n.inputs[0]).scale(),
                                  n.name, &t.notes);
        t.weights.emplace(n.name, std::move(w));
    }
}

/// One observer for each quantizer point of a plan, one update an image in the order of the data.
template <observer O>
class plan_observer {
public:
    plan_observer(const plan& p, const O& prototype, nonfinite policy = nonfinite::refuse)
        : plan_(p) {
        for (const value v : p.points())
            points_.emplace(
                v, tensor_observer<O>(*p.roles[v].output, prototype, p.at(v).name, policy));
    }

    /// Runs a batch of images [N, C, H, W] and observes every point.
    template <float_executor E>
    void observe(E& executor, const tensor<float>& images) {
        executor(images, [&](value v, const view<const float>& batch) {
            const auto point = points_.find(v);
            if (point == points_.end()) return;
            const extents shape = batch.shape().without_front();
            typename view<const float>::strides strides{};
            for (int axis = 0; axis < shape.rank(); ++axis)
                strides[static_cast<std::size_t>(axis)] = batch.stride(axis + 1);
            for (std::int64_t i = 0; i < batch.shape()[0]; ++i)
                point->second.observe({batch.data() + i * batch.stride(0), shape, strides});
        });
    }

    [[nodiscard]] const std::map<value, tensor_observer<O>>& points() const { return points_; }

    /// A table of the activations; `calibrate_weights` completes it.
    [[nodiscard]] table activations() const {
        table t;
        for (const auto& [v, point] : points_)
            t.activations.emplace(plan_.at(v).name, point.params(&t.notes));
        return t;
    }
    /// The finished table; weights are observed here.
    template <observer W = observe::minmax>
    [[nodiscard]] table finish(const W& weights = {}) const {
        table t = activations();
        calibrate_weights(plan_, t, weights);
        return t;
    }

private:
    const plan& plan_;
    std::map<value, tensor_observer<O>> points_;
};

/// Runs all batches (tensors [N, C, H, W], or structs with `images`) through the executor and makes
/// the table. Throws `data_error` where there is nothing to observe, or NaN or infinity.
template <float_executor E, class Batches, observer O = observe::minmax>
[[nodiscard]] table calibrate(const plan& p, E&& executor, Batches&& batches,
                              const O& prototype = {}) {
    plan_observer<O> observers(p, prototype);
    for (const auto& batch : batches)
        observers.observe(executor, detail::images_of(batch));
    return observers.finish();
}

} // namespace v0
} // namespace quantal

#endif
