// SPDX-License-Identifier: Apache-2.0
/// Geometry of 8-bit images: antialiased bilinear resizing and the centre crop, with the bits that
/// Pillow and torchvision give for PIL images.
#ifndef QUANTAL_DATA_RESIZE_HPP
#define QUANTAL_DATA_RESIZE_HPP

#include <quantal/data/image8.hpp>
#include <quantal/error.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>

namespace quantal {
inline namespace v0 {
namespace data {

/// The inputs that one output pixel is made of, along one axis: `weights.size()` of them from
/// `first`. Weights are fixed-point numbers with `taps::fraction_bits` bits behind the point.
struct taps {
    static constexpr int fraction_bits = 32 - 8 - 2; ///< 8 for a byte, 2 for sign and overshoot

    std::size_t first = 0;
    std::vector<std::int32_t> weights;
};

/// The triangle filter for output `index` of `out` pixels made from `in` pixels. With
/// `scale = in / out` and `reach = max(scale, 1)`, input i weighs `1 - |i + 0.5 - centre| / reach`
/// around `centre = (index + 0.5) * scale`; weights are divided by their sum in double, then
/// rounded half up.
[[nodiscard]] inline taps triangle_taps(std::size_t index, std::size_t in, std::size_t out) {
    const double scale = static_cast<double>(in) / static_cast<double>(out);
    const double reach = std::max(scale, 1.0);
    const double per_reach = 1.0 / reach;
    // Volatile: a product that was stored cannot be fused with the addition that follows it.
    const volatile double centre = (static_cast<double>(index) + 0.5) * scale;
    const auto first = static_cast<std::size_t>(std::max(centre - reach + 0.5, 0.0));
    const auto last =
        static_cast<std::size_t>(std::min(centre + reach + 0.5, static_cast<double>(in)));

    std::vector<double> exact;
    double sum = 0.0;
    for (std::size_t i = first; i < last; ++i) {
        const double distance = static_cast<double>(i) - centre + 0.5;
        const volatile double relative = distance * per_reach;
        exact.push_back(std::max(1.0 - std::abs(relative), 0.0));
        sum += exact.back();
    }
    taps result{first, {}};
    for (const double weight : exact)
        result.weights.push_back(static_cast<std::int32_t>(
            std::floor(weight / sum * static_cast<double>(1 << taps::fraction_bits) + 0.5)));
    return result;
}

/// Resamples the middle axis of `pixels`, [outer, in, inner], to `out`. Sums are exact; each is
/// rounded half up to a byte.
[[nodiscard]] inline std::vector<std::uint8_t>
resample_axis(const std::vector<std::uint8_t>& pixels, std::size_t in, std::size_t out,
              std::size_t inner) {
    const std::size_t outer = pixels.size() / (in * inner);
    std::vector<std::uint8_t> result(outer * out * inner);
    std::vector<std::int32_t> sums(inner);
    for (std::size_t to = 0; to < out; ++to) {
        const taps t = triangle_taps(to, in, out);
        for (std::size_t o = 0; o < outer; ++o) {
            const std::uint8_t* from = pixels.data() + (o * in + t.first) * inner;
            std::fill(sums.begin(), sums.end(), 1 << (taps::fraction_bits - 1));
            for (const std::int32_t weight : t.weights)
                for (std::size_t i = 0; i < inner; ++i)
                    sums[i] += weight * *from++;
            std::uint8_t* target = result.data() + (o * out + to) * inner;
            for (std::size_t i = 0; i < inner; ++i)
                target[i] =
                    static_cast<std::uint8_t>(std::min(sums[i] >> taps::fraction_bits, 255));
        }
    }
    return result;
}

/// `image` with its short side scaled to `short_side`, the long one to
/// `floor(short_side * long / short)`: columns first, rounded to bytes, then rows.
[[nodiscard]] inline image8 resize_short_side(const image8& image, std::size_t short_side) {
    const std::size_t from = std::min(image.height, image.width);
    if (from == 0 || short_side == 0)
        detail::fail<data_error>("an image of ", image.height, "x", image.width,
                                 " pixels cannot be resized to a short side of ", short_side);
    if (from == short_side) return image;
    const std::size_t height = short_side * image.height / from;
    const std::size_t width = short_side * image.width / from;
    if (std::max(height, width) > max_image_pixels / short_side)
        detail::fail<data_error>("an image of ", image.height, "x", image.width,
                                 " pixels would be resized to ", height, "x", width,
                                 ", which is more than ", max_image_pixels, " pixels");
    const auto columns = resample_axis(image.pixels, image.width, width, image.channels);
    return {height, width, image.channels,
            resample_axis(columns, image.height, height, width * image.channels)};
}

/// How half a pixel before a crop is rounded.
enum class crop_rounding {
    to_even, ///< as torchvision
    down,    ///< as TensorFlow's networks
};

/// Where a crop of `crop` out of `size` begins: `(size - crop) / 2`, rounded.
[[nodiscard]] constexpr std::size_t crop_begin(std::size_t size, std::size_t crop,
                                               crop_rounding rounding = crop_rounding::to_even) {
    const std::size_t half = (size - crop) / 2;
    const bool up = rounding == crop_rounding::to_even && half % 2 == 1;
    return (size - crop) % 2 == 1 && up ? half + 1 : half;
}

/// The `crop` x `crop` pixels in the middle; throws `data_error` if the image is smaller.
[[nodiscard]] inline image8 centre_crop(const image8& image, std::size_t crop,
                                        crop_rounding rounding = crop_rounding::to_even) {
    if (image.height < crop || image.width < crop)
        detail::fail<data_error>("an image of ", image.height, "x", image.width,
                                 " pixels is smaller than the crop, ", crop, "x", crop);
    image8 result{crop, crop, image.channels, {}};
    result.pixels.resize(crop * crop * image.channels);
    const std::size_t top = crop_begin(image.height, crop, rounding);
    const std::size_t left = crop_begin(image.width, crop, rounding);
    const std::size_t row = crop * image.channels;
    for (std::size_t y = 0; y < crop; ++y)
        std::memcpy(result.pixels.data() + y * row,
                    image.pixels.data() + ((top + y) * image.width + left) * image.channels, row);
    return result;
}

} // namespace data
} // namespace v0
} // namespace quantal

#endif
