// SPDX-License-Identifier: Apache-2.0
/// Batch norms that nothing could fold, as layers that run in integers.
#ifndef QUANTAL_PASSES_BATCH_NORM_TO_CONV_HPP
#define QUANTAL_PASSES_BATCH_NORM_TO_CONV_HPP

#include <quantal/passes/fold_batch_norm.hpp>

namespace quantal {
inline namespace v0 {
namespace passes {

/// Every batch norm of an image becomes a depthwise convolution of one pixel, of the same name and
/// activation: `x * k + (bias - mean * k)` with `k = weight / sqrt(var + eps)`. Those of features
/// stay. Needs loaded weights.
[[nodiscard]] inline graph batch_norm_to_conv(graph net) {
    rewriter out;
    for (const node& n : net.nodes()) {
        const auto* norm = n.as<op::batch_norm>();
        if (!norm || n.shape.rank() != 3) {
            out.keep(n);
            continue;
        }
        const std::int64_t channels = n.shape[0];
        node layer = n;
        layer.name += "/conv"; // while both have parameters
        layer.op = op::conv2d{.out_channels = channels, .groups = channels};
        const std::vector<float> ones(static_cast<std::size_t>(channels), 1.0f);
        net.parameters.insert_or_assign(layer.name + ".weight",
                                        tensor<float>({channels, 1, 1, 1}, ones));
        detail::scale_layer(net, layer, n, norm->eps);
        for (const char* suffix : {"running_mean", "running_var"})
            net.parameters.erase(n.name + '.' + suffix);
        for (const char* suffix : {".weight", ".bias"}) {
            auto parameter = net.parameters.extract(layer.name + suffix);
            net.parameters.insert_or_assign(n.name + suffix, std::move(parameter.mapped()));
        }
        layer.name = n.name;
        out.keep(std::move(layer));
    }
    return std::move(out).finish(std::move(net.parameters));
}

} // namespace passes
} // namespace v0
} // namespace quantal

#endif
