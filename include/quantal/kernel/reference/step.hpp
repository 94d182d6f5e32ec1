// SPDX-License-Identifier: Apache-2.0
/// One node of a plan as a function on a frame of values: integers and floats by plain loops.
#ifndef QUANTAL_KERNEL_REFERENCE_STEP_HPP
#define QUANTAL_KERNEL_REFERENCE_STEP_HPP

#include <quantal/kernel/reference/conv2d.hpp>
#include <quantal/kernel/reference/pool.hpp>
#include <quantal/runtime/lower_layer.hpp>

#include <cmath>
#include <functional>
#include <limits>
#include <memory>

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

/// Makes the step of one node.
class step_maker {
public:
    step_maker(const plan& p, const table& t, value v)
        : plan_(p), table_(t), v_(v), node_(p.at(v)), role_(p.roles[v]),
          count_(node_.shape.count()),
          in_(node_.inputs.empty() ? node_.shape : p.at(node_.inputs[0]).shape), out_(node_.shape) {
    }

    [[nodiscard]] step make() const {
        if (node_.as<op::input>()) return quantized([](frame&) {});
        if (role_.in_float)
            return quantized(std::visit([&](const auto& o) { return real(o); }, node_.op));
        return std::visit([&](const auto& o) { return integer(o); }, node_.op);
    }

private:
    template <class Op>
    [[nodiscard]] window win(const Op& o) const {
        return window_of(o, in_, out_);
    }
    [[nodiscard]] std::int64_t channels() const { return out_.channels; }

    // ---- integers ---------------------------------------------------------------------------

    [[nodiscard]] step integer(const op::conv2d& o) const { return weighted(win(o), o.groups); }
    [[nodiscard]] step integer(const op::linear&) const {
        return weighted({1, 1, 1, 1, 1, 0, 0}, 1);
    }

    [[nodiscard]] step weighted(const window& w, std::int64_t groups) const {
        const auto layer = std::make_shared<integer_layer>(lower_layer(plan_, table_, v_));
        auto weights = arrange<std::int16_t>(layer->weights.shape(), groups, [&](std::size_t i) {
            return static_cast<std::int16_t>(layer->centred_weight(i));
        });
        const auto sums = [=, x = x()](frame& f, auto&& finish) {
            std::vector<std::int32_t> centred = f.codes[x];
            for (std::int32_t& q : centred)
                q -= layer->x_zero;
            conv2d(w, centred.data(), weights, std::span<const std::int32_t>(layer->bias), finish);
        };
        return role_.output ? to_codes(layer, sums) : to_reals(layer, sums);
    }

    template <class Sums>
    [[nodiscard]] step to_codes(std::shared_ptr<const integer_layer> layer, Sums sums) const {
        return [=, v = v_, n = count_, y = lower_output(plan_, table_, v_)](frame& f) {
            f.codes[v].resize(n);
            sums(f, [&](std::int64_t position, std::span<const std::int32_t> acc) {
                std::int32_t* out = f.codes[v].data() + position * std::ssize(acc);
                for (std::size_t c = 0; c < acc.size(); ++c)
                    out[c] =
                        arith::requantize(acc[c], layer->multipliers[c], y.zero_point, y.lo, y.hi);
            });
        };
    }

    template <class Sums>
    [[nodiscard]] step to_reals(std::shared_ptr<const integer_layer> layer, Sums sums) const {
        return activated([=, v = v_, n = count_](frame& f) {
            f.reals[v].resize(n);
            sums(f, [&](std::int64_t position, std::span<const std::int32_t> acc) {
                float* out = f.reals[v].data() + position * std::ssize(acc);
                for (std::size_t c = 0; c < acc.size(); ++c)
                    out[c] = arith::product(static_cast<float>(acc[c]), layer->multipliers[c]);
            });
        });
    }

    [[nodiscard]] step integer(const op::add&) const {
        const value a = node_.inputs[0];
        const value b = node_.inputs[1];
        const qparams pa = activation_params(plan_, table_, a);
        const qparams pb = activation_params(plan_, table_, b);
        return each_code([=, y = output()](const frame& f, std::size_t i) {
            return arith::residual_add({f.codes[a][i], pa.scale(), pa.zero_point()},
                                       {f.codes[b][i], pb.scale(), pb.zero_point()}, y.scale,
                                       y.zero_point, y.lo, y.hi);
        });
    }

