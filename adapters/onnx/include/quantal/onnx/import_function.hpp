// SPDX-License-Identifier: Apache-2.0
/// Rules of import for functions of a number that integers compute by tables.
#ifndef QUANTAL_ONNX_IMPORT_FUNCTION_HPP
#define QUANTAL_ONNX_IMPORT_FUNCTION_HPP

#include <quantal/onnx/scope.hpp>

namespace quantal {
inline namespace v0 {
namespace onnx::rules {

/// A function without attributes.
template <op::curve Curve>
void function(scope& s) {
    const port x = s.value_input(0);
    s.set_like(x, s.state.net.function(s.unique(), x.v, {Curve}));
}

inline void leaky_relu(scope& s) {
    const port x = s.value_input(0);
    const float alpha = s.node.real("alpha", 0.01f);
    s.set_like(x, s.state.net.function(s.unique(), x.v, {op::curve::leaky_relu, alpha}));
}

inline void hard_sigmoid(scope& s) {
    const port x = s.value_input(0);
    const float alpha = s.node.real("alpha", 0.2f), beta = s.node.real("beta", 0.5f);
    s.set_like(x, s.state.net.function(s.unique(), x.v, {op::curve::hard_sigmoid, alpha, beta}));
}

/// Slopes are a number for all or one for each channel.
inline void prelu(scope& s) {
    const port x = s.value_input(0);
    const constant& slopes = s.constant_input(1);
    if (slopes.size() == 1) {
        const op::function leaky{op::curve::leaky_relu, slopes.as_reals()[0]};
        return s.set_like(x, s.state.net.function(s.unique(), x.v, leaky));
    }
    const constant all = fold::expand(slopes, s.channel_shape(x), s.state.left);
    parameters values;
    values.emplace("weight", tensor<float>({std::ssize(all.as_reals())}, all.as_reals()));
    s.set_like(x, s.layer(op::function{op::curve::prelu}, x.v, std::move(values)));
}

} // namespace onnx::rules
} // namespace v0
} // namespace quantal

#endif
