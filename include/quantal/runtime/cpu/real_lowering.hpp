// SPDX-License-Identifier: Apache-2.0
/// Nodes that run in float, as steps on float32.
#ifndef QUANTAL_RUNTIME_CPU_REAL_LOWERING_HPP
#define QUANTAL_RUNTIME_CPU_REAL_LOWERING_HPP

#include <quantal/kernel/cpu/real_conv.hpp>
#include <quantal/kernel/reference/pool.hpp>
#include <quantal/runtime/cpu/builder.hpp>

#include <cmath>

namespace quantal {
inline namespace v0 {
namespace cpu {

/// Adds the steps of one node, by its operator: inputs dequantized where they are codes, the output
/// quantized where the node has a quantizer.
class real_lowering {
public:
    real_lowering(builder& b, value v)
        : b_(b), v_(v), node_(b.plan().at(v)), in_(b.shape(node_.inputs.at(0))), out_(b.shape(v)) {
        for (const value i : node_.inputs)
            x_.push_back(b.real_slot(i));
        y_ = b.add_reals(v);
    }

    void operator()(const op::conv2d&) const { weighted(); }
    void operator()(const op::linear&) const { weighted(); }
    /// A depthwise convolution of one pixel: `x * k + (beta - mean * k)`.
    void operator()(const op::batch_norm& o) const {
        const auto gamma = parameter("weight"), beta = parameter("bias");
        const auto mean = parameter("running_mean"), variance = parameter("running_var");
        std::vector<float> factors, offsets;
        for (std::size_t c = 0; c < gamma.size(); ++c) {
            const double k = gamma[c] / std::sqrt(variance[c] + o.eps);
            factors.push_back(static_cast<float>(k));
            offsets.push_back(static_cast<float>(beta[c] - mean[c] * k));
        }
        convolution({.out_channels = in_.channels, .groups = in_.channels}, factors, offsets);
    }
    void operator()(const op::add&) const {
        b_.add(v_, elements_step<float, float, float>("float32 add", b_.net(), y_,
                                                      b_.arrays().add_reals, x_[0], x_[1]));
        b_.activate(v_);
    }
    void operator()(const op::multiply&) const {
        b_.add(v_, factors_step<float>("float32 multiply", b_.net(), y_, b_.arrays().multiply_reals,
                                       x_[0], x_[1]));
        b_.activate(v_);
    }
    void operator()(const op::function& o) const {
        rows("float32 function", [o, alphas = b_.alphas(v_, o), count = out_.width * out_.channels](
                                     const float* image, std::int64_t row, float* y) {
            for (std::int64_t i = row * count; i < (row + 1) * count; ++i)
                y[i] = reference::apply(o, alphas[static_cast<std::size_t>(i) % alphas.size()],
                                        image[i]);
        });
        b_.activate(v_);
    }
    void operator()(const op::concat&) const {
        const auto copy = [](std::size_t, const float* from, std::int64_t count, float* to) {
            std::copy(from, from + count, to);
        };
        b_.add(v_, concat_step<float>("float32 concat", b_.net(), x_, y_, copy));
        b_.activate(v_);
    }
    void operator()(const op::clip& o) const {
        const auto clip = [=, f = b_.arrays().clamp_reals](const float* x, std::size_t count,
                                                           float* y) {
            f(x, count, o.lo, o.hi, y);
        };
        b_.add(v_, elements_step<float, float>("float32 clip", b_.net(), y_, clip, x_[0]));
    }
    void operator()(const op::average_pool& o) const {
        const window win = reference::window_of(o, in_, out_);
        std::vector<float> divisors;
        for (std::int64_t position = 0; position < out_.pixels(); ++position)
            divisors.push_back(static_cast<float>(reference::divisor(o, win, position)));
        rows("float32 average pool", [=, c = in_.channels, f = b_.arrays().average_pool_reals](
                                         const float* x, std::int64_t row, float* y) {
            f(win, c, divisors.data() + row * win.out.w, x, row, y);
        });
        b_.activate(v_);
    }
    void operator()(const op::max_pool& o) const {
        rows("float32 max pool",
             [win = reference::window_of(o, in_, out_), c = in_.channels,
              f = b_.arrays().max_pool_reals](const float* x, std::int64_t row, float* y) {
                 f(win, c, x, row, y);
             });
    }
    void operator()(const op::shortcut& o) const {
        rows("float32 shortcut",
             [=, in = in_, out = out_](const float* x, std::int64_t row, float* y) {
                 shortcut_row(o, in, out, row, 0.0f, x, y);
             });
    }
    void operator()(const op::flatten&) const {
        b_.add(v_, planes_step<float>("float32 flatten", b_.net(), x_[0], y_));
    }
    void operator()(const op::input&) const {}

private:
    [[nodiscard]] std::span<const float> parameter(const char* suffix) const {
        return b_.plan().net.parameter(node_, suffix).values();
    }

    void weighted() const {
        const auto* bias = b_.plan().net.find_parameter(node_, "bias");
        convolution(builder::as_convolution(node_.op), parameter("weight"),
                    bias ? bias->values() : std::span<const float>());
    }

    template <class F>
    void rows(const char* kernel, F f) const {
        b_.add(v_, rows_step<float, float>(kernel, b_.net(), x_[0], y_, out_.height, f));
    }

    void convolution(const op::conv2d& o, std::span<const float> weights,
                     std::span<const float> bias) const {
        real_bounds bounds;
        if (const auto& a = node_.activation) bounds = {a->lo, a->hi, true};
        const auto layer =
            std::make_shared<real_conv>(conv_shape{o, in_.channels, {in_.height, in_.width}},
                                        weights, bias, bounds, b_.arrays());
        const auto run = [=, x = x_[0], y = y_](const frame& at) {
            auto task = [&](std::size_t i, std::size_t worker) {
                layer->run_task(i, at.images, at.at<const float>(x), at.at<float>(y),
                                at.workspace(worker));
            };
            at.parallel.run(layer->task_count(at.images), task);
        };
        b_.add(v_, {.kernel = layer->describe(),
                    .inputs = {x_[0]},
                    .output = y_,
                    .run = run,
                    .workspace = layer->workspace_bytes(),
                    .weight_bytes = layer->weight_bytes(),
                    .packed_bytes = layer->weight_bytes(),
                    .operations = 2 * static_cast<std::int64_t>(weights.size()) * out_.pixels()});
    }

    builder& b_;
    value v_;
    const node& node_;
    image_shape in_, out_;
    std::vector<slot_index> x_;
    slot_index y_;
};

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
