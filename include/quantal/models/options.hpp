// SPDX-License-Identifier: Apache-2.0
/// What varies among the networks of one family.
#ifndef QUANTAL_MODELS_OPTIONS_HPP
#define QUANTAL_MODELS_OPTIONS_HPP

#include <quantal/graph/graph.hpp>

namespace quantal {
inline namespace v0 {
namespace models {

/// How a network begins.
enum class stem {
    imagenet, ///< as published, for images of about 224x224
    small,    ///< without the early strides, for images of about 32x32
};

/// Options of every model; the defaults are those of the published ImageNet networks.
struct options {
    int classes = 1000;
    int channels = 3;
    int size = 224;     ///< height and width of an image
    double width = 1.0; ///< multiplier of the channel counts
    models::stem stem = models::stem::imagenet;
    bool same_padding = false; ///< TensorFlow's padding (mobilenet_v2 only)
};

inline constexpr options imagenet{};
inline constexpr options cifar10{.classes = 10, .size = 32, .stem = stem::small};
inline constexpr options fashion_mnist{
    .classes = 10, .channels = 1, .size = 32, .stem = stem::small};

/// `channels * width` rounded to the nearest multiple of 8 that loses no more than a tenth, at
/// least 8 (Sandler et al., MobileNetV2, 2018, and its published code). Width 1 changes nothing
/// that is a multiple of 8.
[[nodiscard]] inline std::int64_t scaled(std::int64_t channels, double width) {
    const double wanted = static_cast<double>(channels) * width;
    const auto rounded = static_cast<std::int64_t>(wanted + 4.0) / 8 * 8;
    const std::int64_t result = rounded < 8 ? 8 : rounded;
    return static_cast<double>(result) < 0.9 * wanted ? result + 8 : result;
}

[[nodiscard]] inline extents image_of(const options& o) {
    return {o.channels, o.size, o.size};
}

} // namespace models
} // namespace v0
} // namespace quantal

#endif
