// SPDX-License-Identifier: Apache-2.0
/// What a step is: a function on the values of one image.
#ifndef QUANTAL_KERNEL_REFERENCE_NODE_STEP_HPP
#define QUANTAL_KERNEL_REFERENCE_NODE_STEP_HPP

#include <quantal/kernel/reference/conv2d.hpp>
#include <quantal/kernel/reference/function.hpp>
#include <quantal/kernel/reference/pool.hpp>
#include <quantal/runtime/integer_network.hpp>

#include <functional>
#include <utility>
#include <vector>

namespace quantal {
inline namespace v0 {
namespace reference {

/// The values of one image while it runs, by node; height x width x channels. A value is codes or
/// reals; `input` has both.
struct frame {
    std::vector<std::vector<std::int32_t>> codes;
    std::vector<std::vector<float>> reals;

    explicit frame(std::size_t values) : codes(values), reals(values) {}
};

using step = std::function<void(frame&)>;

template <class T>
using values = std::vector<std::vector<T>>;

/// One node of a network, and what steps of integers and of reals have in common.
class node_step {
public:
    node_step(const integer_network& net, value v)
        : network_(net), plan_(net.plan()), table_(net.table()), v_(v), node_(plan_.at(v)),
          role_(plan_.roles[v]), count_(node_.shape.count()),
          in_(node_.inputs.empty() ? node_.shape : plan_.at(node_.inputs[0]).shape),
          out_(node_.shape) {}

protected:
    template <class Op>
    [[nodiscard]] window win(const Op& o) const {
        return window_of(o, in_, out_);
    }
    [[noreturn]] void refuse_wide_sums() const {
        quantal::detail::fail<graph_error>("layer \"", node_.name,
                                           "\" has codes of 16 bits; this requantizer takes the "
                                           "int32 sums of fewer bits only");
    }
    [[nodiscard]] std::int64_t channels() const { return out_.channels; }
    [[nodiscard]] value x() const { return node_.inputs[0]; }

    /// `s`, then the activation of the node on its real output.
    [[nodiscard]] step activated(step s) const {
        if (!node_.activation) return s;
        return [s = std::move(s), v = v_, a = *node_.activation](frame& f) {
            s(f);
            for (float& y : f.reals[v])
                y = arith::clamp(y, a.lo, a.hi);
        };
    }

    /// `s` after its inputs that are codes became reals.
    [[nodiscard]] step dequantized(step s) const {
        std::vector<std::pair<value, qparams>> inputs;
        for (const value i : node_.inputs)
            if (plan_.roles[i].has_codes())
                inputs.emplace_back(i, activation_params(plan_, table_, i));
        return [=, s = std::move(s)](frame& f) {
            for (const auto& [i, from] : inputs) {
                f.reals[i].resize(f.codes[i].size());
                for (std::size_t e = 0; e < f.codes[i].size(); ++e)
                    f.reals[i][e] = from.dequantize(f.codes[i][e]);
            }
            s(f);
        };
    }
    /// `s`, then the quantizer of the node, if it has one, on its real output.
    [[nodiscard]] step quantized(step s) const {
        if (!role_.output) return s;
        return [s = std::move(s), v = v_, y = activation_params(plan_, table_, v_)](frame& f) {
            s(f);
            f.codes[v].resize(f.reals[v].size());
            for (std::size_t i = 0; i < f.reals[v].size(); ++i)
                f.codes[v][i] = y.quantize(f.reals[v][i]);
        };
    }
    /// The bias of the node in float32: zeros if it has none.
    [[nodiscard]] std::vector<float> real_bias() const {
        std::vector<float> bias(static_cast<std::size_t>(channels()), 0.0f);
        if (const auto* found = plan_.net.find_parameter(node_, "bias"))
            bias.assign(found->values().begin(), found->values().end());
        return bias;
    }

    /// The alphas of a function by channel.
    [[nodiscard]] std::vector<float> alphas(const op::function& o) const {
        const auto* parameter = plan_.net.find_parameter(node_, "weight");
        return alphas_of(o, parameter ? parameter->values() : std::span<const float>());
    }
    /// Where the second factor of a product stands for element `i` of the first: at `i` modulo
    /// this.
    [[nodiscard]] std::size_t factor_count() const {
        return plan_.at(node_.inputs[1]).shape.count();
    }

    // Operators that move or choose values work on codes and on reals.

    template <class T>
    [[nodiscard]] step moved(const op::max_pool& o, T lowest, values<T> frame::*kind) const {
        return mover(kind, [=, w = win(o), c = channels()](const T* x, T* y) {
            max_pool(w, c, lowest, x, y);
        });
    }
    template <class T>
    [[nodiscard]] step moved(const op::shortcut& o, T zero, values<T> frame::*kind) const {
        return mover(kind, [=, in = in_, out = out_](const T* x, T* y) {
            shortcut(o, in, out, zero, x, y);
        });
    }
    template <class T>
    [[nodiscard]] step moved(const op::flatten&, T, values<T> frame::*kind) const {
        return mover(kind, [in = in_](const T* x, T* y) { to_chw(in, x, y); });
    }
    template <class T, class F>
    [[nodiscard]] step mover(values<T> frame::*kind, F move) const {
        return [=, x = x(), v = v_, n = count_](frame& f) {
            (f.*kind)[v].resize(n);
            move((f.*kind)[x].data(), (f.*kind)[v].data());
        };
    }

    /// The channels of all inputs, one input after the other, what input `x` holds through
    /// `converter(x)`.
    template <class T, class F>
    [[nodiscard]] step joined(values<T> frame::*kind, F converter) const {
        struct part {
            value x;
            std::int64_t channels;
            std::function<T(T)> convert;
        };
        std::vector<part> parts;
        for (const value x : node_.inputs)
            parts.push_back({x, image_shape(plan_.at(x).shape).channels, converter(x)});
        return [=, v = v_, n = count_, pixels = out_.pixels()](frame& f) {
            (f.*kind)[v].resize(n);
            auto to = (f.*kind)[v].begin();
            for (std::int64_t pixel = 0; pixel < pixels; ++pixel)
                for (const part& p : parts) {
                    const auto from = (f.*kind)[p.x].begin() + pixel * p.channels;
                    to = std::transform(from, from + p.channels, to, p.convert);
                }
        };
    }

    const integer_network& network_;
    const plan& plan_;
    const table& table_;
    value v_;
    const node& node_;
    const role& role_;
    std::size_t count_;
    image_shape in_, out_;
};

/// The weights of a layer less their zero points, arranged.
template <class W>
[[nodiscard]] conv_weights<W> arrange_centred(const integer_layer& layer, std::int64_t groups) {
    auto weights = arrange<W>(layer.weights.shape(), groups, [&](std::size_t i) {
        return static_cast<W>(layer.centred_weight(i));
    });
    const qspec spec = layer.weights.spec();
    if (spec.grain == granularity::per_group) weights.block = spec.group_size;
    return weights;
}

} // namespace reference
} // namespace v0
} // namespace quantal

#endif
