// SPDX-License-Identifier: Apache-2.0
/// Rules of import for layers on features and for factors and offsets of channels.
#ifndef QUANTAL_ONNX_IMPORT_LAYER_HPP
#define QUANTAL_ONNX_IMPORT_LAYER_HPP

#include <quantal/onnx/scope.hpp>

namespace quantal {
inline namespace v0 {
namespace onnx::rules {
namespace detail {

/// Which column of a weight belongs to each feature, in the order of the network: features that
/// were an image with its channels last lie there channel by channel.
inline std::vector<std::size_t> feature_order(const port& x, std::size_t features) {
    std::vector<std::size_t> order(features);
    const extents image = x.flattened.value_or(extents{std::ssize(order), 1, 1});
    const std::int64_t pixels = image[1] * image[2];
    for (std::int64_t c = 0, i = 0; c < image[0]; ++c)
        for (std::int64_t p = 0; p < pixels; ++p, ++i)
            order[static_cast<std::size_t>(i)] = static_cast<std::size_t>(p * image[0] + c);
    return order;
}

/// A linear layer on `x` whose weights are `factor * w`, w of shape [out, in] or, `by_input`,
/// [in, out].
inline tensor<float> linear_weights(const scope& s, const port& x, const constant& w, bool by_input,
                                    float factor) {
    if (x.shape.rank() != 2 || w.shape().rank() != 2 || w.shape()[by_input ? 0 : 1] != x.shape[1])
        s.node.refuse("multiplies the shape ", x.shape, " with weights of shape ", w.shape(),
                      "; a layer takes [N, features] and a matrix of as many");
    const auto in = static_cast<std::size_t>(x.shape[1]),
               out = w.size() / std::max(in, std::size_t{1});
    const auto order = feature_order(x, in);
    const auto& values = w.as_reals();
    tensor<float> result({static_cast<std::int64_t>(out), x.shape[1]});
    for (std::size_t o = 0; o < out; ++o)
        for (std::size_t i = 0; i < in; ++i) {
            const std::size_t from = by_input ? order[i] * out + o : o * in + order[i];
            result[o * in + i] = factor * values[from];
        }
    return result;
}

} // namespace detail

inline void gemm(scope& s) {
    const port x = s.value_input(0);
    if (s.node.integer("transA", 0) != 0) s.node.refuse("transposes its input");
    const bool by_input = s.node.integer("transB", 0) == 0;
    const float alpha = s.node.real("alpha", 1.0f), beta = s.node.real("beta", 1.0f);
    parameters values;
    values.emplace("weight", detail::linear_weights(s, x, s.constant_input(1), by_input, alpha));
    const std::int64_t out = values.at("weight").shape()[0];
    if (s.has(2)) {
        const constant bias = fold::expand(s.constant_input(2), {1, out}, s.state.left);
        tensor<float>& b =
            values.emplace("bias", tensor<float>({out}, bias.as_reals())).first->second;
        for (float& value : b.values())
            value *= beta;
    }
    const value v = s.layer(op::linear{out, s.has(2)}, x.v, std::move(values));
    if (alpha == 1.0f && beta == 1.0f && !x.flattened)
        s.set_origin(v, {s.constant_input(1),
                         s.has(2) ? std::optional(s.constant_input(2)) : std::nullopt, by_input});
    s.set_value(v);
}

inline void mat_mul(scope& s) {
    const port x = s.layer_input(s.with_moves(s.raw_port(0)));
    parameters values;
    values.emplace("weight", detail::linear_weights(s, x, s.constant_input(1), true, 1.0f));
    const std::int64_t out = values.at("weight").shape()[0];
    const value v = s.layer(op::linear{out, false}, x.v, std::move(values));
    if (!x.flattened || x.is_dynamic)
        s.set_origin(v, {s.constant_input(1), std::nullopt, true, x.is_dynamic});
    s.set_value(v);
}

inline void batch_normalization(scope& s) {
    const port x = s.value_input(0);
    if (s.node.integer("training_mode", 0) != 0 || s.node.integer("spatial", 1) == 0)
        s.node.refuse("is a batch norm in training or one of single pixels");
    s.node.ignore("momentum");
    if (x.channels_last) s.node.refuse("normalizes images whose channels come last");
    parameters values;
    const char* suffixes[] = {"weight", "bias", "running_mean", "running_var"};
    for (int i = 0; i < 4; ++i)
        values.emplace(suffixes[i], s.constant_input(i + 1).as_tensor());
    const double eps = s.node.real("epsilon", 1e-5f);
    s.set_like(x, s.layer(op::batch_norm{eps}, x.v, std::move(values)));
}

/// `x * factor + offset`, each a number for all or one for each channel: a batch norm.
inline void scale_channels(scope& s, const port& x, const std::optional<constant>& factor,
                           const std::optional<constant>& offset) {
    const extents shape = s.channel_shape(x);
    const std::int64_t channels = x.shape[x.channel_axis()];
    const auto of_channels = [&](const std::optional<constant>& c, float otherwise) {
        if (!c)
            return tensor<float>({channels},
                                 std::vector<float>(s.state.left.take({channels}), otherwise));
        return tensor<float>({channels}, fold::expand(*c, shape, s.state.left).as_reals());
    };
    parameters values;
    values.emplace("weight", of_channels(factor, 1.0f));
    values.emplace("bias", of_channels(offset, 0.0f));
    values.emplace("running_mean", of_channels({}, 0.0f));
    values.emplace("running_var", of_channels({}, 1.0f));
    s.set_like(x, s.layer(op::batch_norm{0.0}, x.v, std::move(values)));
}

} // namespace onnx::rules
} // namespace v0
} // namespace quantal

#endif
