// SPDX-License-Identifier: Apache-2.0
/// The integers of a quantized network, computed by LibTorch from the plan and the table alone: a
/// second implementation of docs/arithmetic.md that shares no arithmetic with quantal's engine.
#ifndef QUANTAL_TORCH_EXACT_NETWORK_HPP
#define QUANTAL_TORCH_EXACT_NETWORK_HPP

#include <quantal/runtime/trace.hpp>
#include <quantal/torch/evaluate.hpp>
#include <quantal/torch/quantize.hpp>
#include <quantal/torch/tensor.hpp>

namespace quantal {
inline namespace v0 {
namespace torch {

/// Sums are float64 convolutions of `q - zero_point`: integers below 2^53, hence exact whatever the
/// order. Everything after the sum is float32, one ATen operator a rounding.
class exact_network {
public:
    /// Throws `graph_error` for layers whose integer weights give real sums.
    exact_network(const plan& p, const table& t)
        : plan_(p), table_(t), parameters_(parameters_of(plan_.net)) {
        for (value v = 0; v < p.net.size(); ++v) {
            if (p.roles[v].has_real_bias())
                quantal::detail::fail<graph_error>(
                    "layer \"", p.at(v).name,
                    "\" has groups of weights, weights only or a dynamic input, which the exact "
                    "network of LibTorch does not compute; the reference backend does");
            layers_.push_back(p.roles[v].weights ? make_layer(v) : layer{});
        }
    }

    exact_network(const exact_network&) = delete;
    exact_network& operator=(const exact_network&) = delete;

    /// Runs images [N, C, H, W]; returns the real output [N, ...]. LibTorch sets the threads.
    /// Throws `shape_error` for other images.
    [[nodiscard]] tensor<float> run(const tensor<float>& images, int = 0,
                                    const code_visitor& visit = {}) const {
        quantal::detail::check_images(images.shape(), plan_.net.input_shape());
        const c10::InferenceMode inference;
        state s{std::vector<at::Tensor>(plan_.net.size()), as_torch(images)};
        std::vector<int> uses = plan_.net.use_counts();
        std::vector<std::pair<value, at::Tensor>> shown;
        for (value v = 0; v < plan_.net.size(); ++v) {
            s.values[v] = compute(s, v);
            if (visit && plan_.roles[v].output) shown.emplace_back(v, s.values[v].to(at::kInt));
            for (const value x : plan_.at(v).inputs)
                if (--uses[x] == 0) s.values[x] = at::Tensor();
        }
        for (std::int64_t i = 0; i < images.shape()[0]; ++i)
            for (const auto& [v, codes] : shown)
                show(visit, v, i, codes);
        return from_torch(real(s, plan_.net.output()));
    }

private:
    /// Per value: codes as float64, or reals as float32.
    struct state {
        std::vector<at::Tensor> values;
        at::Tensor images;
    };
    struct layer {
        at::Tensor weight, bias; ///< float64 integers
        at::Tensor multiplier;   ///< float32, [channels]
    };

    static void show(const code_visitor& visit, value v, std::int64_t image,
                     const at::Tensor& codes) {
        const at::Tensor one = codes[image].contiguous();
        visit(v, static_cast<std::size_t>(image),
              {one.data_ptr<std::int32_t>(), static_cast<std::size_t>(one.numel())});
    }

    [[nodiscard]] const qparams& params(value v) const {
        return activation_params(plan_, table_, v);
    }

    [[nodiscard]] layer make_layer(value v) const {
        const node& n = plan_.at(v);
        const qparams& w = weight_params(plan_, table_, v);
        const at::Tensor weight = as_torch(plan_.net.parameter(n, "weight"));
        const at::Tensor x_scale = at::scalar_tensor(params(n.inputs[0]).scale(), at::kFloat);
        const at::Tensor scale = at::mul(x_scale, at::tensor(w.scales, at::kFloat))
                                     .expand({weight.size(0)})
                                     .contiguous();
        const auto* bias = plan_.net.find_parameter(n, "bias");
        const broadcast_params b(w, weight.sizes());
        layer l;
        l.weight = at::sub(quantize(weight, w), b.zero_point).to(at::kDouble);
        l.bias = bias ? at::round(at::div(as_torch(*bias), scale)).to(at::kDouble)
                      : at::zeros({weight.size(0)}, at::kDouble);
        l.multiplier =
            plan_.roles[v].output
                ? at::div(scale, at::full({weight.size(0)}, params(v).scale(), at::kFloat))
                : scale;
        return l;
    }

    [[nodiscard]] at::Tensor real(const state& s, value v) const {
        if (!plan_.roles[v].has_codes()) return s.values[v];
        return dequantize(s.values[v].to(at::kFloat), params(v));
    }
    [[nodiscard]] at::Tensor centred(const state& s, value v) const {
        return at::sub(s.values[v], params(v).zero_point());
    }

    [[nodiscard]] at::Tensor compute(const state& s, value v) const {
        const node& n = plan_.at(v);
        const role& r = plan_.roles[v];
        if (n.as<op::input>()) return r.output ? to_codes(s.images, v) : s.images;
        if (!r.in_float) return std::visit([&](const auto& o) { return integer(o, s, v); }, n.op);
        std::vector<at::Tensor> inputs;
        for (const value x : n.inputs)
            inputs.push_back(real(s, x));
        const at::Tensor y = evaluate(n, inputs, parameters_);
        return r.output ? to_codes(y, v) : y;
    }
    [[nodiscard]] at::Tensor to_codes(const at::Tensor& x, value v) const {
        return quantize(x, params(v)).to(at::kDouble);
    }

    /// `clamp(round(float32(sum) * m)) + z`, or the real value of the sum.
    [[nodiscard]] at::Tensor finish(const at::Tensor& sums, const at::Tensor& multiplier,
                                    value v) const {
        const at::Tensor scaled = at::mul(sums.to(at::kFloat), multiplier);
        const auto& activation = plan_.at(v).activation;
        if (!plan_.roles[v].output)
            return activation ? at::clamp(scaled, activation->lo, activation->hi) : scaled;
        return clamp_codes(at::add(at::round(scaled), params(v).zero_point()), v);
    }
    /// Codes cut to the spec's range and the activation's.
    [[nodiscard]] at::Tensor clamp_codes(const at::Tensor& codes, value v) const {
        const qspec spec = params(v).spec;
        double lo = spec.qmin(), hi = spec.qmax();
        if (const auto& a = plan_.at(v).activation) {
            lo = quantize(at::full({1}, a->lo, at::kFloat), params(v)).item<double>();
            hi = quantize(at::full({1}, a->hi, at::kFloat), params(v)).item<double>();
        }
        return at::clamp(codes, lo, hi).to(at::kDouble);
    }

    [[nodiscard]] at::Tensor integer(const op::conv2d& o, const state& s, value v) const {
        const layer& l = layers_[v];
        const at::Tensor x = pad(centred(s, plan_.at(v).inputs[0]), o.padding, 0.0);
        const bool depthwise = o.groups == x.size(1) && o.groups == o.out_channels;
        const at::Tensor sums =
            depthwise ? shifted_products(x, l.weight, o, plan_.at(v).shape)
                      : at::conv2d(x, l.weight, at::Tensor(),
                                   at::IntArrayRef{o.stride.h, o.stride.w}, at::IntArrayRef{0, 0},
                                   at::IntArrayRef{o.dilation.h, o.dilation.w}, o.groups);
        const std::vector<std::int64_t> channel{1, -1, 1, 1};
        return finish(sums + l.bias.reshape(channel), l.multiplier.reshape(channel), v);
    }
    /// A depthwise convolution as one product of the shifted image for each kernel position:
    /// ATen's float64 path is slow for many groups.
    [[nodiscard]] static at::Tensor shifted_products(const at::Tensor& x, const at::Tensor& weight,
                                                     const op::conv2d& o, const extents& out) {
        at::Tensor sums = at::zeros({x.size(0), out[0], out[1], out[2]}, at::kDouble);
        for (std::int64_t ky = 0; ky < o.kernel.h; ++ky)
            for (std::int64_t kx = 0; kx < o.kernel.w; ++kx) {
                const auto reach = [](std::int64_t first, std::int64_t count, std::int64_t step) {
                    return first + (count - 1) * step + 1;
                };
                const std::int64_t y0 = ky * o.dilation.h, x0 = kx * o.dilation.w;
                const at::Tensor shifted =
                    x.slice(2, y0, reach(y0, out[1], o.stride.h), o.stride.h)
                        .slice(3, x0, reach(x0, out[2], o.stride.w), o.stride.w);
                const at::Tensor w = weight.select(3, kx).select(2, ky).reshape({1, -1, 1, 1});
                sums.add_(shifted * w);
            }
        return sums;
    }
    [[nodiscard]] at::Tensor integer(const op::linear&, const state& s, value v) const {
        const layer& l = layers_[v];
        const at::Tensor x = centred(s, plan_.at(v).inputs[0]);
        return finish(at::matmul(x, l.weight.t()) + l.bias, l.multiplier, v);
    }
    [[nodiscard]] at::Tensor integer(const op::add&, const state& s, value v) const {
        const at::Tensor sum =
            at::add(real(s, plan_.at(v).inputs[0]), real(s, plan_.at(v).inputs[1]));
        return clamp_codes(quantize(sum, params(v)), v);
    }
    [[nodiscard]] at::Tensor integer(const op::multiply&, const state& s, value v) const {
        const value a = plan_.at(v).inputs[0], b = plan_.at(v).inputs[1];
        const at::Tensor scale = at::mul(at::full({1}, params(a).scale(), at::kFloat),
                                         at::full({1}, params(b).scale(), at::kFloat));
        return finish(centred(s, a) * centred(s, b),
                      at::div(scale, at::full({1}, params(v).scale(), at::kFloat)), v);
    }
    /// In float64, rounded once.
    [[nodiscard]] at::Tensor integer(const op::function& o, const state& s, value v) const {
        const std::vector<at::Tensor> x{real(s, plan_.at(v).inputs[0]).to(at::kDouble)};
        const at::Tensor y = detail::evaluator{plan_.at(v), x, parameters_, false}(o);
        return clamp_codes(quantize(y.to(at::kFloat), params(v)), v);
    }
    [[nodiscard]] at::Tensor integer(const op::concat&, const state& s, value v) const {
        std::vector<at::Tensor> inputs;
        for (const value x : plan_.at(v).inputs)
            inputs.push_back(real(s, x));
        return clamp_codes(quantize(at::cat(inputs, 1), params(v)), v);
    }
    [[nodiscard]] at::Tensor integer(const op::average_pool& o, const state& s, value v) const {
        const value x = plan_.at(v).inputs[0];
        const at::Tensor codes = centred(s, x);
        const at::Tensor sums = window_sums(codes, o);
        const at::Tensor area = divisors(codes, o).to(at::kFloat);
        const at::Tensor x_scale = at::full({1}, params(x).scale(), at::kFloat);
        const at::Tensor y_scale = at::full({1}, params(v).scale(), at::kFloat);
        return finish(sums, at::div(x_scale, at::mul(y_scale, area)), v);
    }
    [[nodiscard]] at::Tensor integer(const op::max_pool& o, const state& s, value v) const {
        const at::Tensor x = pad(s.values[plan_.at(v).inputs[0]], o.padding, params(v).spec.qmin());
        return at::max_pool2d(x, {o.kernel.h, o.kernel.w}, {o.stride.h, o.stride.w});
    }
    [[nodiscard]] at::Tensor integer(const op::clip& o, const state& s, value v) const {
        const auto code = [&](float bound) {
            return quantize(at::full({1}, bound, at::kFloat), params(v)).item<double>();
        };
        return at::clamp(s.values[plan_.at(v).inputs[0]], code(o.lo), code(o.hi));
    }
    [[nodiscard]] at::Tensor integer(const op::shortcut& o, const state& s, value v) const {
        const at::Tensor& x = s.values[plan_.at(v).inputs[0]];
        return at::constant_pad_nd(
            x.slice(2, 0, x.size(2), o.stride.h).slice(3, 0, x.size(3), o.stride.w),
            {0, 0, 0, 0, o.channels_before, o.channels_after}, params(v).zero_point());
    }
    [[nodiscard]] at::Tensor integer(const op::flatten&, const state& s, value v) const {
        return s.values[plan_.at(v).inputs[0]].flatten(1);
    }
    template <class Op>
    [[nodiscard]] at::Tensor integer(const Op& o, const state&, value v) const {
        quantal::detail::fail<graph_error>("layer \"", plan_.at(v).name, "\": a ", op::name(o),
                                           " cannot run in integers");
    }

    plan plan_;
    table table_;
    parameter_map parameters_; ///< of layers in float; refers to the plan
    std::vector<layer> layers_;
};

static_assert(code_network<exact_network>);

} // namespace torch
} // namespace v0
} // namespace quantal

#endif
