// SPDX-License-Identifier: Apache-2.0
/// Steps of convolutions and linear layers whose integer weights give real sums.
#ifndef QUANTAL_KERNEL_REFERENCE_SCALED_STEP_HPP
#define QUANTAL_KERNEL_REFERENCE_SCALED_STEP_HPP

#include <quantal/kernel/reference/conv2d.hpp>
#include <quantal/kernel/reference/node_step.hpp>
#include <quantal/observe/calibrate.hpp>

#include <memory>

namespace quantal {
inline namespace v0 {
namespace reference {

/// A float32 whose products are rounded before they are added: sums of it are the same everywhere.
struct exact_real {
    float value;

    explicit exact_real(float v = 0.0f) : value(v) {}
    friend bool operator==(exact_real, exact_real) = default;
    friend exact_real operator*(exact_real a, exact_real b) {
        return exact_real(arith::product(a.value, b.value));
    }
    exact_real& operator+=(exact_real other) {
        value += other.value;
        return *this;
    }
};

/// The step of a layer whose weights slide as a window, in `groups` of channels, up to its real
/// output.
class scaled_step : node_step {
public:
    scaled_step(const integer_network& net, value v, const window& w, std::int64_t groups)
        : node_step(net, v), window_(w), groups_(groups),
          layer_(std::make_shared<integer_layer>(net.layer(v))) {}

    [[nodiscard]] step operator()() const {
        if (role_.in_float && !role_.dynamic) return activated(real_products());
        return activated(layer_->has_wide_sums ? integer_sums<std::int32_t, std::int64_t>()
                                               : integer_sums<std::int16_t, std::int32_t>());
    }

private:
    /// Codes less their zero point, and the scale that the multipliers lack.
    struct scaled_codes {
        std::vector<std::int32_t> values;
        float scale;
    };
    [[nodiscard]] static scaled_codes quantize_now(qspec spec, std::span<const float> reals) {
        const qparams x = dynamic_params(spec, reals);
        scaled_codes result{{}, x.scale()};
        for (const float v : reals)
            result.values.push_back(x.quantize(v) - x.zero_point());
        return result;
    }

    /// The integer sums of a channel's groups join as reals.
    template <class W, class Sum>
    [[nodiscard]] step integer_sums() const {
        auto weights = arrange_centred<W>(*layer_, groups_);
        const std::vector<Sum> zeros(layer_->multipliers.size(), 0);
        return [=, w = window_, weights = std::move(weights), layer = layer_, bias = real_bias(),
                dynamic = role_.dynamic, x = x(), v = v_, n = count_](frame& f) {
            const scaled_codes in = dynamic ? quantize_now(*dynamic, f.reals[x])
                                            : scaled_codes{layer->centred(f.codes[x]), 1.0f};
            const std::size_t groups = zeros.size() / bias.size();
            f.reals[v].resize(n);
            conv2d(w, in.values.data(), weights, std::span(zeros),
                   [&](std::int64_t position, std::span<const Sum> sums) {
                       float* y = f.reals[v].data() + position * std::ssize(bias);
                       for (std::size_t c = 0; c < bias.size(); ++c) {
                           y[c] = bias[c];
                           for (std::size_t g = 0; g < groups; ++g)
                               y[c] = arith::add_group(
                                   y[c], sums[g * bias.size() + c],
                                   arith::product(in.scale, layer->multipliers[c * groups + g]));
                       }
                   });
        };
    }

    /// Reals times weights that are dequantized one by one.
    [[nodiscard]] step real_products() const {
        const any_qtensor& codes = layer_->weights;
        const tensor<float> reals = dequantize(codes);
        auto weights =
            arrange<float>(codes.shape(), groups_, [&](std::size_t i) { return reals[i]; });
        const std::vector<float> bias = real_bias();
        return [=, w = window_, weights = std::move(weights),
                start = std::vector<exact_real>(bias.begin(), bias.end()), x = x(), v = v_,
                n = count_](frame& f) {
            f.reals[v].resize(n);
            conv2d(w, f.reals[x].data(), weights, std::span(start),
                   [&](std::int64_t position, std::span<const exact_real> sums) {
                       std::transform(sums.begin(), sums.end(),
                                      f.reals[v].begin() + position * std::ssize(sums),
                                      [](exact_real sum) { return sum.value; });
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
