// SPDX-License-Identifier: Apache-2.0
#include "kernel/cuda/launch.hpp"
#include "support/random.hpp"

#include <quantal/kernel/cuda/window_rows.hpp>
#include <quantal/kernel/cuda/windows.hpp>
#include <quantal/kernel/reference/conv2d.hpp>
#include <quantal/kernel/reference/pool.hpp>

#include <boost/test/unit_test.hpp>

using namespace quantal;
using namespace quantal::cuda;

namespace {

/// Two images of 9 x 8 pixels with 6 channels at a pitch of 16, through a window of a less usual
/// form.
struct sample {
    static constexpr std::int64_t images = 2, channels = 6, pitch = 16;
    static constexpr std::int32_t zero_point = 93;

    reference::window window{{9, 8}, {5, 7}, {3, 2}, {2, 1}, {1, 2}, 1, 1};
    support::array<std::uint8_t> x = support::array<std::uint8_t>(9 * 8 * images * pitch);
    std::vector<std::int32_t> codes; ///< without what is between the pixels

    explicit sample(std::mt19937& g) {
        std::uniform_int_distribution<int> byte(0, 255);
        for (std::size_t i = 0; i < x.size(); ++i) {
            x[i] = static_cast<std::uint8_t>(byte(g));
            if (i % pitch < channels) codes.push_back(x[i]);
        }
    }
    [[nodiscard]] image_rows rows() const {
        return rows_of(window, x.data(), images, pitch, zero_point);
    }
    [[nodiscard]] const std::int32_t* image(std::int64_t n) const {
        return codes.data() + n * window.in.h * window.in.w * channels;
    }
    [[nodiscard]] std::int64_t row_count() const { return images * window.out.h * window.out.w; }

    /// `reduce` of all windows of `columns` channels.
    template <class Reduce>
    [[nodiscard]] std::vector<std::int32_t> run(const Reduce& reduce, std::int32_t columns,
                                                unsigned seed, host::array w,
                                                host::array bias) const {
        support::array<std::int32_t> y(static_cast<std::size_t>(row_count() * columns));
        using body = window_kernel<Reduce, sums_out>;
        support::launch(
            body{row_count() * columns, {rows(), columns, reduce, {{y.data(), columns}}}},
            {1 + static_cast<int>(seed % 3), 1}, {std::span(x), std::span(y), w, bias}, seed);
        return {y.begin(), y.end()};
    }
};

void compare_convolution(std::mt19937& g, int in, int out, unsigned seed) {
    const sample s(g);
    const std::int64_t groups = sample::channels / in, columns = groups * out;
    std::uniform_int_distribution<int> weight(-127, 127);
    support::array<std::int8_t> w(static_cast<std::size_t>(6 * in * columns));
    for (auto& v : w)
        v = static_cast<std::int8_t>(weight(g));
    const auto arranged =
        reference::arrange<std::int32_t>({columns, in, 3, 2}, groups, [&](std::size_t i) {
            const auto place = static_cast<std::int64_t>(i);
            const std::int64_t position = place % 6, k = place / 6 % in, c = place / 6 / in;
            return w[static_cast<std::size_t>((position * in + k) * columns + c)];
        });
    support::array<std::int32_t> bias(static_cast<std::size_t>(columns));
    for (auto& b : bias)
        b = 1000 * weight(g);
    std::vector<std::int32_t> expected, centred(s.codes);
    for (auto& q : centred)
        q -= sample::zero_point;
    for (std::int64_t n = 0; n < sample::images; ++n)
        reference::conv2d<std::int32_t, std::int32_t, std::int32_t>(
            s.window, centred.data() + (s.image(n) - s.codes.data()), arranged,
            std::vector(bias.begin(), bias.end()),
            [&](std::int64_t, std::span<const std::int32_t> sums) {
                expected.insert(expected.end(), sums.begin(), sums.end());
            });
    const grouped_sum sum{w.data(), bias.data(), in, out, static_cast<std::int32_t>(columns)};
    BOOST_TEST(s.run(sum, sum.columns, seed, std::span(w), std::span(bias)) == expected,
               boost::test_tools::per_element());
}

} // namespace

BOOST_AUTO_TEST_SUITE(cuda_windows)

BOOST_AUTO_TEST_CASE(convolutions_in_groups) {
    auto g = support::generator();
    compare_convolution(g, 1, 1, 1); // depthwise
    compare_convolution(g, 1, 3, 2);
    compare_convolution(g, 2, 5, 3);
    compare_convolution(g, 3, 1, 4);
}

BOOST_AUTO_TEST_CASE(pools) {
    auto g = support::generator();
    const host::array none = std::span<const float>();
    for (unsigned seed = 0; seed < 3; ++seed) {
        const sample s(g);
        std::vector<std::int32_t> most(static_cast<std::size_t>(s.row_count() * sample::channels));
        std::vector<std::int32_t> sums;
        for (std::int64_t n = 0; n < sample::images; ++n) {
            reference::max_pool(s.window, sample::channels, 0, s.image(n),
                                most.data() + n * std::ssize(most) / sample::images);
            reference::sum_pool(s.window, sample::channels, sample::zero_point, s.image(n),
                                [&](std::int64_t, std::span<const std::int32_t> of) {
                                    sums.insert(sums.end(), of.begin(), of.end());
                                });
        }
        BOOST_TEST(s.run(window_max{}, sample::channels, seed, none, none) == most,
                   boost::test_tools::per_element());
        BOOST_TEST(s.run(window_sum{}, sample::channels, seed, none, none) == sums,
                   boost::test_tools::per_element());
    }
}

BOOST_AUTO_TEST_SUITE_END()
