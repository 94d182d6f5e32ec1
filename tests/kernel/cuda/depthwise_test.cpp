// SPDX-License-Identifier: Apache-2.0
#include "kernel/cuda/integer_layer.hpp"

#include <quantal/kernel/cuda/depthwise.hpp>
#include <quantal/kernel/cuda/window_rows.hpp>

#include <boost/test/unit_test.hpp>

using namespace quantal;
using namespace quantal::cuda;

namespace {

constexpr std::uint8_t zero_point = 101;

/// Images, weights and biases of one depthwise convolution, and its sums by the reference.
struct channelwise {
    std::int64_t images, channels;
    reference::window window;
    support::byte_rows x; ///< a row of channels for each pixel
    std::vector<std::int8_t> weights{};
    support::array<std::int32_t> start{};
    std::vector<std::int32_t> expected{}; ///< a row of channels for each output pixel

    /// Of random codes and weights, or of those with the largest sums.
    channelwise(std::mt19937& g, hw size, int stride, int padding, std::int64_t images_,
                std::int64_t channels_, bool is_extreme)
        : images(images_), channels(channels_),
          window{size,
                 {(size.h + 2 * padding - 3) / stride + 1, (size.w + 2 * padding - 3) / stride + 1},
                 3,
                 stride,
                 1,
                 padding,
                 padding},
          x(images * size.h * size.w, channels, 0xa5), start(static_cast<std::size_t>(x.pitch)) {
        std::uniform_int_distribution<int> byte(0, 255), weight(-128, 127), bias(-9999, 9999);
        std::vector<std::int32_t> centred;
        for (std::int64_t i = 0; i < images * size.h * size.w * channels; ++i) {
            auto& code = x.at(i / channels, i % channels);
            code = static_cast<std::uint8_t>(is_extreme ? 255 : byte(g));
            centred.push_back(code - zero_point);
        }
        for (std::int64_t i = 0; i < channels * 9; ++i)
            weights.push_back(static_cast<std::int8_t>(is_extreme ? -128 : weight(g)));
        std::vector<std::int32_t> biases;
        for (std::int64_t c = 0; c < channels; ++c) {
            biases.push_back(bias(g));
            start[static_cast<std::size_t>(c)] = biases.back();
            for (std::int64_t i = 0; i < 9; ++i)
                start[static_cast<std::size_t>(c)] -= zero_point * weights[at(c, i)];
        }
        const auto arranged = reference::arrange<std::int32_t>(
            {channels, 1, 3, 3}, channels, [&](std::size_t i) { return weights[i]; });
        for (std::int64_t n = 0; n < images; ++n)
            reference::conv2d<std::int32_t, std::int32_t, std::int32_t>(
                window, centred.data() + n * size.h * size.w * channels, arranged, biases,
                [&](std::int64_t, std::span<const std::int32_t> sums) {
                    expected.insert(expected.end(), sums.begin(), sums.end());
                });
    }
    static std::size_t at(std::int64_t channel, std::int64_t position) {
        return static_cast<std::size_t>(channel * 9 + position);
    }

    /// How many codes differ from the reference's.
    template <int Stride>
    [[nodiscard]] int differing(unsigned seed) const {
        const std::int64_t rows = images * window.out.h * window.out.w;
        const auto pitch = static_cast<std::size_t>(x.pitch);
        const auto words = depthwise_weights(weights, pitch);
        const support::array<std::uint32_t> w(words.begin(), words.end());
        support::array<float> factors(pitch);
        for (std::size_t c = 0; c < pitch; ++c)
            factors[c] = 0.001f + 0.0001f * static_cast<float>(c);
        support::byte_rows y(rows, x.pitch, 0);
        const image_rows of =
            rows_of(window, x.data(), static_cast<std::int32_t>(images), x.pitch, zero_point);
        const codes_out finish{{y.chunks.front().values, x.pitch}, factors.data(), 128, 3, 250};
        using body = depthwise_kernel<Stride>;
        grid_index grid = body::grid(of);
        if (seed % 2 == 1) grid.y = (grid.y + 1) / 2; // blocks that take several
        support::launch(body{of, w.data(), start.data(), finish}, grid,
                        {std::span(x.chunks), std::span(w), std::span(start),
                         std::span(std::as_const(factors)), std::span(y.chunks)},
                        seed);
        int count = 0;
        for (std::int64_t i = 0; i < std::ssize(expected); ++i) {
            const float factor = factors[static_cast<std::size_t>(i % channels)];
            count += y.at(i / channels, i % channels) !=
                     arith::requantize(expected[static_cast<std::size_t>(i)], factor, 128, 3, 250);
        }
        return count;
    }
    [[nodiscard]] int differing(unsigned seed) const {
        return window.stride.h == 1 ? differing<1>(seed) : differing<2>(seed);
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(cuda_depthwise)

BOOST_AUTO_TEST_CASE(codes_equal_the_reference) {
    auto g = support::generator();
    unsigned seed = 0;
    for (const int stride : {1, 2})
        for (const int padding : {0, 1, 2})
            for (const hw size : {hw(3), hw(4, 5), hw(7), hw(11, 13), hw(3, 9)})
                for (const int channels : {1, 3, 15, 16, 17, 37}) {
                    const channelwise s(g, size, stride, padding, 1 + channels % 3, channels,
                                        channels == 15);
                    BOOST_TEST_CONTEXT(size.h << " x " << size.w << ", stride " << stride
                                              << ", padding " << padding << ", " << channels
                                              << " channels")
                    BOOST_TEST(s.differing(++seed) == 0);
                }
}

BOOST_AUTO_TEST_CASE(images_smaller_than_a_window) {
    auto g = support::generator();
    for (const int stride : {1, 2}) {
        BOOST_TEST(channelwise(g, hw(1), stride, 1, 2, 5, false).differing(1) == 0);
        BOOST_TEST(channelwise(g, hw(2, 1), stride, 2, 1, 16, true).differing(2) == 0);
    }
}

BOOST_AUTO_TEST_CASE(faults_are_seen) {
    auto g = support::generator();
    for (const int stride : {1, 2}) {
        channelwise s(g, hw(9), stride, 1, 1, 16, false);
        const channelwise right = s;
        std::swap(s.weights[channelwise::at(5, 2)],
                  s.weights[channelwise::at(5, 6)]); // turned round
        BOOST_TEST(s.differing(1) > 0);
        s = right;
        std::swap(s.start[3], s.start[4]);
        BOOST_TEST(s.differing(1) > 0);
    }
}

#if !defined(__CUDACC__)
BOOST_AUTO_TEST_CASE(a_row_too_much_is_out_of_bounds) {
    auto g = support::generator();
    channelwise s(g, hw(9), 1, 1, 1, 16, false);
    s.x.chunks.resize(s.x.chunks.size() - 1); // the last pixel is not there
    BOOST_CHECK_EXCEPTION((void)s.differing(1), kernel_error, [](const kernel_error& e) {
        BOOST_TEST_MESSAGE(e.what());
        return std::string(e.what()).find("of array 0, which has") != std::string::npos;
    });
}
#endif

BOOST_AUTO_TEST_SUITE_END()
