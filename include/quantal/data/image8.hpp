// SPDX-License-Identifier: Apache-2.0
/// A decoded image: 8 bits a channel, channels innermost.
#ifndef QUANTAL_DATA_IMAGE8_HPP
#define QUANTAL_DATA_IMAGE8_HPP

#include <cstddef>
#include <cstdint>
#include <vector>

namespace quantal {
inline namespace v0 {
namespace data {

/// Pixels [height, width, channels] in row-major order.
struct image8 {
    std::size_t height = 0;
    std::size_t width = 0;
    std::size_t channels = 0;
    std::vector<std::uint8_t> pixels;

    friend bool operator==(const image8&, const image8&) = default;
};

/// The most pixels that an image may have, stored or resized.
inline constexpr std::size_t max_image_pixels = std::size_t{1} << 26;

} // namespace data
} // namespace v0
} // namespace quantal

#endif
