// SPDX-License-Identifier: Apache-2.0
/// Learning the rounding of all weights of a block together.
#ifndef QUANTAL_TUNE_ROUND_BLOCKS_HPP
#define QUANTAL_TUNE_ROUND_BLOCKS_HPP

#include <quantal/tune/adaround.hpp>
#include <quantal/tune/block_pass.hpp>
#include <quantal/tune/round_weights.hpp>

namespace quantal {
inline namespace v0 {
namespace tune {

/// AdaRound of whole blocks (Li et al., BRECQ, 2021, with the squared error as the cost). In each
/// iteration a draw of images that the integers before the block give goes through its simulation,
/// every quantizer point included, and `h` of all its weights and its biases learn, by Adam, to
/// bring the output to that of the float network. The weights begin near those that `adaround`
/// found layer by layer; for the last fifth of the iterations they are whole steps, and the biases
/// learn alone. Costs are in units in which rounding each weight to the nearest costs a twelfth.
struct block_adaround {
    int iterations = 1000;
    float rate = 0.02f; ///< of Adam; for a bias in codes of its layer's output, falling to 0
    float regularization = 2.0f;
    std::size_t images = 32;            ///< of a draw
    std::vector<std::string> outputs{}; ///< see `blocks_of`
};

namespace detail {

/// What goes into a block as integers and what should come out, images of height x width x
/// channels.
struct block_samples {
    std::size_t images = 0;
    std::vector<float> inputs, targets;

    void add(const view<const float>& input, const view<const float>& target) {
        images += static_cast<std::size_t>(input.shape()[0]);
        append(input, inputs);
        append(target, targets);
    }
    [[nodiscard]] static std::vector<float> take(const std::vector<float>& from, std::size_t all,
                                                 std::span<const std::size_t> chosen) {
        const std::size_t size = from.size() / all;
        std::vector<float> result;
        result.reserve(size * chosen.size());
        for (const std::size_t i : chosen)
            result.insert(result.end(), from.begin() + static_cast<std::ptrdiff_t>(i * size),
                          from.begin() + static_cast<std::ptrdiff_t>((i + 1) * size));
        return result;
    }

private:
    static void append(const view<const float>& x, std::vector<float>& to) {
        const bool is_image = x.shape().rank() == 4;
        const reference::image_shape image = x.shape().without_front();
        for (std::int64_t i = 0; i < x.shape()[0]; ++i)
            for (std::int64_t p = 0; p < image.pixels(); ++p) {
                const float* from = x.data() + i * x.stride(0);
                if (is_image) from += p / image.width * x.stride(2) + p % image.width * x.stride(3);
                for (std::int64_t c = 0; c < image.channels; ++c)
                    to.push_back(from[c * x.stride(1)]);
            }
    }
};

/// The weights and the bias of a layer of a block while they learn.
class learning_layer {
public:
    learning_layer(plan& p, const table& t, value v, const tensor<float>& before,
                   const block_adaround& how)
        : weight_(p.net.parameters.at(p.at(v).name + ".weight")),
          steps_(steps_of(weight_params(p, t, v), before, weight_, how)), bias_adam_(0) {
        const auto found = p.net.parameters.find(p.at(v).name + ".bias");
        if (found == p.net.parameters.end() || !p.roles[v].output) return;
        bias_ = &found->second;
        bias_adam_ = adam(bias_->size());
        bias_rate_ = how.rate * activation_params(p, t, v).scale();
    }

    void soften() {
        for (std::size_t i = 0; i < steps_.size(); ++i)
            weight_[i] = steps_.weight(i);
    }
    void learn_weights(const std::vector<float>& gradient, int iteration, float time) {
        steps_.begin(iteration, time);
        for (std::size_t i = 0; i < steps_.size(); ++i)
            steps_.learn(i, gradient[i] * steps_.scale(i));
    }
    void learn_bias(const std::vector<float>& gradient, int iteration, float time) {
        if (!bias_) return;
        bias_adam_.begin(iteration);
        for (std::size_t c = 0; c < bias_->size(); ++c)
            (*bias_)[c] -= (1.0f - time) * bias_rate_ * bias_adam_(c, gradient[c]);
    }
    /// Weights become whole steps. What Adam knows of the biases stays: as iterations count from 0
    /// again, their first steps are short ones. (From nothing they left a block of the test further
    /// from float than they found it.)
    void harden() {
        const step_counts whole = steps_.whole();
        for (std::size_t i = 0; i < whole.size(); ++i)
            weight_[i] = arith::product(static_cast<float>(whole[i]), steps_.scale(i));
    }

private:
    /// They begin at whole steps, but for a share of the way back to the float weight.
    [[nodiscard]] static soft_steps steps_of(const qparams& params, const tensor<float>& before,
                                             const tensor<float>& whole,
                                             const block_adaround& how) {
        constexpr float share = 0.3f;
        const slicing slice_of = slicing_of(params.spec, before.shape());
        std::vector<float> starts(before.size()), scales(before.size());
        std::vector<std::int32_t> lo(before.size()), hi(before.size());
        for (std::size_t i = 0; i < before.size(); ++i) {
            const std::size_t slice = slice_of(i);
            scales[i] = params.scale(slice);
            lo[i] = params.spec.qmin() - params.zero_point(slice);
            hi[i] = params.spec.qmax() - params.zero_point(slice);
            starts[i] = whole[i] + share * std::clamp(before[i] - whole[i], -scales[i], scales[i]);
        }
        return {starts, scales, lo, hi, {how.rate, how.regularization}};
    }

    tensor<float>& weight_;
    tensor<float>* bias_ = nullptr;
    soft_steps steps_;
    adam bias_adam_;
    float bias_rate_ = 0.0f;
};

/// One block while it learns; its layers in the plan are rounded already.
class block_learner {
public:
    block_learner(const graph& real, plan& p, const table& t, block b, const block_samples& samples,
                  const block_adaround& how, std::uint64_t seed)
        : real_(real), plan_(p), table_(t), samples_(samples), how_(how), seed_(seed),
          pass_(p, t, b) {
        for (value v = b.input + 1; v <= b.output; ++v)
            if (p.roles[v].weights) {
                const tensor<float>& before = real.parameter(real.at(v), "weight");
                weight_count_ += before.size();
                layers_.emplace(v, learning_layer(p, t, v, before, how));
            }
    }

    /// The plan's block becomes what was learnt, unless that costs more on all images.
    void learn(parallel_ref parallel) {
        const std::map<std::string, tensor<float>> rounded = plan_.net.parameters;
        const double cost_rounded = cost(parallel);
        const float unit = unit_of_cost(parallel);
        const int alone = how_.iterations / 5;
        for (int i = 0, count = how_.iterations - alone; i < count; ++i)
            learn(i, count, true, unit, parallel);
        for (auto& [v, layer] : layers_)
            layer.harden();
        for (int i = 0; i < alone; ++i)
            learn(i, alone, false, unit, parallel);
        keep_biases_that_fit(rounded);
        if (!(cost(parallel) < cost_rounded)) restore(rounded);
    }

private:
    /// Parameters stay where they are in memory: layers refer to them.
    void restore(const std::map<std::string, tensor<float>>& from) {
        for (const auto& [v, layer] : layers_)
            for (const char* suffix : {".weight", ".bias"})
                if (const auto found = from.find(plan_.at(v).name + suffix); found != from.end())
                    plan_.net.parameters.at(found->first) = found->second;
    }
    void keep_biases_that_fit(const std::map<std::string, tensor<float>>& otherwise) {
        for (const auto& [v, layer] : layers_) {
            const auto found = plan_.net.parameters.find(plan_.at(v).name + ".bias");
            if (found == plan_.net.parameters.end() || plan_.roles[v].has_real_bias()) continue;
            const qparams& w = weight_params(plan_, table_, v);
            const float x = activation_params(plan_, table_, plan_.at(v).inputs[0]).scale();
            for (std::size_t c = 0; c < found->second.size(); ++c)
                if (!arith::bias_fits(found->second[c], x, w.scale(w.scales.size() == 1 ? 0 : c)))
                    found->second[c] = otherwise.at(found->first)[c];
        }
    }
    /// The squared error of the block's output, summed over all images.
    [[nodiscard]] double cost(parallel_ref parallel) {
        double sum = 0.0;
        for (std::size_t first = 0; first < samples_.images; first += how_.images) {
            std::vector<std::size_t> chosen;
            for (std::size_t i = first; i < std::min(first + how_.images, samples_.images); ++i)
                chosen.push_back(i);
            for (const float e : errors(chosen, parallel))
                sum += double{e} * e;
        }
        return sum;
    }
    [[nodiscard]] std::vector<float> errors(std::span<const std::size_t> chosen,
                                            parallel_ref parallel) {
        const std::vector<float>& out =
            pass_.forward(block_samples::take(samples_.inputs, samples_.images, chosen), parallel);
        std::vector<float> result = block_samples::take(samples_.targets, samples_.images, chosen);
        for (std::size_t i = 0; i < result.size(); ++i)
            result[i] = out[i] - result[i];
        return result;
    }
    /// Weights rounded to the nearest are off by a twelfth of a squared step on average: the factor
    /// by which the cost of an image, less that of weights that are not rounded, becomes so much.
    [[nodiscard]] float unit_of_cost(parallel_ref parallel) {
        const std::map<std::string, tensor<float>> rounded = plan_.net.parameters;
        for (const auto& [v, layer] : layers_) {
            const tensor<float>& before = real_.parameter(real_.at(v), "weight");
            plan_.net.parameters.at(plan_.at(v).name + ".weight") = before;
        }
        const double real = cost(parallel);
        for (const auto& [v, layer] : layers_) {
            tensor<float>& weight = plan_.net.parameters.at(plan_.at(v).name + ".weight");
            weight = dequantize(quantize(std::as_const(weight), weight_params(plan_, table_, v)));
        }
        const double nearest = cost(parallel);
        restore(rounded);
        const double of_rounding = std::max(nearest - real, 0.05 * nearest);
        return of_rounding > 0.0
                   ? static_cast<float>(static_cast<double>(weight_count_) / 12.0 *
                                        static_cast<double>(samples_.images) / of_rounding)
                   : 0.0f;
    }
    void learn(int iteration, int count, bool with_weights, float unit, parallel_ref parallel) {
        const float time = static_cast<float>(iteration) / static_cast<float>(count);
        if (with_weights)
            for (auto& [v, layer] : layers_)
                layer.soften();
        std::vector<std::size_t> chosen(how_.images);
        for (std::size_t& image : chosen)
            image = arith::splitmix64(seed_, draws_++) % samples_.images;
        std::vector<float> gradient = errors(chosen, parallel);
        for (float& g : gradient)
            g *= 2.0f * unit / static_cast<float>(how_.images);
        pass_.backward(std::move(gradient), parallel,
                       [&](value v, const parameter_gradients& found) {
                           learning_layer& layer = layers_.at(v);
                           if (with_weights) layer.learn_weights(found.weight, iteration, time);
                           layer.learn_bias(found.bias, iteration, time);
                       });
    }

    const graph& real_;
    plan& plan_;
    const table& table_;
    const block_samples& samples_;
    const block_adaround& how_;
    std::uint64_t seed_, draws_ = 0;
    block_pass pass_;
    std::map<value, learning_layer> layers_;
    std::size_t weight_count_ = 0;
};

/// Learns a block of `p`, whose layers are rounded already.
inline void round_block(const graph& real, plan& p, const table& t, block b,
                        std::span<const tensor<float>> batches, const block_adaround& how,
                        const rounding_options& o, parallel_ref parallel, notes* list) {
    const auto leave = [&](const char* why) {
        quantal::detail::add_note(
            list, p.at(b.output).name, ": ", why,
            "; the layers of the block that ends there are rounded one by one");
    };
    if (!block_pass::runs(p, b)) return leave("not all operators can learn");
    for (value v = b.input + 1; v <= b.output; ++v)
        if (p.roles[v].weights && moment_bytes(p.net, v) > most_bytes)
            return leave("a layer has too many inputs");
    std::size_t images = 0;
    for (const tensor<float>& batch : batches)
        images += static_cast<std::size_t>(batch.shape()[0]);
    if (images * (p.at(b.input).shape.count() + p.at(b.output).shape.count()) * sizeof(float) >
        most_bytes)
        return leave("too many numbers to keep");
    cpu::executor floats(prefix(real, b.output), o.threads);
    cpu::executor integers(quantize(prefix(p, b.input), t), o.threads);
    block_samples samples;
    for (const tensor<float>& batch : batches)
        samples.add(show(integers, batch, b.input), show(floats, batch, b.output));
    block_learner(real, p, t, b, samples, how, o.seed).learn(parallel);
}

} // namespace detail

/// As above, but after `adaround` has rounded the layers of a block it learns all of them together,
/// and keeps what costs less at the block's output on all images. Blocks with operators other than
/// layers, sums, clips and shortcuts, or of which inputs and outputs would take more than 512 MB,
/// are left as they are and noted.
[[nodiscard]] inline plan round_weights(const plan& original, const table& t,
                                        std::span<const tensor<float>> batches,
                                        const block_adaround& how, const rounding_options& o = {},
                                        notes* list = nullptr) {
    if (how.images == 0)
        quantal::detail::fail<data_error>(
            "a draw of images by which a block learns has 0 of them; it has at least 1");
    const std::vector<block> blocks = blocks_of(original, how.outputs);
    return detail::round_each(original, batches, o, [&](plan& p, value v, parallel_ref parallel) {
        detail::round_layer(original.net, p, t, v, batches, adaround{}, o, parallel, list);
        for (const block& b : blocks)
            if (b.output == v)
                detail::round_block(original.net, p, t, b, batches, how, o, parallel, list);
    });
}

} // namespace tune
} // namespace v0
} // namespace quantal

#endif
