// SPDX-License-Identifier: Apache-2.0
/// VGG-16 with batch norm (Simonyan and Zisserman, 2015) with torchvision's parameter names.
#ifndef QUANTAL_MODELS_VGG_HPP
#define QUANTAL_MODELS_VGG_HPP

#include <quantal/models/options.hpp>

#include <string>

namespace quantal {
inline namespace v0 {
namespace models {
namespace detail {

/// torchvision's three linear layers on 7x7; dropout does nothing at inference and is left out.
inline void vgg_classifier(graph& net, value x, const options& o) {
    const std::int64_t hidden = scaled(4096, o.width);
    for (const char* layer : {"0", "3"}) {
        x = net.linear(std::string("classifier.") + layer, x, {.out_features = hidden});
        x = net.relu(std::string("classifier.relu") + layer, x);
    }
    net.linear("classifier.6", x, {.out_features = o.classes});
}

} // namespace detail

/// torchvision's vgg16_bn: 13 convolutions with bias and batch norm. The small form ends in a
/// global pool and one linear layer, "classifier". The other needs images that five halvings bring
/// to 7x7.
[[nodiscard]] inline graph vgg16_bn(const options& o = imagenet) {
    constexpr int pool = 0;
    constexpr int plan[] = {64,   64,  pool, 128, 128,  pool, 256, 256, 256,
                            pool, 512, 512,  512, pool, 512,  512, 512, pool};
    graph net;
    value x = net.input(image_of(o));
    int index = 0;
    const auto next = [&] { return "features." + std::to_string(index++); };
    for (const int channels : plan) {
        if (channels == pool) {
            x = net.max_pool(next(), x, {});
            continue;
        }
        x = net.conv2d(next(), x,
                       {.out_channels = scaled(channels, o.width), .kernel = 3, .padding = 1});
        x = net.batch_norm(next(), x);
        x = net.relu(next(), x);
    }
    if (o.stem == stem::small) {
        x = net.flatten("flatten", net.global_average_pool("avgpool", x));
        net.linear("classifier", x, {.out_features = o.classes});
    } else {
        if (net.at(x).shape[1] != 7)
            quantal::detail::fail<shape_error>(
                "vgg16_bn needs images of 224 to 255 pixels, the size is ", o.size);
        detail::vgg_classifier(net, net.flatten("flatten", x), o);
    }
    return net;
}

} // namespace models
} // namespace v0
} // namespace quantal

#endif
