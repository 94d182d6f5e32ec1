// SPDX-License-Identifier: Apache-2.0
/// The depthwise convolution with windows of 3 x 3 pixels, without tensor cores.
#ifndef QUANTAL_CUDA_DEPTHWISE_HPP
#define QUANTAL_CUDA_DEPTHWISE_HPP

#include <quantal/kernel/cuda/finish.hpp>
#include <quantal/kernel/cuda/image_rows.hpp>
#include <quantal/kernel/cuda/kernel.hpp>

#include <span>
#include <vector>

namespace quantal {
inline namespace v0 {
namespace cuda {

/// Four pixels of four channels the other way round: byte i of word j is byte j of word i.
[[nodiscard]] QUANTAL_DEVICE pack<std::uint32_t, 4>
turn_round(const pack<std::uint32_t, 4>& words) {
    const std::uint32_t low_01 = permute(words[0], words[1], 0x5140);
    const std::uint32_t high_01 = permute(words[0], words[1], 0x7362);
    const std::uint32_t low_23 = permute(words[2], words[3], 0x5140);
    const std::uint32_t high_23 = permute(words[2], words[3], 0x7362);
    return {{permute(low_01, low_23, 0x5410), permute(low_01, low_23, 0x7632),
             permute(high_01, high_23, 0x5410), permute(high_01, high_23, 0x7632)}};
}

/// `requantize(start[c] + sum(x * w))` over windows of 3 x 3 pixels, `Stride` apart both ways,
/// where start is `bias - zero_point * sum(w)` modulo 2^32. All arrays go up to the pitch of
/// pixels.
///
/// A thread makes four channels of `rows_out` x `columns_out` pixels, so that a warp reads 128
/// bytes side by side. dp4a adds four neighbours of memory, which are channels; eight byte
/// permutations turn four pixels of four channels round, and then one register serves both windows
/// of a stride of 1: a row of weights is the lower three bytes of a register, or its upper three.
/// The weights of a thread stay in its registers.
template <int Stride>
requires(Stride == 1 || Stride == 2) struct depthwise_kernel {
    static constexpr const char* name = "depthwise";
    static constexpr int threads = 128;
    using shared = no_shared_memory;

    static constexpr int rows_out = 4, columns_out = Stride == 1 ? 2 : 1;
    static constexpr int rows_in = (rows_out - 1) * Stride + 3, columns_in = columns_out + 2;

    image_rows x;
    const std::uint32_t* w; ///< by `depthwise_weights`
    const std::int32_t* start;
    codes_out finish;

    [[nodiscard]] static QUANTAL_HD constexpr int across(const image_rows& x) {
        return blocks_of(x.output.w, columns_out) * (x.channels / 4);
    }
    /// What lies below one another is many in large batches: then a block takes several.
    [[nodiscard]] static constexpr grid_index grid(const image_rows& x) {
        const int down = x.images * blocks_of(x.output.h, rows_out);
        return {blocks_of(across(x), threads), down < 65535 ? down : 65535};
    }

    QUANTAL_DEVICE void operator()() const {
        const int i = threads * block_index().x + thread_index(), groups = x.channels / 4;
        if (i >= across(x)) return;
        const columns mine(*this, i / groups * columns_out, i % groups);
        const int down = blocks_of(x.output.h, rows_out);
        for (int y = block_index().y; y < x.images * down; y += grid_size().y)
            mine.make(y / down, y % down * rows_out);
    }

private:
    /// Four channels of the pixels that one row of windows sees, a register for each channel.
    using row = pack<std::uint32_t, 4>;

    class columns {
    public:
        QUANTAL_DEVICE columns(const depthwise_kernel& k, int column, int group)
            : k_(k), x_(k.x), column_(column), channel_(4 * group),
              start_(load_pack<4>(k.start + 4 * group)),
              multipliers_(load_pack<4>(k.finish.multipliers + 4 * group)) {
            QUANTAL_UNROLL
            for (int i = 0; i < 3; ++i)
                weights_[i] = load_pack<4>(k.w + i * x_.channels + 4 * group);
        }

        /// The outputs from row `y` of an image on.
        QUANTAL_DEVICE void make(int image, int y) const {
            pack<std::int32_t, 4> sums[rows_out][columns_out];
            QUANTAL_UNROLL
            for (int i = 0; i < rows_out * columns_out; ++i)
                sums[i / columns_out][i % columns_out] = start_;
            const int top = y * Stride - x_.top, left = column_ * Stride - x_.left;
            const std::int64_t first = (std::int64_t{image} * x_.image.h + top) * x_.image.w + left;
            const std::uint8_t* from = x_.data + first * x_.channels + channel_;
            const int line = x_.image.w * x_.channels;
            QUANTAL_UNROLL
            for (int in = 0; in < rows_in; ++in, from += line) {
                const row of = pixels(from, top + in, left);
                QUANTAL_UNROLL
                for (int r = 0; r < rows_out; ++r)
                    if (in >= r * Stride && in < r * Stride + 3) add(sums[r], of, in - r * Stride);
            }
            QUANTAL_UNROLL
            for (int i = 0; i < rows_out * columns_out; ++i) {
                const int r = i / columns_out, c = i % columns_out;
                if (y + r < x_.output.h && column_ + c < x_.output.w)
                    put(sums[r][c], (image * x_.output.h + y + r) * x_.output.w + column_ + c);
            }
        }

    private:
        [[nodiscard]] QUANTAL_DEVICE row pixels(const std::uint8_t* from, int y, int left) const {
            const std::uint32_t outside = x_.zero_point * 0x01010101u;
            const bool is_row = y >= 0 && y < x_.image.h;
            row words{};
            QUANTAL_UNROLL
            for (int i = 0; i < columns_in; ++i) {
                const bool is_pixel = is_row && left + i >= 0 && left + i < x_.image.w;
                const int place = i * x_.channels;
                words[i] = is_pixel ? load_word(from + place) : outside;
            }
            return turn_round(words);
        }
        QUANTAL_DEVICE void add(pack<std::int32_t, 4> (&sums)[columns_out], const row& of,
                                int of_window) const {
            QUANTAL_UNROLL
            for (int i = 0; i < 4 * columns_out; ++i) {
                const int c = i / 4, of_four = i % 4;
                sums[c][of_four] =
                    dot4(of[of_four], weights_[of_window][of_four] << (8 * c), sums[c][of_four]);
            }
        }
        QUANTAL_DEVICE void put(const pack<std::int32_t, 4>& sums, std::int64_t pixel) const {
            pack<std::uint8_t, 4> codes;
            QUANTAL_UNROLL
            for (int i = 0; i < 4; ++i)
                codes[i] = k_.finish.value(sums[i], multipliers_[i]);
            store_pack(k_.finish.to.y + pixel * k_.finish.to.pitch + channel_, codes);
        }

        const depthwise_kernel& k_;
        const image_rows& x_;
        int column_, channel_;
        pack<std::int32_t, 4> start_;
        pack<float, 4> multipliers_;
        row weights_[3]; ///< by rows of the window; of three bytes each
    };
};

/// `weights` has 9 int8 for each of `channels` channels, up to `pitch` zeros take their place: for
/// each row of the window a word a channel, its three weights from the lowest byte on.
[[nodiscard]] inline std::vector<std::uint32_t>
depthwise_weights(std::span<const std::int8_t> weights, std::size_t pitch) {
    std::vector<std::uint32_t> result(3 * pitch);
    for (std::size_t i = 0; i < weights.size(); ++i) {
        const std::size_t channel = i / 9, row = i % 9 / 3, column = i % 3;
        result[row * pitch + channel] |= std::uint32_t{static_cast<std::uint8_t>(weights[i])}
                                         << (8 * column);
    }
    return result;
}

} // namespace cuda
} // namespace v0
} // namespace quantal

#endif