    [[nodiscard]] step integer(const op::average_pool& o) const {
        const qparams p = activation_params(plan_, table_, x());
        const auto area = static_cast<std::int32_t>(o.kernel.h * o.kernel.w);
        return
            [=, w = win(o), c = channels(), x = x(), v = v_, n = count_, y = output()](frame& f) {
                const float m = arith::average_multiplier(p.scale(), y.scale, area);
                f.codes[v].resize(n);
                sum_pool(w, c, p.zero_point(), f.codes[x].data(),
                         [&](std::int64_t position, std::span<const std::int32_t> sums) {
                             for (std::int64_t i = 0; i < c; ++i)
                                 f.codes[v][static_cast<std::size_t>(position * c + i)] =
                                     arith::requantize(sums[static_cast<std::size_t>(i)], m,
                                                       y.zero_point, y.lo, y.hi);
                         });
            };
    }

    [[nodiscard]] step integer(const op::clip& o) const {
        const qparams& p = activation_params(plan_, table_, v_);
        return each_code(
            [lo = p.quantize(o.lo), hi = p.quantize(o.hi), x = x()](const frame& f, std::size_t i) {
                return arith::clamp(f.codes[x][i], lo, hi);
            });
    }
    [[nodiscard]] step integer(const op::max_pool& o) const {
        return moved(o, activation_params(plan_, table_, v_).spec.qmin(), &frame::codes);
    }
    [[nodiscard]] step integer(const op::shortcut& o) const {
        return moved(o, activation_params(plan_, table_, v_).zero_point(), &frame::codes);
    }
    [[nodiscard]] step integer(const op::flatten& o) const {
        return moved(o, std::int32_t{}, &frame::codes);
    }
    template <class Op>
    [[nodiscard]] step integer(const Op& o) const {
        quantal::detail::fail<graph_error>("layer \"", node_.name, "\": a ", op::name(o),
                                           " cannot run in integers");
    }

    // ---- operators that move values, codes or reals ---------------------------------------------

    template <class T>
    using values = std::vector<std::vector<T>>;

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

    // ---- floats -----------------------------------------------------------------------------

    [[nodiscard]] step real(const op::conv2d& o) const { return real_weighted(win(o), o.groups); }
    [[nodiscard]] step real(const op::linear&) const {
        return real_weighted({1, 1, 1, 1, 1, 0, 0}, 1);
    }
    [[nodiscard]] step real_weighted(const window& w, std::int64_t groups) const {
        const tensor<float>& weight = plan_.net.parameter(node_, "weight");
        const auto* bias = plan_.net.find_parameter(node_, "bias");
        std::vector<float> start(static_cast<std::size_t>(channels()), 0.0f);
        if (bias) start.assign(bias->values().begin(), bias->values().end());
        auto weights =
            arrange<float>(weight.shape(), groups, [&](std::size_t i) { return weight[i]; });
        return activated([=, x = x(), v = v_, n = count_](frame& f) {
            f.reals[v].resize(n);
            conv2d(w, f.reals[x].data(), weights, std::span<const float>(start),
                   [&](std::int64_t position, std::span<const float> sums) {
                       std::copy(sums.begin(), sums.end(),
                                 f.reals[v].begin() + position * std::ssize(sums));
                   });
        });
    }
    [[nodiscard]] step real(const op::batch_norm& o) const {
        const auto& gamma = plan_.net.parameter(node_, "weight");
        const auto& beta = plan_.net.parameter(node_, "bias");
        const auto& mean = plan_.net.parameter(node_, "running_mean");
        const auto& variance = plan_.net.parameter(node_, "running_var");
        std::vector<float> factor, offset;
        for (std::size_t c = 0; c < gamma.size(); ++c) {
            const double k = gamma[c] / std::sqrt(variance[c] + o.eps);
            factor.push_back(static_cast<float>(k));
            offset.push_back(static_cast<float>(beta[c] - mean[c] * k));
        }
        return each_real([=, x = x()](const frame& f, std::size_t i) {
            const std::size_t c = i % factor.size();
            return arith::product(f.reals[x][i], factor[c]) + offset[c];
        });
    }
    [[nodiscard]] step real(const op::add&) const {
        return each_real([a = node_.inputs[0], b = node_.inputs[1]](const frame& f, std::size_t i) {
            return f.reals[a][i] + f.reals[b][i];
        });
    }
    [[nodiscard]] step real(const op::clip& o) const {
        return each_real([o, x = x()](const frame& f, std::size_t i) {
            return arith::clamp(f.reals[x][i], o.lo, o.hi);
        });
    }
    [[nodiscard]] step real(const op::average_pool& o) const {
        const auto area = static_cast<float>(o.kernel.h * o.kernel.w);
        return activated([=, w = win(o), c = channels(), x = x(), v = v_, n = count_](frame& f) {
            f.reals[v].resize(n);
            sum_pool(w, c, 0.0f, f.reals[x].data(),
                     [&](std::int64_t position, std::span<const float> sums) {
                         for (std::int64_t i = 0; i < c; ++i)
                             f.reals[v][static_cast<std::size_t>(position * c + i)] =
                                 sums[static_cast<std::size_t>(i)] / area;
                     });
        });
    }
    [[nodiscard]] step real(const op::max_pool& o) const {
        return moved(o, -std::numeric_limits<float>::infinity(), &frame::reals);
    }
    [[nodiscard]] step real(const op::shortcut& o) const { return moved(o, 0.0f, &frame::reals); }
    [[nodiscard]] step real(const op::flatten& o) const { return moved(o, 0.0f, &frame::reals); }
    [[nodiscard]] step real(const op::input&) const {
        return [](frame&) {};
    }

