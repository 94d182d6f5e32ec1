// SPDX-License-Identifier: Apache-2.0
/// ResNets (He et al., Deep Residual Learning for Image Recognition, 2016) with torchvision's
/// parameter names.
#ifndef QUANTAL_MODELS_RESNET_HPP
#define QUANTAL_MODELS_RESNET_HPP

#include <quantal/models/options.hpp>

#include <string>

namespace quantal {
inline namespace v0 {
namespace models {
namespace detail {

inline value conv_bn(graph& net, const std::string& conv, const std::string& bn, value x,
                     const op::conv2d& with_bias) {
    op::conv2d o = with_bias;
    o.bias = false;
    return net.batch_norm(bn, net.conv2d(conv, x, o));
}

/// How a residual block matches its input to its output.
enum class shortcut_kind { projection, padded };

/// Two 3x3 convolutions and a shortcut; `prefix` is like "layer1.0.".
inline value basic_block(graph& net, const std::string& prefix, value x, std::int64_t channels,
                         std::int64_t stride, shortcut_kind kind) {
    const auto name = [&](const char* part) { return prefix + part; };
    const std::int64_t in = net.at(x).shape[0];
    value y = conv_bn(net, name("conv1"), name("bn1"), x,
                      {.out_channels = channels, .kernel = 3, .stride = stride, .padding = 1});
    y = net.relu(name("relu1"), y);
    y = conv_bn(net, name("conv2"), name("bn2"), y,
                {.out_channels = channels, .kernel = 3, .padding = 1});
    if (stride != 1 || in != channels) {
        const std::int64_t before = (channels - in) / 2;
        x = kind == shortcut_kind::projection
                ? conv_bn(net, name("downsample.0"), name("downsample.1"), x,
                          {.out_channels = channels, .stride = stride})
                : net.shortcut(name("shortcut"), x,
                               {.stride = stride,
                                .channels_before = before,
                                .channels_after = channels - in - before});
    }
    return net.relu(name("relu2"), net.add(name("add"), y, x));
}

/// `blocks` blocks named "<stage>.0" and on; the first has the stride.
inline value stage(graph& net, const std::string& name, value x, int blocks, std::int64_t channels,
                   std::int64_t stride, shortcut_kind kind) {
    for (int b = 0; b < blocks; ++b)
        x = basic_block(net, name + '.' + std::to_string(b) + '.', x, channels, b == 0 ? stride : 1,
                        kind);
    return x;
}

/// The CIFAR form: three stages of `blocks` blocks with 16, 32 and 64 channels and parameterless
/// shortcuts (option A); depth 6 * blocks + 2.
inline graph cifar_resnet(int blocks, const options& o) {
    graph net;
    value x = net.input(image_of(o));
    const std::int64_t width = scaled(16, o.width);
    x = conv_bn(net, "conv1", "bn1", x, {.out_channels = width, .kernel = 3, .padding = 1});
    x = net.relu("relu", x);
    for (int s = 0; s < 3; ++s)
        x = stage(net, "layer" + std::to_string(s + 1), x, blocks, width << s, s == 0 ? 1 : 2,
                  shortcut_kind::padded);
    x = net.flatten("flatten", net.global_average_pool("avgpool", x));
    net.linear("linear", x, {.out_features = o.classes});
    return net;
}

} // namespace detail

[[nodiscard]] inline graph resnet20(const options& o = cifar10) {
    return detail::cifar_resnet(3, o);
}
[[nodiscard]] inline graph resnet32(const options& o = cifar10) {
    return detail::cifar_resnet(5, o);
}
[[nodiscard]] inline graph resnet44(const options& o = cifar10) {
    return detail::cifar_resnet(7, o);
}
[[nodiscard]] inline graph resnet56(const options& o = cifar10) {
    return detail::cifar_resnet(9, o);
}

/// torchvision's resnet18; the small stem is one 3x3 convolution without the pool.
[[nodiscard]] inline graph resnet18(const options& o = imagenet) {
    using detail::conv_bn;
    graph net;
    value x = net.input(image_of(o));
    const bool small = o.stem == stem::small;
    const std::int64_t width = scaled(64, o.width);
    x = conv_bn(net, "conv1", "bn1", x,
                {.out_channels = width,
                 .kernel = small ? 3 : 7,
                 .stride = small ? 1 : 2,
                 .padding = small ? 1 : 3});
    x = net.relu("relu", x);
    if (!small) x = net.max_pool("maxpool", x, {.kernel = 3, .stride = 2, .padding = 1});
    for (int s = 0; s < 4; ++s)
        x = detail::stage(net, "layer" + std::to_string(s + 1), x, 2, width << s, s == 0 ? 1 : 2,
                          detail::shortcut_kind::projection);
    x = net.flatten("flatten", net.global_average_pool("avgpool", x));
    net.linear("fc", x, {.out_features = o.classes});
    return net;
}

} // namespace models
} // namespace v0
} // namespace quantal

#endif
