// SPDX-License-Identifier: Apache-2.0
/// What a layer reads, in float and as integers, as far as a sum of squares can tell.
#ifndef QUANTAL_TUNE_LAYER_MOMENTS_HPP
#define QUANTAL_TUNE_LAYER_MOMENTS_HPP

#include <quantal/arith/rounding.hpp>
#include <quantal/graph/plan.hpp>
#include <quantal/kernel/cpu/real_products.hpp>
#include <quantal/kernel/reference/geometry.hpp>

namespace quantal {
inline namespace v0 {
namespace tune {

/// Means and centred second moments of the inputs of one output of a layer (`depth` of them, in the
/// order of its weights) over images and positions: `x` in the float network, `q` in the integers.
/// Each group of a convolution has its own.
struct layer_moments {
    std::size_t groups = 1, depth = 1, samples = 0;
    std::vector<double> mean_x, mean_q; ///< [groups][depth]
    std::vector<double> qq;             ///< [groups][depth][depth]: of q_i and q_j
    std::vector<double> xq;             ///< [groups][depth][depth]: of x_i and q_j

    /// Those of one group: around the means, or around 0.
    [[nodiscard]] std::vector<double> qq_of(std::size_t group, bool around_means) const {
        return of_group(qq, mean_q, group, around_means);
    }
    [[nodiscard]] std::vector<double> xq_of(std::size_t group, bool around_means) const {
        return of_group(xq, mean_x, group, around_means);
    }

private:
    [[nodiscard]] std::vector<double> of_group(const std::vector<double>& all,
                                               const std::vector<double>& means, std::size_t group,
                                               bool around_means) const {
        const auto first = all.begin() + static_cast<std::ptrdiff_t>(group * depth * depth);
        std::vector<double> result(first, first + static_cast<std::ptrdiff_t>(depth * depth));
        for (std::size_t i = 0; !around_means && i < result.size(); ++i)
            result[i] += means[group * depth + i / depth] * mean_q[group * depth + i % depth];
        return result;
    }
};

/// What the moments of a weighted node take.
[[nodiscard]] inline std::size_t moment_bytes(const graph& net, value v) {
    const node& n = net.at(v);
    const auto* conv = n.as<op::conv2d>();
    const extents weight = parameter_shapes(n.op, net.at(n.inputs[0]).shape).front().second;
    const std::size_t depth = weight.without_front().count();
    return (conv ? static_cast<std::size_t>(conv->groups) : 1) * depth * depth * 2 * sizeof(double);
}

/// Sums up the moments of a weighted node, batch after batch. Of images with many output positions
/// it takes `most_positions`, drawn by `seed`.
class moment_sums {
public:
    static constexpr std::int64_t most_positions = 256;

    moment_sums(const graph& net, value v, std::uint64_t seed)
        : in_(net.at(net.at(v).inputs[0]).shape), seed_(seed) {
        const node& n = net.at(v);
        if (const auto* conv = n.as<op::conv2d>()) {
            window_ = reference::window_of(*conv, in_, n.shape);
            sums_.groups = static_cast<std::size_t>(conv->groups);
        }
        positions_ = static_cast<std::size_t>(window_.kernel.h * window_.kernel.w);
        sums_.depth = static_cast<std::size_t>(in_.channels) / sums_.groups * positions_;
        const std::size_t all = sums_.groups * sums_.depth;
        for (auto* of_one : {&sums_.mean_x, &sums_.mean_q})
            of_one->resize(all);
        for (auto* of_two : {&sums_.qq, &sums_.xq})
            of_two->resize(all * sums_.depth);
    }

    /// The input of the node for a batch of images, in float and in integers.
    void add(const view<const float>& x, const view<const float>& q, parallel_ref parallel) {
        const std::vector<place> places = draw(x.shape()[0]);
        const std::vector<float> xs = patches(x, places), qs = patches(q, places);
        const std::size_t count = places.size(), size = sums_.depth * count;
        for (std::size_t row = 0; row < sums_.groups * sums_.depth; ++row)
            for (std::size_t s = 0; s < count; ++s) {
                sums_.mean_x[row] += xs[row * count + s];
                sums_.mean_q[row] += qs[row * count + s];
            }
        for (std::size_t g = 0; g < sums_.groups; ++g) {
            const std::span<const float> of_q = std::span(qs).subspan(g * size, size);
            const cpu::real_products with_q(of_q, sums_.depth);
            add_to(sums_.qq, g, with_q(of_q, parallel));
            add_to(sums_.xq, g, with_q(std::span(xs).subspan(g * size, size), parallel));
        }
        sums_.samples += count;
    }

    [[nodiscard]] layer_moments finish() const {
        layer_moments m = sums_;
        const auto count = static_cast<double>(m.samples);
        for (auto* sums : {&m.mean_x, &m.mean_q, &m.qq, &m.xq})
            for (double& sum : *sums)
                sum /= count;
        for (std::size_t row = 0; row < m.groups * m.depth; ++row)
            for (std::size_t j = 0; j < m.depth; ++j) {
                const double q = m.mean_q[row / m.depth * m.depth + j];
                m.qq[row * m.depth + j] -= m.mean_q[row] * q;
                m.xq[row * m.depth + j] -= m.mean_x[row] * q;
            }
        return m;
    }

private:
    /// An output position of an image of the batch.
    struct place {
        std::int64_t image, y, x;
    };

    [[nodiscard]] std::vector<place> draw(std::int64_t batch) {
        const std::int64_t pixels = window_.out.h * window_.out.w;
        std::vector<place> places;
        for (std::int64_t i = 0; i < batch; ++i)
            for (std::int64_t p = 0; p < std::min(pixels, most_positions); ++p) {
                const std::int64_t pixel =
                    pixels <= most_positions
                        ? p
                        : static_cast<std::int64_t>(arith::splitmix64(seed_, draws_++) %
                                                    static_cast<std::uint64_t>(pixels));
                places.push_back({i, pixel / window_.out.w, pixel % window_.out.w});
            }
        return places;
    }

    /// What the node reads at these places: [input channel][kernel position][place].
    [[nodiscard]] std::vector<float> patches(const view<const float>& x,
                                             const std::vector<place>& places) const {
        const std::int64_t row_step = x.shape().rank() == 4 ? x.stride(2) : 0;
        const std::int64_t column_step = x.shape().rank() == 4 ? x.stride(3) : 0;
        const auto channels = static_cast<std::size_t>(in_.channels);
        std::vector<float> result(channels * positions_ * places.size());
        for (std::size_t s = 0; s < places.size(); ++s) {
            const float* const image = x.data() + places[s].image * x.stride(0);
            window_.for_each(places[s].y, places[s].x, [&](std::int64_t pixel, std::int64_t k) {
                const float* const from =
                    image + pixel / in_.width * row_step + pixel % in_.width * column_step;
                for (std::size_t c = 0; c < channels; ++c)
                    result[(c * positions_ + static_cast<std::size_t>(k)) * places.size() + s] =
                        from[static_cast<std::int64_t>(c) * x.stride(1)];
            });
        }
        return result;
    }

    void add_to(std::vector<double>& sums, std::size_t group,
                const std::vector<float>& products) const {
        for (std::size_t i = 0; i < products.size(); ++i)
            sums[group * products.size() + i] += products[i];
    }

    reference::image_shape in_;
    reference::window window_ = reference::single_pixel;
    std::size_t positions_ = 1;
    std::uint64_t seed_, draws_ = 0;
    layer_moments sums_;
};

} // namespace tune
} // namespace v0
} // namespace quantal

#endif
