// SPDX-License-Identifier: Apache-2.0
/// Rounding the weights of a whole network, and correcting its biases, by what its layers read.
#ifndef QUANTAL_TUNE_ROUND_WEIGHTS_HPP
#define QUANTAL_TUNE_ROUND_WEIGHTS_HPP

#include <quantal/runtime/cpu/executor.hpp>
#include <quantal/tune/layer_moments.hpp>
#include <quantal/tune/rounding_problem.hpp>

namespace quantal {
inline namespace v0 {
namespace tune {

/// How `round_weights` goes about it.
struct rounding_options {
    int threads = 0;        ///< 0: all cores
    std::uint64_t seed = 0; ///< of the positions that are looked at, in large images
    std::function<void(std::size_t done, std::size_t layers)> progress{};
};

namespace detail {

/// The part of a network that makes the value `last`.
[[nodiscard]] inline graph prefix(const graph& net, value last) {
    graph result;
    for (value v = 0; v <= last; ++v) {
        const node& n = net.at(v);
        if (v > 0)
            for (const auto& [suffix, shape] : parameter_shapes(n.op, net.at(n.inputs[0]).shape))
                result.parameters.emplace(n.name + '.' + suffix, net.parameter(n, suffix.c_str()));
        result.append(n);
    }
    return result;
}
[[nodiscard]] inline plan prefix(const plan& p, value last) {
    return {prefix(p.net, last),
            {p.roles.begin(), p.roles.begin() + static_cast<std::ptrdiff_t>(last) + 1}};
}

/// A value of a batch as an executor showed it, kept.
struct shown {
    std::vector<float> values;
    extents shape;
    view<const float>::strides strides{};

    [[nodiscard]] operator view<const float>() const { return {values.data(), shape, strides}; }
};

template <float_executor E>
[[nodiscard]] shown show(E& executor, const tensor<float>& images, value wanted) {
    shown result;
    executor(images, [&](value v, const view<const float>& x) {
        if (v != wanted) return;
        result.values.assign(x.data(), x.data() + x.shape().count());
        result.shape = x.shape();
        for (int axis = 0; axis < x.shape().rank(); ++axis)
            result.strides[static_cast<std::size_t>(axis)] = x.stride(axis);
    });
    return result;
}

/// The moments of what node `v` reads, in the network `real` and in the integers of `p`.
[[nodiscard]] inline layer_moments measure(const graph& real, const plan& p, const table& t,
                                           value v, std::span<const tensor<float>> batches,
                                           const rounding_options& o, parallel_ref parallel) {
    const value input = p.at(v).inputs[0];
    cpu::executor floats(prefix(real, input), o.threads);
    cpu::executor integers(quantize(prefix(p, input), t), o.threads);
    moment_sums sums(p.net, v, o.seed);
    for (const tensor<float>& images : batches)
        sums.add(show(floats, images, input), show(integers, images, input), parallel);
    return sums.finish();
}

/// One layer while its weights are rounded.
class layer_rounder {
public:
    layer_rounder(plan& p, const table& t, value v, const layer_moments& m)
        : plan_(p), table_(t), node_(v), moments_(m), params_(weight_params(p, t, v)),
          weight_(p.net.parameters.at(p.at(v).name + ".weight")), before_(weight_),
          rows_(static_cast<std::size_t>(weight_.shape()[0]) / m.groups) {
        const auto found = p.net.parameters.find(p.at(v).name + ".bias");
        bias_ = found == p.net.parameters.end() ? nullptr : &found->second;
    }

    template <rounding_method R>
    void round(const R& method, parallel_ref parallel) {
        for (std::size_t g = 0; g < moments_.groups; ++g) {
            const rounding_problem p = problem(g);
            const step_counts steps = method(p, parallel);
            for (std::size_t i = 0; i < steps.size(); ++i)
                weight_[g * p.size() + i] =
                    arith::product(static_cast<float>(steps[i]), p.scales[i]);
        }
        if (bias_) correct_bias();
    }

private:
    /// A bias takes up what the means of the input do, so that only what varies is left to
    /// rounding. Without one the means count as well.
    [[nodiscard]] rounding_problem problem(std::size_t group) const {
        const std::size_t depth = moments_.depth, first = group * rows_ * depth;
        rounding_problem p{rows_, depth, {}, {}, {}, {}, {}, {}};
        const std::vector<double> xq = moments_.xq_of(group, bias_ != nullptr);
        p.moments = moments_.qq_of(group, bias_ != nullptr);
        p.target.resize(p.size());
        const double held = hold_unseen(p);
        const slicing slice_of = slicing_of(params_.spec, weight_.shape());
        for (std::size_t i = 0; i < p.size(); ++i) {
            const std::size_t slice = slice_of(first + i), row = i / depth, j = i % depth;
            p.weights.push_back(before_[first + i]);
            p.scales.push_back(params_.scale(slice));
            p.lo.push_back(params_.spec.qmin() - params_.zero_point(slice));
            p.hi.push_back(params_.spec.qmax() - params_.zero_point(slice));
            for (std::size_t k = 0; k < depth; ++k)
                p.target[row * depth + k] += double{p.weights[i]} * xq[j * depth + k];
            p.target[i] += held * p.weights[i];
        }
        return p;
    }
    /// Weights of inputs that the images hardly move are held where they are, by a hundredth of the
    /// mean moment.
    [[nodiscard]] static double hold_unseen(rounding_problem& p) {
        double sum = 0.0;
        for (std::size_t k = 0; k < p.depth; ++k)
            sum += p.moment(k, k);
        const double held = 0.01 * sum / static_cast<double>(p.depth);
        for (std::size_t k = 0; k < p.depth; ++k)
            p.moments[k * p.depth + k] += held;
        return held;
    }

    /// The mean of each output becomes that of the float network, where the bias then has a code.
    void correct_bias() {
        const std::size_t depth = moments_.depth;
        const bool has_code = !plan_.roles[node_].has_real_bias();
        for (std::size_t c = 0; c < bias_->size(); ++c) {
            const std::size_t first = c / rows_ * depth;
            double corrected = (*bias_)[c];
            for (std::size_t k = 0; k < depth; ++k)
                corrected += double{before_[c * depth + k]} * moments_.mean_x[first + k] -
                             double{weight_[c * depth + k]} * moments_.mean_q[first + k];
            const auto b = static_cast<float>(corrected);
            const float scale = params_.scale(params_.scales.size() == 1 ? 0 : c);
            if (!has_code || arith::bias_fits(b, input_scale(), scale)) (*bias_)[c] = b;
        }
    }
    [[nodiscard]] float input_scale() const {
        return activation_params(plan_, table_, plan_.at(node_).inputs[0]).scale();
    }

    plan& plan_;
    const table& table_;
    value node_;
    const layer_moments& moments_;
    const qparams& params_;
    tensor<float>& weight_;
    tensor<float>* bias_ = nullptr;
    tensor<float> before_;
    std::size_t rows_; ///< of one group
};

/// What rounding may keep of a layer or a block.
inline constexpr std::size_t most_bytes = std::size_t{1} << 29;

/// Rounds the weights of node `v` of `p`, if they are integers, and corrects its biases; `real` is
/// the float network.
template <rounding_method R>
void round_layer(const graph& real, plan& p, const table& t, value v,
                 std::span<const tensor<float>> batches, const R& method, const rounding_options& o,
                 parallel_ref parallel, notes* list) {
    if (!p.roles[v].weights) return;
    if (moment_bytes(p.net, v) > most_bytes)
        return quantal::detail::add_note(
            list, p.at(v).name,
            ": too many inputs to look at; its weights are rounded to the nearest");
    const layer_moments m = measure(real, p, t, v, batches, o, parallel);
    layer_rounder(p, t, v, m).round(method, parallel);
}

/// The plan after `round(p, v, parallel)` of each of its nodes.
template <class Round>
[[nodiscard]] plan round_each(const plan& original, std::span<const tensor<float>> batches,
                              const rounding_options& o, Round&& round) {
    if (batches.empty())
        quantal::detail::fail<data_error>("weights are rounded by what layers read of images; "
                                          "there are 0 batches, and at least 1 is needed");
    plan p = original;
    thread_pool pool(thread_count(o.threads, SIZE_MAX));
    for (value v = 0; v < p.roles.size(); ++v) {
        if (o.progress) o.progress(v, p.roles.size());
        round(p, v, parallel_ref(pool));
    }
    return p;
}

} // namespace detail

/// The plan with weights that are whole steps of the table's scales, chosen layer after layer by
/// `method` so that each output, computed from what the layer reads as integers, is closest to that
/// of the float network on these images (batches [N, C, H, W]); and with biases by which its mean
/// is the same (empirical bias correction: Nagel et al., 2019; with `nearest` it is all that is
/// done). The table holds as it is, and `quantize` finds those steps. Layers whose moments would
/// take more than 512 MB stay as they are and are noted. The same for any number of threads.
template <rounding_method R>
[[nodiscard]] plan round_weights(const plan& original, const table& t,
                                 std::span<const tensor<float>> batches, const R& method,
                                 const rounding_options& o = {}, notes* list = nullptr) {
    return detail::round_each(original, batches, o, [&](plan& p, value v, parallel_ref parallel) {
        detail::round_layer(original.net, p, t, v, batches, method, o, parallel, list);
    });
}

} // namespace tune
} // namespace v0
} // namespace quantal

#endif
