// SPDX-License-Identifier: Apache-2.0
/// Whether Winograd's filtering is exact for a layer, in which operands, and what it costs.
#ifndef QUANTAL_KERNEL_CPU_WINOGRAD_PLAN_HPP
#define QUANTAL_KERNEL_CPU_WINOGRAD_PLAN_HPP

#include <quantal/kernel/cpu/conv_cost.hpp>
#include <quantal/kernel/cpu/packed_weights.hpp>

#include <array>
#include <optional>

namespace quantal {
inline namespace v0 {
namespace cpu {

/// The largest |sum of products| that inputs up to `u_max` can make of an output channel's weights.
[[nodiscard]] inline std::int64_t largest_sum(const conv_problem& p) {
    const auto depth = static_cast<std::size_t>(p.shape.depth());
    std::int64_t most = 0;
    for (std::size_t first = 0; first < p.weights.size(); first += depth) {
        std::int64_t above = 0, below = 0;
        for (const std::int16_t w : p.weights.subspan(first, depth))
            (w > 0 ? above : below) += w > 0 ? w : -w;
        const std::int64_t hi = p.u_max - p.zero_point, lo = p.zero_point;
        most = std::max({most, above * hi + below * lo, above * lo + below * hi});
    }
    return most;
}

/// Tiles of a block, for which all transformed weights are read once. A multiple of the rows of a
/// tile of products. Zen 3 (512 KiB of second-level cache), batch 32, 4x4 in words, milliseconds an
/// image with blocks of 12, 24, 48 and 96: 28^2 x 128 0.91 0.72 0.67 0.61, 14^2 x 256 0.96 0.79
/// 0.78 0.76, 7^2 x 512 1.54 0.94 0.77 0.70; more take more memory, 3.7 MB for 512 channels
/// with 96.
inline constexpr std::int64_t winograd_block = 48;

/// More bytes of transformed tiles in a block leave the second-level cache and cost so much more.
/// Zen 3, AVX2, W4A4, 7^2 x 512, batch 8, 4x4 in words (1.2 MB) to 2x2 in bytes: 1.07 of the time,
/// where without this 0.98 were expected.
inline constexpr std::int64_t many_rows = std::int64_t{1} << 20;
inline constexpr double many_rows_cost = 1.1;

/// Few tiles do not pay for reading many transformed weights: these are made on the fly, as many
/// bytes of them at a time as the scratch memory holds. Zen 3, AVX2, least times, on the fly to
/// transformed before: 4x4 in words 7^2 x 512 (4 tiles) 0.62, and 0.92 of 2x2 (8.4 MB), with half
/// of the scratch memory 0.67; but 14^2 x 512 (16 tiles, 18.9 MB) 1.02 to 1.13, 7^2 x 512 with 32
/// tiles 1.17; 2x2 in bytes 7^2 x 512 (16 tiles, 4.2 MB) 0.91. 2x2 in words loses anyway (7^2 x 512
/// 1.19).
[[nodiscard]] constexpr std::int64_t few_tiles(form f) {
    return f == form::words ? 8 : 16;
}
inline constexpr std::int64_t many_weights = std::int64_t{2} << 20;
inline constexpr std::int64_t scratch_for_weights = std::int64_t{288} << 10;

/// F(Outputs x Outputs, 3x3) of one layer. Transformed inputs are int16, or bytes where the widths
/// allow it: the inputs as they are then, each position raised by what makes it unsigned.
template <int Outputs>
struct winograd_plan {
    using rule = winograd<Outputs>;
    static constexpr std::size_t inputs = rule::inputs;
    static constexpr std::size_t positions = inputs * inputs;

    form product;
    std::int64_t row_bytes;                            ///< of a tile's channels at one position
    double cost;                                       ///< of an image (conv_cost.hpp)
    std::array<std::int64_t, positions> short_steps{}; ///< with form::shorts
    std::array<std::uint8_t, positions> raised{};      ///< with bytes
    std::array<std::int32_t, positions> excess{}; ///< of transformed inputs, over those of x - z
    /// Steps of weights that are transformed at a time, just before they are multiplied; 0: all of
    /// them when they are packed.
    std::int64_t steps_at_once = 0;

    /// Nothing unless the outcome determines every sum and the operands fit their words. Bytes are
    /// taken where they can be.
    [[nodiscard]] static std::optional<winograd_plan> make(const conv_problem& p,
                                                           const kernel_set& kernels) {
        const op::conv2d& o = p.shape.op;
        const std::int32_t w_max = largest(p.weights);
        constexpr std::int32_t word = 32767;
        if (o.kernel != hw(3) || o.stride != hw(1) || o.dilation != hw(1) || o.groups != 1 ||
            p.u_max * rule::input_gain > word || w_max * rule::weight_gain > word ||
            largest_sum(p) >= rule::bound)
            return {};
        winograd_plan plan{form::words, 0, 0};
        if constexpr (Outputs == 2)
            if (p.u_max * 4 <= 255 && w_max * rule::weight_gain <= 127) plan.take_bytes(p, kernels);
        const std::int64_t element = plan.product == form::words ? 2 : 1;
        plan.row_bytes = rounded_up(p.shape.channels * element, std::int64_t{4} * kernels.lanes);
        const std::int64_t tiles = tiles_of(p.shape) * p.batch;
        const auto bytes = static_cast<std::int64_t>(positions * p.weights.size() / 9) * element;
        if (tiles <= few_tiles(plan.product) && bytes > many_weights &&
            (Outputs == 4 || element == 1))
            plan.transform_on_the_fly(p, scratch_for_weights /
                                             (std::int64_t{positions} * 4 * kernels.panel_columns));
        plan.cost = winograd_cost(p.shape, plan.product, positions, tiles,
                                  divided_up(tiles, winograd_block), plan.steps_at_once > 0) /
                    static_cast<double>(p.batch);
        if (std::int64_t{positions} * std::min(tiles, winograd_block) * plan.row_bytes > many_rows)
            plan.cost *= many_rows_cost;
        return plan;
    }

    /// Leaves weights that are bytes as they are until they are needed, `steps` of them at a time;
    /// other weights are transformed before.
    void transform_on_the_fly(const conv_problem& p, std::int64_t steps) {
        if (!are_signed_bytes(p.weights)) return;
        steps_at_once = std::max<std::int64_t>(steps / 8 * 8, 8);
        if (product != form::shorts) return;
        const std::vector<std::int16_t> weights = transformed(p);
        const std::size_t pairs = p.weights.size() / 9;
        for (std::size_t k = 0; k < positions; ++k) // a whole number of runs
            while (steps_at_once % short_steps[k] != 0)
                short_steps[k] =
                    proved_steps::from_weights(
                        std::int64_t{4} * p.u_max, std::span(weights).subspan(k * pairs, pairs),
                        static_cast<std::size_t>(p.shape.channels), short_steps[k] - 1)
                        .count();
    }

    /// Tiles along a line of so many outputs, and of an image.
    [[nodiscard]] static std::int64_t tiles_along(std::int64_t outputs) {
        return divided_up(outputs, Outputs);
    }
    [[nodiscard]] static std::int64_t tiles_of(const conv_shape& s) {
        return tiles_along(s.output().h) * tiles_along(s.output().w);
    }

    /// `G w G'` of every pair of channels: [position][out][in].
    [[nodiscard]] static std::vector<std::int16_t> transformed(const conv_problem& p) {
        const std::size_t pairs = p.weights.size() / 9;
        std::vector<std::int16_t> result(positions * pairs);
        for (std::size_t pair = 0; pair < pairs; ++pair) {
            std::int32_t w[9];
            std::copy_n(p.weights.begin() + static_cast<std::ptrdiff_t>(9 * pair), 9, w);
            std::int16_t* to = result.data() + pair;
            repeat<int{inputs}>([&](auto i) {
                std::int32_t half[3];
                for (std::size_t j = 0; j < 3; ++j)
                    half[j] = rule::template weight<i>(w[j], w[3 + j], w[6 + j]);
                repeat<int{inputs}>([&](auto j) {
                    *to = static_cast<std::int16_t>(
                        rule::template weight<j>(half[0], half[1], half[2]));
                    to += pairs;
                });
            });
        }
        return result;
    }

private:
    static std::int32_t largest(std::span<const std::int16_t> weights) {
        std::int32_t most = 0;
        for (const std::int32_t w : weights)
            most = std::max({most, w, -w});
        return most;
    }

    /// F(2x2): a position has coefficients 1, 1, -1, -1, so it is raised by 2 u_max; that in the
    /// middle 1, 1, 1, 1, whose constant is 4.
    void take_bytes(const conv_problem& p, const kernel_set& kernels) {
        constexpr std::size_t middle = inputs + 1;
        const std::size_t pairs = p.weights.size() / 9;
        const auto in = static_cast<std::size_t>(p.shape.channels);
        const std::vector<std::int16_t> weights = transformed(p);
        product = kernels.fast_dot4 ? form::bytes : form::shorts;
        for (std::size_t k = 0; k < positions; ++k) {
            raised[k] = static_cast<std::uint8_t>(k == middle ? 0 : 2 * p.u_max);
            excess[k] = k == middle ? 4 * p.zero_point : raised[k];
            const sum_plan sums = plan_sums(kernels, std::int64_t{4} * p.u_max,
                                            std::span(weights).subspan(k * pairs, pairs), in);
            short_steps[k] = sums.short_steps;
            if (sums.how != product) {
                product = form::words;
                excess = {};
                return;
            }
        }
    }
};

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
