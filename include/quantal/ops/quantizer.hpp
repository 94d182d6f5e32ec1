// SPDX-License-Identifier: Apache-2.0
/// The policy host: a spec, an observer and a rounding, from the first data to the codes.
#ifndef QUANTAL_OPS_QUANTIZER_HPP
#define QUANTAL_OPS_QUANTIZER_HPP

#include <quantal/ops/quantize.hpp>

#include <optional>

namespace quantal {
inline namespace v0 {

/// Observes any number of tensors of one shape, makes its parameters once, then quantizes,
/// dequantizes and fake-quantizes. Each call of `observe` is one update.
template <qspec S, observer Observer = observe::minmax,
          rounding_policy Rounding = rounding::half_even>
requires supported_spec<S>
class quantizer {
public:
    explicit quantizer(const Observer& prototype = {}, const Rounding& round = {})
        : observers_(S, prototype, "quantizer"), round_(round) {}

    /// One update with `data`. Throws `data_error` after `params()` was asked: the scales are made.
    template <float_tensor Data>
    void observe(const Data& data) {
        if (params_)
            detail::fail<data_error>("a quantizer of \"", S,
                                     "\" cannot observe any more: its scales are made");
        view_traits<Data>::apply(data, [&](view<const float> v) { observers_.observe(v); });
    }

    /// The scales and zero points, made at the first call. Throws `data_error` if nothing was
    /// observed.
    [[nodiscard]] const qparams& params() {
        if (!params_) params_ = observers_.params();
        return *params_;
    }

    template <float_tensor Data>
    [[nodiscard]] qtensor<S> quantize(const Data& data) {
        return view_traits<Data>::apply(data, [&](view<const float> values) {
            return qtensor<S>(quantal::quantize(values, params(), round_));
        });
    }
    template <float_tensor Data>
    [[nodiscard]] tensor<float> fake_quantize(const Data& data) {
        return view_traits<Data>::apply(data, [&](view<const float> values) {
            return quantal::fake_quantize(values, params(), round_);
        });
    }
    [[nodiscard]] tensor<float> dequantize(const qtensor<S>& codes) const {
        return quantal::dequantize(codes);
    }

private:
    tensor_observer<Observer> observers_;
    Rounding round_;
    std::optional<qparams> params_;
};

} // namespace v0
} // namespace quantal

#endif
