// SPDX-License-Identifier: Apache-2.0
/// Steps of convolutions and linear layers whose weights are integers.
#ifndef QUANTAL_KERNEL_REFERENCE_WEIGHTED_STEP_HPP
#define QUANTAL_KERNEL_REFERENCE_WEIGHTED_STEP_HPP

#include <quantal/kernel/reference/conv2d.hpp>
#include <quantal/kernel/reference/node_step.hpp>

#include <memory>

namespace quantal {
inline namespace v0 {
namespace reference {

/// The step of a layer with integer weights that slide as a window, in `groups` of channels.
class weighted_step : node_step {
public:
    weighted_step(const integer_network& net, value v, const window& w, std::int64_t groups)
        : node_step(net, v), window_(w), groups_(groups),
          layer_(std::make_shared<integer_layer>(net.layer(v))) {}

    [[nodiscard]] step operator()() const {
        return layer_->has_wide_sums ? with_sums<std::int32_t, std::int64_t>()
                                     : with_sums<std::int16_t, std::int32_t>();
    }

private:
    template <class W, class Sum>
    [[nodiscard]] step with_sums() const {
        auto weights = arrange<W>(layer_->weights.shape(), groups_, [&](std::size_t i) {
            return static_cast<W>(layer_->centred_weight(i));
        });
        if (role_.has_real_bias()) return grouped<Sum>(std::move(weights));
        const std::vector<Sum> bias(layer_->bias.begin(), layer_->bias.end());
        const auto sums = [=, w = window_, layer = layer_, x = x()](frame& f, auto&& finish) {
            const auto centred = layer->centred(f.codes[x]);
            conv2d(w, centred.data(), weights, std::span(bias), finish);
        };
        return role_.output ? to_codes<Sum>(sums) : to_reals<Sum>(sums);
    }

    template <class Sum, class Sums>
    [[nodiscard]] step to_codes(const Sums& sums) const {
        return [=, layer = layer_, v = v_, n = count_,
                y = lower_output(plan_, table_, v_)](frame& f) {
            f.codes[v].resize(n);
            sums(f, [&](std::int64_t position, std::span<const Sum> acc) {
                std::int32_t* out = f.codes[v].data() + position * std::ssize(acc);
                for (std::size_t c = 0; c < acc.size(); ++c)
                    out[c] =
                        arith::requantize(acc[c], layer->multipliers[c], y.zero_point, y.lo, y.hi);
            });
        };
    }

    template <class Sum, class Sums>
    [[nodiscard]] step to_reals(const Sums& sums) const {
        return activated([=, layer = layer_, v = v_, n = count_](frame& f) {
            f.reals[v].resize(n);
            sums(f, [&](std::int64_t position, std::span<const Sum> acc) {
                float* out = f.reals[v].data() + position * std::ssize(acc);
                for (std::size_t c = 0; c < acc.size(); ++c)
                    out[c] = arith::product(static_cast<float>(acc[c]), layer->multipliers[c]);
            });
        });
    }

    /// The sums of the groups join as reals, which the node's quantizer takes.
    template <class Sum, class W>
    [[nodiscard]] step grouped(conv_weights<W> weights) const {
        weights.block = layer_->weights.spec().group_size;
        return quantized(activated([=, w = window_, layer = layer_, x = x(), v = v_, n = count_,
                                    bias = real_bias()](frame& f) {
            f.reals[v].resize(n);
            const auto centred = layer->centred(f.codes[x]);
            scaled_conv2d<Sum>(w, centred.data(), weights, layer->multipliers, bias,
                               [&](std::int64_t position, std::span<const float> y) {
                                   std::copy(y.begin(), y.end(),
                                             f.reals[v].begin() + position * std::ssize(y));
                               });
        }));
    }

    window window_;
    std::int64_t groups_;
    std::shared_ptr<const integer_layer> layer_;
};

} // namespace reference
} // namespace v0
} // namespace quantal

#endif
