// SPDX-License-Identifier: Apache-2.0
/// A network with quantizers in training. A layer is what the engine runs as one: a convolution or
/// linear layer with fake-quantized weights, the batch norm behind it, the activation, and the
/// quantizer of its output.
///
/// The batch norm stays a layer of its own while weights are trained: its statistics are those of
/// the batch, the weights keep the size they had in float, and a step costs one convolution.
/// Weights have one scale a channel, so it folds afterwards without a new rounding: with
/// `k = gamma / sqrt(var + eps)` a channel, `k (s q * x - mean) + beta` is a layer of the same
/// codes q with the scale `k s` and the bias `beta - k mean`. k stays above 0; where it was
/// negative in float, the signs of weights, mean and gamma are turned first.
#ifndef QUANTAL_TORCH_QUANTIZED_TRAINING_NETWORK_HPP
#define QUANTAL_TORCH_QUANTIZED_TRAINING_NETWORK_HPP

#include <quantal/graph/plan.hpp>
#include <quantal/observe/calibrate.hpp>
#include <quantal/observe/mse.hpp>
#include <quantal/torch/evaluate.hpp>
#include <quantal/torch/learned_quantizer.hpp>

namespace quantal {
inline namespace v0 {
namespace torch {

/// Which statistics batch norms use: of the batch (and the running ones move), or the running ones.
enum class statistics { batch, running };

/// A plan with its table.
struct calibrated_plan {
    quantal::plan plan;
    quantal::table table;
};

class quantized_training_network {
public:
    /// `net` is the float network with its batch norms, `p` placed on what `passes::optimize` makes
    /// of it, `activations` a table of p's quantizer points. Weights start at the scales of least
    /// squared error. The input's quantizer learns nothing: its values are data. Throws
    /// `graph_error` for layers in float, weights in groups, and weights with one scale for all
    /// channels before a batch norm.
    quantized_training_network(graph net, plan p, const table& activations, learning how)
        : net_(std::move(net)), plan_(std::move(p)) {
        const std::vector<int> uses = net_.use_counts();
        for (const node& n : net_.nodes())
            if (n.as<op::batch_norm>() && uses[n.inputs[0]] == 1)
                norms_.emplace(net_.at(n.inputs[0]).name, &n);
        for (const node& n : net_.nodes())
            originals_.emplace(n.name, &n);
        for (value v = 0; v < plan_.net.size(); ++v) {
            if (plan_.at(v).has_weight() || plan_.at(v).as<op::batch_norm>()) add_weights(v, how);
            if (plan_.roles[v].output) add_point(v, activation_params(plan_, activations, v), how);
        }
    }
    quantized_training_network(const quantized_training_network&) = delete;
    quantized_training_network& operator=(const quantized_training_network&) = delete;

    /// All that training changes, by name: the float network's parameters and the quantizers'.
    [[nodiscard]] std::map<std::string, tensor<float>> initial_parameters() const {
        std::map<std::string, tensor<float>> all = net_.parameters;
        for (const auto* quantizers : {&weights_, &points_})
            for (const auto& [v, q] : *quantizers)
                all.merge(q.parameters());
        return all;
    }

    /// Runs images [N, C, H, W]; `change(v, y, q)` sees each value of the plan and what its
    /// quantizer makes of it, and returns what the next layers get.
    template <class Change>
    [[nodiscard]] at::Tensor run(const at::Tensor& images, const parameter_map& parameters,
                                 statistics use, Change&& change) const {
        std::vector<at::Tensor> values(plan_.net.size());
        std::vector<int> uses = plan_.net.use_counts();
        for (value v = 0; v < plan_.net.size(); ++v) {
            const node& n = plan_.at(v);
            std::vector<at::Tensor> inputs;
            for (const value x : n.inputs)
                inputs.push_back(values[x]);
            const at::Tensor y = n.inputs.empty() ? images : compute(v, inputs, parameters, use);
            values[v] = change(v, y, plan_.roles[v].output ? points_.at(v)(y, parameters) : y);
            for (const value x : n.inputs)
                if (--uses[x] == 0) values[x] = at::Tensor();
        }
        return values[plan_.net.output()];
    }

    /// The network of these parameters as it is deployed: batch norms folded, weights the reals of
    /// their codes, scales in the table.
    [[nodiscard]] calibrated_plan deployed(const parameter_map& parameters) const {
        const c10::InferenceMode inference;
        calibrated_plan result{plan_, {}};
        for (const auto& [v, q] : points_)
            result.table.activations.emplace(plan_.at(v).name, q.params(parameters));
        for (value v = 0; v < plan_.net.size(); ++v)
            if (plan_.roles[v].weights) deploy_layer(result, v, parameters);
        return result;
    }

    /// The batch norm behind a layer, if there is one.
    [[nodiscard]] const node* norm_of(value v) const {
        const auto found = norms_.find(plan_.at(v).name);
        return found == norms_.end() ? nullptr : found->second;
    }
    [[nodiscard]] const quantal::plan& plan() const { return plan_; }

private:
    void add_weights(value v, learning how) {
        const node& n = plan_.at(v);
        const role& r = plan_.roles[v];
        const node* norm = norm_of(v);
        if (!r.weights || r.has_real_bias() || (norm && r.weights->grain != per_channel))
            quantal::detail::fail<graph_error>(
                "layer \"", n.name,
                "\" is in float or has not one scale of weights a channel; training with "
                "quantizers takes layers in integers, with one scale a channel before batch norms");
        if (norm) turn_signs(n, *norm);
        const std::string name = n.name + ".weight";
        const qparams start = calibrate(*r.weights, net_.parameters.at(name), observe::mse{}, name);
        // DoReFa changes the size of weights, which only a batch norm undoes.
        const bool squashed = how == learning::dorefa || how == learning::pact;
        weights_.emplace(
            v, learned_quantizer(squashed && norm ? learning::dorefa : learning::lsq, start, name));
    }
    void add_point(value v, const qparams& start, learning how) {
        const bool learns = how != learning::dorefa && !plan_.at(v).inputs.empty();
        points_.emplace(v, learned_quantizer(learns ? how : learning::given, start,
                                             plan_.at(v).name + ".output"));
    }
    void turn_signs(const node& layer, const node& norm) {
        const auto parameter = [&](const node& n, const char* suffix) -> tensor<float>* {
            const auto found = net_.parameters.find(n.name + '.' + suffix);
            return found == net_.parameters.end() ? nullptr : &found->second;
        };
        tensor<float>& gamma = *parameter(norm, "weight");
        for (std::int64_t channel = 0; channel < gamma.shape()[0]; ++channel) {
            const auto c = static_cast<std::size_t>(channel);
            if (gamma[c] >= 0.0f) continue;
            gamma[c] = -gamma[c];
            (*parameter(norm, "running_mean"))[c] *= -1.0f;
            if (auto* bias = parameter(layer, "bias")) (*bias)[c] *= -1.0f;
            for (float& w : parameter(layer, "weight")->slice(channel))
                w = -w;
        }
    }

    [[nodiscard]] at::Tensor compute(value v, const std::vector<at::Tensor>& inputs,
                                     const parameter_map& parameters, statistics use) const {
        const node& n = plan_.at(v);
        if (!plan_.roles[v].weights) return activated(v, evaluate(bare(n), inputs, parameters));
        const std::string weight = n.name + ".weight", bias = n.name + ".bias";
        parameter_map own{{weight, weights_.at(v)(parameters.at(weight), parameters)}};
        if (const auto found = parameters.find(bias); found != parameters.end())
            own.emplace(bias, found->second);
        const at::Tensor y = channels_last(evaluate(*originals_.at(n.name), inputs, own));
        const node* norm = norm_of(v);
        return activated(v, norm ? evaluate(*norm, {y}, parameters, use == statistics::batch) : y);
    }
    /// Without its activation.
    [[nodiscard]] static node bare(node n) {
        n.activation.reset();
        return n;
    }
    /// A ReLU before a quantizer that cuts below 0 would be a pass over memory for nothing.
    [[nodiscard]] at::Tensor activated(value v, const at::Tensor& y) const {
        const auto& activation = plan_.at(v).activation;
        const bool is_cut = plan_.roles[v].output && points_.at(v).cuts_below_zero();
        if (!activation || (is_cut && *activation == op::clip{})) return y;
        return clip(y, *activation);
    }

    void deploy_layer(calibrated_plan& result, value v, const parameter_map& parameters) const {
        const node& n = plan_.at(v);
        const at::Tensor& weight = parameters.at(n.name + ".weight");
        qparams w = weights_.at(v).params(parameters);
        const std::int64_t channels = weight.size(0);
        const at::Tensor scale = at::tensor(w.scales, at::kDouble);
        const at::Tensor codes =
            at::round(weights_.at(v)(weight, parameters).to(at::kDouble).reshape({channels, -1}) /
                      scale.reshape({-1, 1}));
        const auto bias_of = parameters.find(n.name + ".bias");
        at::Tensor bias = bias_of != parameters.end() ? bias_of->second.to(at::kDouble)
                                                      : at::zeros({channels}, at::kDouble);
        at::Tensor factor = at::ones({channels}, at::kDouble);
        if (const node* norm = norm_of(v)) {
            const auto of_norm = [&](const char* suffix) {
                return parameters.at(norm->name + '.' + suffix).to(at::kDouble);
            };
            factor = of_norm("weight") /
                     at::sqrt(of_norm("running_var") + norm->as<op::batch_norm>()->eps);
            bias = (bias - of_norm("running_mean")) * factor + of_norm("bias");
        }
        const tensor<float> folded_scale = from_torch(scale * factor);
        w.scales.assign(folded_scale.values().begin(), folded_scale.values().end());
        for (float& s : w.scales)
            s = std::max(s, arith::min_scale);
        auto& net = result.plan.net.parameters;
        const at::Tensor folded =
            (codes.to(at::kFloat) * at::tensor(w.scales, at::kFloat).reshape({-1, 1}))
                .reshape(weight.sizes());
        net.at(n.name + ".weight") = from_torch(folded);
        const tensor<float> b = from_torch(bias);
        if (const auto found = net.find(n.name + ".bias"); found != net.end()) found->second = b;
        raise_scales_for_bias(w, b.values(),
                              activation_params(result.plan, result.table, n.inputs[0]).scale(),
                              n.name, &result.table.notes);
        result.table.weights.emplace(n.name, std::move(w));
    }

    graph net_; ///< the float network, signs turned
    quantal::plan plan_;
    std::map<std::string, const node*> norms_, originals_; ///< by the layer's name; of net_
    std::map<value, learned_quantizer> weights_, points_;
};

} // namespace torch
} // namespace v0
} // namespace quantal

#endif
