// SPDX-License-Identifier: Apache-2.0
/// Standard Gaussian noise in the place of pre-processed images.
#ifndef QUANTAL_EXAMPLES_HOMEWORK_NOISE_HPP
#define QUANTAL_EXAMPLES_HOMEWORK_NOISE_HPP

#include <quantal/data/dataset.hpp>

#include <random>

namespace homework {

/// Images whose elements are independent, of mean 0 and deviation 1; image `i` depends on the seed
/// and on `i` alone, so that a smaller set is the beginning of a larger one.
class gaussian_noise final : public quantal::data::dataset {
public:
    gaussian_noise(const quantal::extents& image, std::size_t size, std::uint64_t seed)
        : image_(image), size_(size), seed_(seed) {}

    [[nodiscard]] std::size_t size() const override { return size_; }
    [[nodiscard]] quantal::extents image_shape() const override { return image_; }
    [[nodiscard]] int classes() const override { return 1; }
    [[nodiscard]] int label(std::size_t) const override { return 0; }
    void read(std::size_t index, std::span<float> chw) const override {
        std::seed_seq words{seed_, seed_ >> 32, std::uint64_t{index}};
        std::mt19937_64 generator(words);
        std::normal_distribution<float> standard;
        for (float& element : chw)
            element = standard(generator);
    }

private:
    quantal::extents image_;
    std::size_t size_;
    std::uint64_t seed_;
};

} // namespace homework

#endif
