// SPDX-License-Identifier: Apache-2.0
/// One convolution layer with its data, and the implementations that compute it.
#ifndef QUANTAL_BENCHMARKS_CONVOLUTION_TASK_HPP
#define QUANTAL_BENCHMARKS_CONVOLUTION_TASK_HPP

#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <vector>

namespace benchmarks {

/// A square layer of one image: bytes of activations in [0, u_max], weights in
/// [-w_max, w_max], both uniform; `y = clamp(rne(sum * 2^-shift), 0, 255)`.
struct conv_task {
    std::string name;
    int size, in, out, kernel, stride, groups, u_max, w_max, shift;
    std::vector<std::uint8_t> x; ///< [height, width, in]
    std::vector<std::int8_t> w;  ///< [out, in/groups, kernel, kernel]

    conv_task(int size_, int in_, int out_, int kernel_, int stride_, int groups_, int u_max_,
              int w_max_)
        : size(size_), in(in_), out(out_), kernel(kernel_), stride(stride_), groups(groups_),
          u_max(u_max_), w_max(w_max_), shift(4) {
        std::mt19937 g(1);
        x.resize(static_cast<std::size_t>(size) * size * in);
        for (auto& v : x)
            v = static_cast<std::uint8_t>(std::uniform_int_distribution<>(0, u_max)(g));
        w.resize(static_cast<std::size_t>(out) * (in / groups) * kernel * kernel);
        for (auto& v : w)
            v = static_cast<std::int8_t>(std::uniform_int_distribution<>(-w_max, w_max)(g));
        // About half of the outputs inside the range.
        for (double deviation = 0.33 * u_max * w_max;
             deviation * deviation * depth() > 150.0 * 150.0 * (1 << shift) * (1 << shift);)
            ++shift;
    }
    [[nodiscard]] int padding() const { return kernel / 2; }
    [[nodiscard]] int output_size() const { return (size + 2 * padding() - kernel) / stride + 1; }
    [[nodiscard]] int depth() const { return in / groups * kernel * kernel; }
    [[nodiscard]] double operations() const {
        return 2.0 * output_size() * output_size() * out * depth();
    }
};

/// An implementation bound to a task: runs it, and hands out [height, width, out] codes.
struct conv_implementation {
    std::string name;
    std::function<void()> run;
    std::function<std::vector<std::uint8_t>()> result;
};

conv_implementation quantal_conv(const conv_task& task, const std::string& arch, int threads);
conv_implementation onednn_conv(const conv_task& task, int threads);
/// Signed activations `u - 128` with zero point -128: the same products.
conv_implementation xnnpack_conv(const conv_task& task, int threads);

} // namespace benchmarks

#endif
