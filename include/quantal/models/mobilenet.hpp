// SPDX-License-Identifier: Apache-2.0
/// MobileNetV2 (Sandler et al., 2018) with torchvision's parameter names.
#ifndef QUANTAL_MODELS_MOBILENET_HPP
#define QUANTAL_MODELS_MOBILENET_HPP

#include <quantal/models/options.hpp>

#include <string>

namespace quantal {
inline namespace v0 {
namespace models {
namespace detail {

/// Appends the layers of one mobilenet; knows its padding rule.
struct mobilenet_builder {
    graph net{};
    bool same = false;

    value conv_bn(const std::string& conv, const std::string& bn, value x,
                  const op::conv2d& unpadded) {
        const extents& s = net.at(x).shape;
        op::conv2d o = unpadded;
        o.padding =
            same ? same_padding({s[1], s[2]}, o.kernel, o.stride) : padding((o.kernel.h - 1) / 2);
        o.bias = false;
        return net.batch_norm(bn, net.conv2d(conv, x, o));
    }
    value conv_bn_relu6(const std::string& prefix, value x, const op::conv2d& o) {
        return net.relu6(prefix + ".2", conv_bn(prefix + ".0", prefix + ".1", x, o));
    }
    /// Expand by `factor`, filter each channel, project to `out`; a shortcut where shapes agree.
    value inverted_residual(const std::string& prefix, value x, std::int64_t out,
                            std::int64_t stride, std::int64_t factor) {
        const std::int64_t in = net.at(x).shape[0];
        const std::int64_t hidden = in * factor;
        int index = 0;
        const auto next = [&] { return prefix + ".conv." + std::to_string(index++); };
        value y = x;
        if (factor != 1) y = conv_bn_relu6(next(), y, {.out_channels = hidden});
        y = conv_bn_relu6(
            next(), y, {.out_channels = hidden, .kernel = 3, .stride = stride, .groups = hidden});
        const std::string project = next();
        y = conv_bn(project, next(), y, {.out_channels = out});
        return stride == 1 && in == out ? net.add(prefix + ".add", x, y) : y;
    }
};

} // namespace detail

/// torchvision's mobilenet_v2. The small stem has stride 1 in the first convolution and in the
/// stage of 24 channels, so that 32x32 images end as 4x4.
[[nodiscard]] inline graph mobilenet_v2(const options& o = imagenet) {
    struct stage {
        int factor, channels, blocks, stride;
    };
    constexpr stage stages[] = {{1, 16, 1, 1}, {6, 24, 2, 2},  {6, 32, 3, 2}, {6, 64, 4, 2},
                                {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};
    const bool small = o.stem == stem::small;
    detail::mobilenet_builder b{.same = o.same_padding};
    value x = b.net.input(image_of(o));
    int index = 0;
    const auto next = [&] { return "features." + std::to_string(index++); };
    x = b.conv_bn_relu6(
        next(), x, {.out_channels = scaled(32, o.width), .kernel = 3, .stride = small ? 1 : 2});
    for (const stage& s : stages)
        for (int i = 0; i < s.blocks; ++i) {
            const bool strided = i == 0 && !(small && s.channels == 24);
            x = b.inverted_residual(next(), x, scaled(s.channels, o.width), strided ? s.stride : 1,
                                    s.factor);
        }
    const std::int64_t last = scaled(1280, o.width > 1.0 ? o.width : 1.0);
    x = b.conv_bn_relu6(next(), x, {.out_channels = last});
    x = b.net.flatten("flatten", b.net.global_average_pool("avgpool", x));
    b.net.linear("classifier.1", x, {.out_features = o.classes});
    return std::move(b.net);
}

} // namespace models
} // namespace v0
} // namespace quantal

#endif
