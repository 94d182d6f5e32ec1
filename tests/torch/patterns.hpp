// SPDX-License-Identifier: Apache-2.0
/// Images that a small network learns in seconds.
#ifndef QUANTAL_TESTS_TORCH_PATTERNS_HPP
#define QUANTAL_TESTS_TORCH_PATTERNS_HPP

#include <quantal/data/dataset.hpp>
#include <quantal/graph/graph.hpp>

#include "support/random.hpp"

namespace support {

/// Images of 8x8 in memory: rows, columns or a chessboard of light and dark, each with noise.
class patterns : public quantal::data::dataset {
public:
    static constexpr int sides = 8;

    explicit patterns(std::size_t count, float noise = 0.5f) {
        auto g = support::generator();
        images_ = support::normal(g, {static_cast<std::int64_t>(count), 1, sides, sides}, noise);
        for (std::size_t i = 0; i < images_.size(); ++i) {
            const std::size_t y = i / sides % sides, x = i % sides;
            const int kind = label(i / (sides * sides));
            images_[i] += (kind == 0 ? y : kind == 1 ? x : x + y) % 2 ? 1.0f : -1.0f;
        }
    }
    [[nodiscard]] const quantal::tensor<float>& images() const { return images_; }
    [[nodiscard]] std::size_t size() const override {
        return static_cast<std::size_t>(images_.shape()[0]);
    }
    [[nodiscard]] quantal::extents image_shape() const override { return {1, sides, sides}; }
    [[nodiscard]] int classes() const override { return 3; }
    [[nodiscard]] int label(std::size_t index) const override { return int(index % 3); }
    void read(std::size_t index, std::span<float> chw) const override {
        const auto image = images_.slice(static_cast<std::int64_t>(index));
        std::copy(image.begin(), image.end(), chw.begin());
    }

    /// How many of these answers are right.
    [[nodiscard]] std::size_t right(const std::vector<int>& answers) const {
        std::size_t count = 0;
        for (std::size_t i = 0; i < answers.size(); ++i)
            count += answers[i] == label(i);
        return count;
    }

private:
    quantal::tensor<float> images_;
};

/// For such images: two convolutions with batch norms.
inline quantal::graph network_of_patterns() {
    quantal::graph net;
    quantal::value x = net.input({1, 8, 8});
    x = net.conv2d("conv1", x, {.out_channels = 8, .kernel = 3, .padding = 1, .bias = false});
    x = net.relu("relu1", net.batch_norm("bn1", x));
    x = net.conv2d("conv2", x, {.out_channels = 8, .kernel = 3, .stride = 2, .padding = 1});
    x = net.relu("relu2", net.batch_norm("bn2", x));
    x = net.flatten("flatten", net.global_average_pool("avgpool", x));
    net.linear("fc", x, {.out_features = 3});
    return net;
}

} // namespace support

#endif
