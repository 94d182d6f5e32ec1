// SPDX-License-Identifier: Apache-2.0
/// Steps on codes, exact integers in between.
#ifndef QUANTAL_KERNEL_REFERENCE_INTEGER_STEP_HPP
#define QUANTAL_KERNEL_REFERENCE_INTEGER_STEP_HPP

#include <quantal/kernel/reference/scaled_step.hpp>
#include <quantal/kernel/reference/weighted_step.hpp>

namespace quantal {
inline namespace v0 {
namespace reference {

/// The step of a node that runs in integers, by its operator.
template <requantizer R>
class integer_step : node_step {
public:
    using node_step::node_step;

    [[nodiscard]] step operator()(const op::conv2d& o) const { return weighted(win(o), o.groups); }
    [[nodiscard]] step operator()(const op::linear&) const { return weighted(single_pixel, 1); }
    [[nodiscard]] step operator()(const op::add&) const {
        const value a = node_.inputs[0];
        const value b = node_.inputs[1];
        const qparams& pa = activation_params(plan_, table_, a);
        const qparams& pb = activation_params(plan_, table_, b);
        const auto m = R::addition(pa.scale(), pb.scale(), output().scale);
        return each_code([=, za = pa.zero_point(), zb = pb.zero_point(),
                          y = output()](const frame& f, std::size_t i) {
            return arith::residual_add(f.codes[a][i] - za, f.codes[b][i] - zb, m, y.zero_point,
                                       y.lo, y.hi);
        });
    }

    [[nodiscard]] step operator()(const op::multiply&) const {
        const int bits = activation_params(plan_, table_, node_.inputs[0]).spec.bits +
                         activation_params(plan_, table_, node_.inputs[1]).spec.bits;
        return bits < 31 ? product<std::int32_t>() : product<std::int64_t>();
    }
    /// As a table of codes holds it.
    [[nodiscard]] step operator()(const op::function& o) const {
        return each_code(
            [=, x = x(), alphas = alphas(o), y = output(),
             from = activation_params(plan_, table_, x())](const frame& f, std::size_t i) {
                const float real = from.dequantize(f.codes[x][i]);
                return arith::quantize(apply(o, alphas[i % alphas.size()], real), y.scale,
                                       y.zero_point, y.lo, y.hi);
            });
    }

    [[nodiscard]] step operator()(const op::average_pool& o) const {
        const qparams& p = activation_params(plan_, table_, x());
        return [=, from = p.scale(), zero = p.zero_point(), w = win(o), c = channels(), x = x(),
                v = v_, n = count_, y = output()](frame& f) {
            f.codes[v].resize(n);
            sum_pool(w, c, zero, f.codes[x].data(),
                     [&](std::int64_t position, std::span<const std::int32_t> sums) {
                         const auto m = R::multiplier(arith::average_multiplier(
                             from, y.scale, static_cast<std::int32_t>(divisor(o, w, position))));
                         for (std::int64_t i = 0; i < c; ++i)
                             f.codes[v][static_cast<std::size_t>(position * c + i)] =
                                 arith::requantize(sums[static_cast<std::size_t>(i)], m,
                                                   y.zero_point, y.lo, y.hi);
                     });
        };
    }

    /// Each input's codes become those of the output's scale.
    [[nodiscard]] step operator()(const op::concat&) const {
        return joined(&frame::codes, [&](value x) {
            return [from = activation_params(plan_, table_, x), y = output()](std::int32_t q) {
                return arith::quantize(from.dequantize(q), y.scale, y.zero_point, y.lo, y.hi);
            };
        });
    }

    [[nodiscard]] step operator()(const op::clip& o) const {
        const qparams& p = activation_params(plan_, table_, v_);
        return each_code(
            [lo = p.quantize(o.lo), hi = p.quantize(o.hi), x = x()](const frame& f, std::size_t i) {
                return arith::clamp(f.codes[x][i], lo, hi);
            });
    }
    [[nodiscard]] step operator()(const op::max_pool& o) const {
        return moved(o, activation_params(plan_, table_, v_).spec.qmin(), &frame::codes);
    }
    [[nodiscard]] step operator()(const op::shortcut& o) const {
        return moved(o, activation_params(plan_, table_, v_).zero_point(), &frame::codes);
    }
    [[nodiscard]] step operator()(const op::flatten& o) const {
        return moved(o, std::int32_t{}, &frame::codes);
    }
    template <class Op>
    [[nodiscard]] step operator()(const Op& o) const {
        quantal::detail::fail<graph_error>("layer \"", node_.name, "\": a ", op::name(o),
                                           " cannot run in integers");
    }

private:
    [[nodiscard]] step weighted(const window& w, std::int64_t groups) const {
        if (role_.has_real_bias()) return quantized(scaled_step(network_, v_, w, groups)());
        return weighted_step<R>(network_, v_, w, groups)();
    }
    /// A product of two codes less their zero points, requantized.
    template <class Sum>
    [[nodiscard]] step product() const {
        if constexpr (!requantizes<R, Sum>) {
            refuse_wide_sums();
        } else {
            const value a = node_.inputs[0], b = node_.inputs[1];
            const qparams& pa = activation_params(plan_, table_, a);
            const qparams& pb = activation_params(plan_, table_, b);
            const auto m =
                R::multiplier(arith::requantize_multiplier(pa.scale(), pb.scale(), output().scale));
            return each_code([=, za = pa.zero_point(), zb = pb.zero_point(), y = output(),
                              factors = factor_count()](const frame& f, std::size_t i) {
                const Sum first = f.codes[a][i] - za, second = f.codes[b][i % factors] - zb;
                return arith::requantize(first * second, m, y.zero_point, y.lo, y.hi);
            });
        }
    }
    [[nodiscard]] output_codes output() const { return lower_output(plan_, table_, v_); }

    template <class F>
    [[nodiscard]] step each_code(F code) const {
        return [=, v = v_, n = count_](frame& f) {
            f.codes[v].resize(n);
            for (std::size_t i = 0; i < n; ++i)
                f.codes[v][i] = code(f, i);
        };
    }
};

} // namespace reference
} // namespace v0
} // namespace quantal

#endif
