// SPDX-License-Identifier: Apache-2.0
/// How 8-bit images become floats.
#ifndef QUANTAL_DATA_PREPROCESS_HPP
#define QUANTAL_DATA_PREPROCESS_HPP

#include <quantal/data/resize.hpp>
#include <quantal/tensor/extents.hpp>

#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace quantal {
inline namespace v0 {
namespace data {

/// The steps between a stored image and a network, in this order: resize, crop, pad, normalize.
/// `x / 127.5 - 1` is a mean of 0.5 and a std of 0.5.
struct preprocess {
    int resize = 0;               ///< length of the short side after resizing, 0: as stored
    int crop = 0;                 ///< side of the centre crop, 0: all of it
    crop_rounding rounding = {};  ///< of half a pixel before the crop
    int pad = 0;                  ///< bytes of 0 on each side, before normalizing
    std::vector<float> mean = {}; ///< one a channel, of values in [0, 1]
    std::vector<float> std = {};  ///< standard deviation, one a channel, above 0

    friend bool operator==(const preprocess&, const preprocess&) = default;
};

/// `(byte / 255 - mean) / std`: three float32 operations, each rounded, in this order.
[[nodiscard]] constexpr float normalized(std::uint8_t byte, float mean, float std) {
    return (static_cast<float>(byte) / 255.0f - mean) / std;
}

/// Throws `data_error` unless `p` can be applied to images of so many channels.
inline void check(const preprocess& p, std::size_t channels) {
    constexpr int max_side = 4096;
    constexpr int max_pad = 256;
    if (std::min(p.resize, p.crop) < 0 || std::max(p.resize, p.crop) > max_side)
        detail::fail<data_error>("a pre-processing resizes to ", p.resize, " and crops to ", p.crop,
                                 "; both lie between 0 and ", max_side);
    if (p.pad < 0 || p.pad > max_pad)
        detail::fail<data_error>("a pre-processing pads by ", p.pad,
                                 "; the padding lies between 0 and ", max_pad);
    if (p.mean.size() != channels || p.std.size() != channels)
        detail::fail<data_error>("a pre-processing has ", p.mean.size(), " means and ",
                                 p.std.size(), " standard deviations; images of ", channels,
                                 " channels need ", channels, " of each");
    for (std::size_t c = 0; c < channels; ++c)
        if (!std::isfinite(p.mean[c]) || !std::isfinite(p.std[c]) || !(p.std[c] > 0.0f))
            detail::fail<data_error>("a pre-processing has the mean ", p.mean[c],
                                     " and the standard deviation ", p.std[c],
                                     "; both are finite and the second is positive");
}

/// Resizes, crops and pads: the bytes that `apply` normalizes. Padding comes last, so the result
/// has its final extents.
[[nodiscard]] inline image8 apply_geometry(const preprocess& p, image8 image) {
    if (p.resize) image = resize_short_side(image, static_cast<std::size_t>(p.resize));
    if (p.crop) image = centre_crop(image, static_cast<std::size_t>(p.crop), p.rounding);
    if (p.pad == 0) return image;
    const auto pad = static_cast<std::size_t>(p.pad);
    image8 padded{image.height + 2 * pad, image.width + 2 * pad, image.channels, {}};
    padded.pixels.resize(padded.height * padded.width * padded.channels);
    const std::size_t row = image.width * image.channels;
    for (std::size_t y = 0; y < image.height; ++y)
        std::copy_n(image.pixels.data() + y * row, row,
                    padded.pixels.data() + ((y + pad) * padded.width + pad) * padded.channels);
    return padded;
}

/// Writes `image`, pre-processed, in CHW order. Throws `data_error` where the result would not
/// fill `chw` exactly.
inline void apply(const preprocess& p, image8 image, std::span<float> chw) {
    check(p, image.channels);
    image = apply_geometry(p, std::move(image));
    if (image.pixels.size() != chw.size())
        detail::fail<data_error>("an image becomes ", image.channels, "x", image.height, "x",
                                 image.width, " values; ", chw.size(), " are expected");
    const std::size_t plane = image.height * image.width;
    for (std::size_t c = 0; c < image.channels; ++c)
        for (std::size_t i = 0; i < plane; ++i)
            chw[c * plane + i] =
                normalized(image.pixels[i * image.channels + c], p.mean[c], p.std[c]);
}

/// The shape that `apply` gives for images of one shape: channels, height, width.
[[nodiscard]] inline extents output_shape(const preprocess& p, std::size_t channels,
                                          std::size_t height, std::size_t width) {
    check(p, channels);
    const image8 image = apply_geometry(
        p, {height, width, channels, std::vector<std::uint8_t>(height * width * channels)});
    return {static_cast<std::int64_t>(channels), static_cast<std::int64_t>(image.height),
            static_cast<std::int64_t>(image.width)};
}

} // namespace data
} // namespace v0
} // namespace quantal

#endif
