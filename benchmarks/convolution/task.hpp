// SPDX-License-Identifier: Apache-2.0
/// One convolution layer with its data, and the implementations that compute it.
#ifndef QUANTAL_BENCHMARKS_CONVOLUTION_TASK_HPP
#define QUANTAL_BENCHMARKS_CONVOLUTION_TASK_HPP

#include "support/products.hpp"

namespace benchmarks {

/// A square layer of one image, padded to keep its size at stride 1.
struct conv_layer_size {
    int size, in, out, kernel, stride, groups;

    [[nodiscard]] int padding() const { return kernel / 2; }
    [[nodiscard]] int output_size() const { return (size + 2 * padding() - kernel) / stride + 1; }
    [[nodiscard]] int depth() const { return in / groups * kernel * kernel; }
    [[nodiscard]] double operations() const {
        return 2.0 * output_size() * output_size() * out * depth();
    }
};

/// x is [height, width, in], w [out, in/groups, kernel, kernel].
struct conv_task : conv_layer_size, uniform_operands {
    conv_task(const conv_layer_size& l, int u_max_, int w_max_)
        : conv_layer_size(l),
          uniform_operands(static_cast<std::size_t>(l.size) * static_cast<std::size_t>(l.size) *
                               static_cast<std::size_t>(l.in),
                           static_cast<std::size_t>(l.out) * static_cast<std::size_t>(l.depth()),
                           l.depth(), u_max_, w_max_) {}
};

implementation quantal_conv(const conv_task& task, const std::string& arch, int threads);
implementation onednn_conv(const conv_task& task, int threads);
/// Signed activations `u - 128` with zero point -128: the same products.
implementation xnnpack_conv(const conv_task& task, int threads);

} // namespace benchmarks

#endif
