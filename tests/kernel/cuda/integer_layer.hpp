// SPDX-License-Identifier: Apache-2.0
/// Convolutions with random integers, in the layout of CUDA's kernels, and their sums by the
/// reference.
#ifndef QUANTAL_TESTS_KERNEL_CUDA_INTEGER_LAYER_HPP
#define QUANTAL_TESTS_KERNEL_CUDA_INTEGER_LAYER_HPP

#include "kernel/cuda/launch.hpp"
#include "support/random.hpp"

#include <quantal/kernel/cuda/pack.hpp>
#include <quantal/kernel/cuda/packed_rows.hpp>
#include <quantal/kernel/reference/conv2d.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace support {

/// Rows of bytes that begin at multiples of 16, as a kernel loads them; `fill` is what is beyond.
struct byte_rows {
    std::int64_t pitch;
    array<quantal::cuda::pack<std::uint8_t, 16>> chunks;

    byte_rows(std::int64_t count, std::int64_t depth, std::uint8_t fill)
        : pitch((depth + 15) / 16 * 16), chunks(static_cast<std::size_t>(count * pitch / 16)) {
        for (std::int64_t i = 0; i < count * pitch; ++i)
            at(0, i) = fill;
    }
    [[nodiscard]] const std::uint8_t* data() const { return chunks.front().values; }
    [[nodiscard]] std::uint8_t& at(std::int64_t row, std::int64_t k) {
        const std::int64_t i = row * pitch + k;
        return chunks[static_cast<std::size_t>(i / 16)][static_cast<int>(i % 16)];
    }
};

/// Weights as a product of `packed` of them a byte takes them: rows of `depth`.
inline byte_rows packed(byte_rows w, std::int64_t rows, std::int64_t depth, int packed) {
    if (packed == 1) return w;
    std::vector<std::uint8_t> plain;
    for (std::int64_t i = 0; i < rows * depth; ++i)
        plain.push_back(w.at(i / depth, i % depth));
    const auto bytes = quantal::cuda::pack_rows(plain, static_cast<std::size_t>(depth), packed);
    byte_rows result(rows, std::ssize(bytes) / rows, 0);
    for (std::int64_t i = 0; i < std::ssize(bytes); ++i)
        result.at(0, i) = bytes[static_cast<std::size_t>(i)];
    return result;
}

struct layer_shape {
    quantal::reference::window window;
    std::int64_t images, in, out; ///< channels in and out
    int weight_bits = 8, code_bits = 8;
};

struct integer_layer : layer_shape {
    std::uint8_t zero_point;
    byte_rows x;                          ///< a row of channels for each pixel
    byte_rows w;                          ///< a row for each output: position, channel up to pitch
    array<std::int32_t> start{};          ///< bias less zero_point * the sum of weights
    std::vector<std::int32_t> expected{}; ///< sums, a row for each output pixel

    /// `fill` lies beyond the channels of weights.
    integer_layer(std::mt19937& g, const layer_shape& s, std::uint8_t fill)
        : layer_shape(s), zero_point(static_cast<std::uint8_t>(101 >> (8 - s.code_bits))),
          x(images * window.in.h * window.in.w, in, 0xa5), w(out, positions() * x.pitch, fill) {
        const int reach = 1 << (weight_bits - 1); // all codes, the lowest too
        std::uniform_int_distribution<int> byte(0, (1 << code_bits) - 1), weight(-reach, reach - 1);
        const std::int64_t pixels = images * window.in.h * window.in.w;
        std::vector<std::int32_t> codes; // less their zero point
        for (std::int64_t p = 0; p < pixels; ++p)
            for (std::int64_t c = 0; c < in; ++c) {
                x.at(p, c) = static_cast<std::uint8_t>(byte(g));
                codes.push_back(x.at(p, c) - zero_point);
            }
        const quantal::extents shape{out, in, window.kernel.h, window.kernel.w};
        const auto weights =
            quantal::reference::arrange<std::int32_t>(shape, 1, [&](std::size_t i) {
                const auto place = static_cast<std::int64_t>(i);
                const std::int64_t channel = place / positions() % in;
                const int value = weight(g);
                w.at(place / positions() / in, place % positions() * x.pitch + channel) =
                    static_cast<std::uint8_t>(value);
                return value;
            });
        compute(g, codes, weights);
    }

    [[nodiscard]] std::int64_t positions() const { return window.kernel.h * window.kernel.w; }
    [[nodiscard]] int rows() const {
        return static_cast<int>(images * window.out.h * window.out.w);
    }
    [[nodiscard]] int columns() const { return static_cast<int>(out); }

private:
    void compute(std::mt19937& g, const std::vector<std::int32_t>& codes,
                 const quantal::reference::conv_weights<std::int32_t>& weights) {
        std::uniform_int_distribution<std::int32_t> any(-999, 999);
        std::vector<std::int32_t> bias(static_cast<std::size_t>(out));
        for (auto& b : bias)
            b = any(g);
        start.assign(bias.begin(), bias.end());
        for (std::size_t i = 0; i < weights.values.size(); ++i)
            start[i % start.size()] -= zero_point * weights.values[i];
        const std::int64_t size = window.in.h * window.in.w * in;
        for (std::int64_t n = 0; n < images; ++n)
            quantal::reference::conv2d<std::int32_t, std::int32_t, std::int32_t>(
                window, codes.data() + n * size, weights, bias,
                [&](std::int64_t, std::span<const std::int32_t> sums) {
                    expected.insert(expected.end(), sums.begin(), sums.end());
                });
    }
};

} // namespace support

#endif