    // ---- parts ------------------------------------------------------------------------------

    [[nodiscard]] value x() const { return node_.inputs[0]; }
    [[nodiscard]] output_codes output() const { return lower_output(plan_, table_, v_); }

    template <class F>
    [[nodiscard]] step each_code(F code) const {
        return [=, v = v_, n = count_](frame& f) {
            f.codes[v].resize(n);
            for (std::size_t i = 0; i < n; ++i)
                f.codes[v][i] = code(f, i);
        };
    }
    template <class F>
    [[nodiscard]] step each_real(F real) const {
        return activated([=, v = v_, n = count_](frame& f) {
            f.reals[v].resize(n);
            for (std::size_t i = 0; i < n; ++i)
                f.reals[v][i] = real(f, i);
        });
    }
    /// `s`, then the activation of the node on its real output.
    [[nodiscard]] step activated(step s) const {
        if (!node_.activation) return s;
        return [s = std::move(s), v = v_, a = *node_.activation](frame& f) {
            s(f);
            for (float& y : f.reals[v])
                y = arith::clamp(y, a.lo, a.hi);
        };
    }
    /// Dequantizes what `s` reads, runs it, and quantizes what it wrote if the node has a
    /// quantizer.
    [[nodiscard]] step quantized(step s) const {
        std::vector<std::pair<value, qparams>> inputs;
        for (const value i : node_.inputs)
            if (plan_.roles[i].has_codes())
                inputs.emplace_back(i, activation_params(plan_, table_, i));
        std::optional<qparams> y;
        if (role_.output) y = activation_params(plan_, table_, v_);
        return [=, s = std::move(s), v = v_, n = count_](frame& f) {
            for (const auto& [i, p] : inputs) {
                f.reals[i].resize(f.codes[i].size());
                for (std::size_t e = 0; e < f.codes[i].size(); ++e)
                    f.reals[i][e] = p.dequantize(f.codes[i][e]);
            }
            s(f);
            if (!y) return;
            f.codes[v].resize(n);
            for (std::size_t e = 0; e < n; ++e)
                f.codes[v][e] = y->quantize(f.reals[v][e]);
        };
    }

    const plan& plan_;
    const table& table_;
    value v_;
    const node& node_;
    const role& role_;
    std::size_t count_;
    image_shape in_, out_;
};

} // namespace reference
} // namespace v0
} // namespace quantal

#endif
