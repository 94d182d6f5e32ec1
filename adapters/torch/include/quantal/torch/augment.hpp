// SPDX-License-Identifier: Apache-2.0
/// The usual augmentation of small images: a random crop of the padded image, a random flip.
#ifndef QUANTAL_TORCH_AUGMENT_HPP
#define QUANTAL_TORCH_AUGMENT_HPP

#include <quantal/tensor/extents.hpp>

#include <random>
#include <span>

namespace quantal {
inline namespace v0 {
namespace torch {

/// How an image moves: down and right by so many pixels (zeros come in), then mirrored or not.
struct motion {
    std::int64_t down, right;
    bool mirror;
};

/// Moves by up to `reach` pixels each way with equal chances; mirrors every second image if asked.
[[nodiscard]] inline motion random_motion(std::mt19937_64& generator, int reach, bool mirror) {
    const auto below = [&](std::uint64_t n) { return static_cast<std::int64_t>(generator() % n); };
    const auto span = static_cast<std::uint64_t>(2 * reach + 1);
    const std::int64_t down = below(span) - reach;
    const std::int64_t right = below(span) - reach;
    return {down, right, mirror && below(2) == 1};
}

/// Writes the moved image; both are channels x height x width.
inline void augment(const extents& shape, std::span<const float> from, motion m,
                    std::span<float> to) {
    const std::int64_t height = shape[1], width = shape[2];
    std::size_t i = 0;
    for (std::int64_t c = 0; c < shape[0]; ++c)
        for (std::int64_t y = 0; y < height; ++y)
            for (std::int64_t x = 0; x < width; ++x, ++i) {
                const std::int64_t column = (m.mirror ? width - 1 - x : x) - m.right;
                const std::int64_t row = y - m.down;
                const bool inside = row >= 0 && row < height && column >= 0 && column < width;
                to[i] = inside ? from[static_cast<std::size_t>((c * height + row) * width + column)]
                               : 0.0f;
            }
}

} // namespace torch
} // namespace v0
} // namespace quantal

#endif
