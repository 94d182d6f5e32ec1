// SPDX-License-Identifier: Apache-2.0
/// Depthwise convolutions: every channel on its own, pixels read in place.
#ifndef QUANTAL_KERNEL_CPU_DEPTHWISE_CONV_HPP
#define QUANTAL_KERNEL_CPU_DEPTHWISE_CONV_HPP

#include <quantal/kernel/cpu/aligned.hpp>
#include <quantal/kernel/cpu/conv_layer.hpp>
#include <quantal/kernel/cpu/pixel_rows.hpp>

namespace quantal {
inline namespace v0 {
namespace cpu {

class depthwise_conv : public conv_layer {
public:
    depthwise_conv(const conv_problem& p, const kernel_set& kernels)
        : kernels_(kernels), shape_(p.shape), rule_(p.rule),
          padding_(static_cast<std::size_t>(shape_.channels),
                   static_cast<std::uint8_t>(p.zero_point)),
          pairs_((shape_.positions() + 1) / 2) {
        const auto lanes = static_cast<std::size_t>(kernels.lanes);
        const std::size_t channels = (padding_.size() + lanes - 1) / lanes * lanes;
        const auto positions = static_cast<std::size_t>(shape_.positions());
        bias_.resize(channels);
        multipliers_.resize(channels);
        weights_.resize(channels * static_cast<std::size_t>(pairs_) * 2);
        for (std::size_t c = 0; c < padding_.size(); ++c) {
            auto start = static_cast<std::uint32_t>(p.bias[c]);
            for (std::size_t k = 0; k < positions; ++k) {
                const std::int16_t w = p.weights[c * positions + k];
                const std::size_t block = c / lanes * static_cast<std::size_t>(pairs_);
                weights_[((block + k / 2) * lanes + c % lanes) * 2 + k % 2] = w;
                start -= static_cast<std::uint32_t>(p.zero_point * w);
            }
            bias_[c] = static_cast<std::int32_t>(start);
            if (!p.multipliers.empty()) multipliers_[c] = p.multipliers[c];
        }
    }

    [[nodiscard]] std::string describe() const override {
        return std::string(kernels_.name) + " depthwise";
    }
    [[nodiscard]] std::size_t workspace_bytes() const override {
        return whole_lines(static_cast<std::size_t>(pixels_a_task * pairs_ * 2) * sizeof(void*));
    }
    [[nodiscard]] std::size_t task_count(std::int64_t batch) const override {
        return static_cast<std::size_t>((batch * shape_.output_pixels() + pixels_a_task - 1) /
                                        pixels_a_task);
    }
    void run_task(std::size_t task, const conv_call& call,
                  std::byte* workspace) const noexcept override {
        const std::int64_t first = static_cast<std::int64_t>(task) * pixels_a_task;
        const std::int64_t count =
            std::min(pixels_a_task, call.batch * shape_.output_pixels() - first);
        auto** pixels = reinterpret_cast<const std::uint8_t**>(workspace);
        const pointer_gatherer gather(shape_, padding_.data());
        window_walk walk(shape_, call.x, first);
        for (std::int64_t i = 0; i < count; ++i, walk.next()) {
            const std::uint8_t** window = pixels + i * pairs_ * 2;
            window[pairs_ * 2 - 1] = padding_.data(); // where the last pair is half a pair
            gather(walk.place(), window);
        }
        const output out{static_cast<std::byte*>(call.y), call.other, shape_.channels};
        kernels_.depthwise({pixels, count, pairs_, static_cast<int>(shape_.channels),
                            reinterpret_cast<const std::byte*>(weights_.data()), bias_.data(),
                            multipliers_.data(), &rule_, out.at(rule_, first, 0)});
    }

private:
    static constexpr std::int64_t pixels_a_task = 64;

    const kernel_set& kernels_;
    conv_shape shape_;
    finish_rule rule_;
    std::vector<std::uint8_t> padding_; ///< a pixel of zero points
    std::int64_t pairs_;
    aligned_vector<std::int16_t> weights_;
    aligned_vector<std::int32_t> bias_;
    aligned_vector<float> multipliers_;
};

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
