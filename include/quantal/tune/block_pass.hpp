// SPDX-License-Identifier: Apache-2.0
/// A block of a network in the simulation, forward and backward.
#ifndef QUANTAL_TUNE_BLOCK_PASS_HPP
#define QUANTAL_TUNE_BLOCK_PASS_HPP

#include <quantal/kernel/cpu/conv_gradient.hpp>
#include <quantal/kernel/reference/geometry.hpp>
#include <quantal/tune/block.hpp>

namespace quantal {
inline namespace v0 {
namespace tune::detail {

/// The gradients of the parameters of a layer.
struct parameter_gradients {
    std::vector<float> weight, bias;
};

/// Runs a block on batches of images of height x width x channels, with the weights of the plan as
/// they stand and every quantizer point through its codes; backward, these let pass what lies
/// strictly between their ends.
class block_pass {
public:
    block_pass(const plan& p, const table& t, block b) : plan_(p), table_(t), block_(b) {
        for (value v = b.input + 1; v <= b.output; ++v)
            states_.push_back({bounds_of(v), {}, {}, {}});
    }

    /// Whether the block has only layers, sums, clips and shortcuts.
    [[nodiscard]] static bool runs(const plan& p, block b) {
        for (value v = b.input + 1; v <= b.output; ++v) {
            const node& n = p.at(v);
            const bool known =
                n.has_weight() || n.as<op::add>() || n.as<op::clip>() || n.as<op::shortcut>();
            if (!known || p.roles[v].dynamic) return false;
        }
        return true;
    }

    /// The output of the block for these inputs.
    [[nodiscard]] const std::vector<float>& forward(std::vector<float> x, parallel_ref parallel) {
        input_ = std::move(x);
        for (value v = block_.input + 1; v <= block_.output; ++v) {
            state& s = at(v);
            s.raw = computed(v, parallel);
            s.out.resize(s.raw.size());
            for_each_part(s.raw.size(), parallel, [&](std::size_t first, std::size_t count) {
                finish(v, s.raw.data() + first, count, s.out.data() + first);
            });
        }
        return at(block_.output).out;
    }

    /// The gradients of all layers, after `forward`, for that of the output; calls
    /// `f(node, gradients)`.
    template <class F>
    void backward(std::vector<float> of_output, parallel_ref parallel, F&& f) {
        for (state& s : states_)
            s.gradient.assign(s.raw.size(), 0.0f);
        at(block_.output).gradient = std::move(of_output);
        for (value v = block_.output; v > block_.input; --v) {
            state& s = at(v);
            for_each_part(s.raw.size(), parallel, [&](std::size_t first, std::size_t count) {
                for (std::size_t i = first; i < first + count; ++i)
                    if (!(s.raw[i] > s.bounds.lo && s.raw[i] < s.bounds.hi)) s.gradient[i] = 0.0f;
            });
            pass_on(v, parallel, f);
        }
    }

private:
    struct state {
        cpu::real_bounds bounds; ///< of activation and codes together
        std::vector<float> raw, out, gradient;
    };

    [[nodiscard]] state& at(value v) { return states_[v - block_.input - 1]; }
    [[nodiscard]] const std::vector<float>& value_of(value v) {
        return v == block_.input ? input_ : at(v).out;
    }
    [[nodiscard]] const qparams* codes_of(value v) const {
        return plan_.roles[v].output ? &activation_params(plan_, table_, v) : nullptr;
    }
    [[nodiscard]] cpu::real_bounds bounds_of(value v) const {
        cpu::real_bounds bounds;
        const auto within = [&](float lo, float hi) {
            bounds.lo = std::max(bounds.lo, lo);
            bounds.hi = std::min(bounds.hi, hi);
        };
        const node& n = plan_.at(v);
        if (n.activation) within(n.activation->lo, n.activation->hi);
        if (const auto* clip = n.as<op::clip>()) within(clip->lo, clip->hi);
        if (const qparams* codes = codes_of(v))
            within(codes->dequantize(codes->spec.qmin()), codes->dequantize(codes->spec.qmax()));
        return bounds;
    }
    template <class F>
    static void for_each_part(std::size_t size, parallel_ref parallel, F&& f) {
        constexpr std::size_t part = std::size_t{1} << 14;
        auto task = [&](std::size_t i, std::size_t) {
            f(i * part, std::min(part, size - i * part));
        };
        parallel.run((size + part - 1) / part, task);
    }
    void finish(value v, const float* from, std::size_t count, float* to) {
        const auto& kernels = cpu::default_kernels().arrays;
        kernels.clamp_reals(from, count, at(v).bounds.lo, at(v).bounds.hi, to);
        if (const qparams* codes = codes_of(v))
            kernels.fake_quantize(to, count, codes->scale(),
                                  {codes->zero_point(), codes->spec.qmin(), codes->spec.qmax()},
                                  to);
    }

    [[nodiscard]] cpu::conv_shape shape_of(value v) const {
        const node& n = plan_.at(v);
        const reference::image_shape in = plan_.at(n.inputs[0]).shape;
        if (const auto* conv = n.as<op::conv2d>())
            return {*conv, in.channels, {in.height, in.width}};
        return {{.out_channels = n.as<op::linear>()->out_features}, in.channels, 1};
    }
    /// Calls `f(from, to, count)` for the runs of elements that a shortcut copies.
    template <class F>
    void for_copied(value v, std::size_t size, F&& f) const {
        const node& n = plan_.at(v);
        const auto& o = *n.as<op::shortcut>();
        const reference::image_shape in = plan_.at(n.inputs[0]).shape, out = n.shape;
        const std::int64_t images = static_cast<std::int64_t>(size) / (in.pixels() * in.channels);
        for (std::int64_t i = 0; i < images; ++i)
            for (std::int64_t y = 0; y < out.height; ++y)
                for (std::int64_t x = 0; x < out.width; ++x)
                    f(static_cast<std::size_t>(
                          ((i * in.height + y * o.stride.h) * in.width + x * o.stride.w) *
                          in.channels),
                      static_cast<std::size_t>(((i * out.height + y) * out.width + x) *
                                                   out.channels +
                                               o.channels_before),
                      static_cast<std::size_t>(in.channels));
    }

    /// Before activation and codes.
    [[nodiscard]] std::vector<float> computed(value v, parallel_ref parallel) {
        const node& n = plan_.at(v);
        const std::vector<float>& x = value_of(n.inputs[0]);
        if (n.has_weight()) {
            const auto* bias = plan_.net.find_parameter(n, "bias");
            return cpu::convolve(shape_of(v), plan_.net.parameter(n, "weight").values(),
                                 bias ? bias->values() : std::span<const float>(), x, parallel);
        }
        if (n.as<op::clip>()) return x;
        if (n.as<op::add>()) {
            std::vector<float> sum = x;
            const std::vector<float>& other = value_of(n.inputs[1]);
            for (std::size_t i = 0; i < sum.size(); ++i)
                sum[i] += other[i];
            return sum;
        }
        const std::size_t images = x.size() / plan_.at(n.inputs[0]).shape.count();
        std::vector<float> y(images * n.shape.count());
        for_copied(v, x.size(), [&](std::size_t from, std::size_t to, std::size_t count) {
            std::copy_n(x.data() + from, count, y.data() + to);
        });
        return y;
    }

    /// The gradient of a node's output goes to its inputs, and to `f` what belongs to parameters.
    template <class F>
    void pass_on(value v, parallel_ref parallel, F&& f) {
        const node& n = plan_.at(v);
        const std::vector<float>& g = at(v).gradient;
        const auto add_to = [&](value input, const std::vector<float>& gradient) {
            if (input == block_.input) return;
            for (std::size_t i = 0; i < gradient.size(); ++i)
                at(input).gradient[i] += gradient[i];
        };
        if (n.as<op::shortcut>()) {
            const std::size_t size = value_of(n.inputs[0]).size();
            std::vector<float> back(size);
            for_copied(v, size, [&](std::size_t from, std::size_t to, std::size_t count) {
                std::copy_n(g.data() + to, count, back.data() + from);
            });
            return add_to(n.inputs[0], back);
        }
        if (!n.has_weight()) {
            for (const value input : n.inputs)
                add_to(input, g);
            return;
        }
        const cpu::conv_shape shape = shape_of(v);
        if (n.inputs[0] != block_.input)
            add_to(n.inputs[0], cpu::input_gradient(
                                    shape, plan_.net.parameter(n, "weight").values(), g, parallel));
        if (!plan_.roles[v].weights) return;
        parameter_gradients found{
            cpu::weight_gradient(shape, value_of(n.inputs[0]), g, parallel),
            std::vector<float>(static_cast<std::size_t>(shape.op.out_channels))};
        for (std::size_t i = 0; i < g.size(); ++i)
            found.bias[i % found.bias.size()] += g[i];
        f(v, found);
    }

    const plan& plan_;
    const table& table_;
    block block_;
    std::vector<float> input_;
    std::vector<state> states_;
};

} // namespace tune::detail
} // namespace v0
} // namespace quantal

#endif
