// SPDX-License-Identifier: Apache-2.0
/// Steps of convolutions and linear layers with one integer sum a channel.
#ifndef QUANTAL_KERNEL_REFERENCE_WEIGHTED_STEP_HPP
#define QUANTAL_KERNEL_REFERENCE_WEIGHTED_STEP_HPP

#include <quantal/arith/requantizer.hpp>
#include <quantal/kernel/reference/conv2d.hpp>
#include <quantal/kernel/reference/node_step.hpp>

#include <memory>

namespace quantal {
inline namespace v0 {
namespace reference {

/// The step of a layer whose weights slide as a window, in `groups` of channels.
template <requantizer R>
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
        const std::vector<Sum> bias(layer_->bias.begin(), layer_->bias.end());
        const auto sums = [=, w = window_, weights = arrange_centred<W>(*layer_, groups_),
                           layer = layer_, x = x()](frame& f, auto&& finish) {
            const auto centred = layer->centred(f.codes[x]);
            conv2d(w, centred.data(), weights, std::span(bias), finish);
        };
        return role_.output ? to_codes<Sum>(sums) : to_reals<Sum>(sums);
    }

    template <class Sum, class Sums>
    [[nodiscard]] step to_codes(const Sums& sums) const {
        if constexpr (!requantizes<R, Sum>) {
            refuse_wide_sums();
        } else {
            std::vector<decltype(R::multiplier(0.0f))> multipliers;
            for (const float m : layer_->multipliers)
                multipliers.push_back(R::multiplier(m));
            return [=, v = v_, n = count_, y = lower_output(plan_, table_, v_)](frame& f) {
                f.codes[v].resize(n);
                sums(f, [&](std::int64_t position, std::span<const Sum> acc) {
                    std::int32_t* out = f.codes[v].data() + position * std::ssize(acc);
                    for (std::size_t c = 0; c < acc.size(); ++c)
                        out[c] =
                            arith::requantize(acc[c], multipliers[c], y.zero_point, y.lo, y.hi);
                });
            };
        }
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

    window window_;
    std::int64_t groups_;
    std::shared_ptr<const integer_layer> layer_;
};

} // namespace reference
} // namespace v0
} // namespace quantal

#endif
