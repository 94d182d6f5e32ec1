// SPDX-License-Identifier: Apache-2.0
/// Steps of convolutions and linear layers whose integer weights give real sums.
#ifndef QUANTAL_KERNEL_REFERENCE_SCALED_STEP_HPP
#define QUANTAL_KERNEL_REFERENCE_SCALED_STEP_HPP

#include <quantal/kernel/reference/conv2d.hpp>
#include <quantal/kernel/reference/node_step.hpp>

#include <memory>

namespace quantal {
inline namespace v0 {
namespace reference {

/// The step of a layer whose weights slide as a window, in `groups` of channels; the integer sums
/// of each channel's groups of weights join as reals.
class scaled_step : node_step {
public:
    scaled_step(const integer_network& net, value v, const window& w, std::int64_t groups)
        : node_step(net, v), window_(w), groups_(groups),
          layer_(std::make_shared<integer_layer>(net.layer(v))) {}

    [[nodiscard]] step operator()() const {
        return quantized(activated(layer_->has_wide_sums
                                       ? with_sums<std::int32_t, std::int64_t>()
                                       : with_sums<std::int16_t, std::int32_t>()));
    }

private:
    template <class W, class Sum>
    [[nodiscard]] step with_sums() const {
        return [=, w = window_, weights = arrange_centred<W>(*layer_, groups_), layer = layer_,
                bias = real_bias(), x = x(), v = v_, n = count_](frame& f) {
            f.reals[v].resize(n);
            const auto centred = layer->centred(f.codes[x]);
            scaled_conv2d<Sum>(w, centred.data(), weights, layer->multipliers, bias,
                               [&](std::int64_t position, std::span<const float> y) {
                                   std::copy(y.begin(), y.end(),
                                             f.reals[v].begin() + position * std::ssize(y));
                               });
        };
    }

    window window_;
    std::int64_t groups_;
    std::shared_ptr<const integer_layer> layer_;
};

} // namespace reference
} // namespace v0
} // namespace quantal

#endif
