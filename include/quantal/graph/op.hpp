// SPDX-License-Identifier: Apache-2.0
/// The operators of a network, as data. Shapes are per image: channels, height, width, or features.
#ifndef QUANTAL_GRAPH_OP_HPP
#define QUANTAL_GRAPH_OP_HPP

#include <quantal/tensor/extents.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <variant>

namespace quantal {
inline namespace v0 {

/// A height and a width; one number means both.
struct hw {
    std::int64_t h, w;
    constexpr hw(std::int64_t both) : h(both), w(both) {}
    constexpr hw(std::int64_t height, std::int64_t width) : h(height), w(width) {}
    friend constexpr bool operator==(const hw&, const hw&) = default;
};

/// Padding on four sides; one number means all of them.
struct padding {
    std::int64_t top, left, bottom, right;
    constexpr padding(std::int64_t all) : top(all), left(all), bottom(all), right(all) {}
    constexpr padding(std::int64_t t, std::int64_t l, std::int64_t b, std::int64_t r)
        : top(t), left(l), bottom(b), right(r) {}
    friend constexpr bool operator==(const padding&, const padding&) = default;
};

namespace op {

/// The image that comes in.
struct input {
    friend bool operator==(const input&, const input&) = default;
};

/// Cross-correlation. Parameters: weight [out, in/groups, kernel h, kernel w], bias [out] if
/// `bias`.
struct conv2d {
    std::int64_t out_channels = 0;
    hw kernel = 1;
    hw stride = 1;
    quantal::padding padding = 0;
    hw dilation = 1;
    std::int64_t groups = 1;
    bool bias = true;
    friend bool operator==(const conv2d&, const conv2d&) = default;
};

/// `weight * x + bias`. Parameters: weight [out, in], bias [out] if `bias`. The input is flat.
struct linear {
    std::int64_t out_features = 0;
    bool bias = true;
    friend bool operator==(const linear&, const linear&) = default;
};

/// `(x - running_mean) / sqrt(running_var + eps) * weight + bias`, one of each a channel.
struct batch_norm {
    double eps = 1e-5;
    friend bool operator==(const batch_norm&, const batch_norm&) = default;
};

/// `min(max(x, lo), hi)`: relu is [0, inf), relu6 is [0, 6].
struct clip {
    float lo = 0.0f;
    float hi = std::numeric_limits<float>::infinity();
    /// Whether the range holds 0 and more: quantizers put 0 on a code.
    [[nodiscard]] bool is_valid() const { return lo <= 0.0f && hi >= 0.0f && lo < hi; }
    friend bool operator==(const clip&, const clip&) = default;
};

/// The sum of two values of the same shape.
struct add {
    friend bool operator==(const add&, const add&) = default;
};

/// The product of two values of the same shape, or of an image and one number a channel, [C, 1, 1].
struct multiply {
    friend bool operator==(const multiply&, const multiply&) = default;
};

/// Which function of a number: `x < 0 ? alpha * x : x`; the same with a parameter in place of
/// alpha; `1 / (1 + exp(-x))`; `min(max(alpha * x + beta, 0), 1)`; `x * min(max(x + 3, 0), 6) / 6`.
enum class curve { leaky_relu, prelu, sigmoid, hard_sigmoid, hard_swish };

/// A function of each number by itself; in integers, a table of codes. Parameters of a prelu:
/// weight [channels].
struct function {
    op::curve curve = op::curve::sigmoid;
    float alpha = 0.0f;
    float beta = 0.0f;
    /// Whether `alpha` and `beta` are finite.
    [[nodiscard]] bool is_valid() const {
        constexpr float most = std::numeric_limits<float>::max();
        return alpha >= -most && alpha <= most && beta >= -most && beta <= most;
    }
    friend bool operator==(const function&, const function&) = default;
};

/// The curves by name.
inline constexpr const char* curve_names[] = {"leaky_relu", "prelu", "sigmoid", "hard_sigmoid",
                                              "hard_swish"};
[[nodiscard]] inline const char* name(curve c) {
    return curve_names[static_cast<std::size_t>(c)];
}

/// The largest value of each window; padding never wins.
struct max_pool {
    hw kernel = 2;
    hw stride = 2;
    quantal::padding padding = 0;
    friend bool operator==(const max_pool&, const max_pool&) = default;
};

/// The mean of each window; padding counts as 0, and is counted unless the mean is that of the
/// image's values alone.
struct average_pool {
    hw kernel = 2;
    hw stride = 2;
    quantal::padding padding = 0;
    bool counts_padding = true;
    friend bool operator==(const average_pool&, const average_pool&) = default;
};

/// Every `stride`-th row and column, with channels of zeros before and after: ResNet's option-A
/// shortcut (He et al., Deep Residual Learning, 2016, section 3.3).
struct shortcut {
    hw stride = 1;
    std::int64_t channels_before = 0;
    std::int64_t channels_after = 0;
    friend bool operator==(const shortcut&, const shortcut&) = default;
};

/// [C, H, W] to [C * H * W].
struct flatten {
    friend bool operator==(const flatten&, const flatten&) = default;
};

/// The channels (or features) of two or more values, one value after the other.
struct concat {
    friend bool operator==(const concat&, const concat&) = default;
};

using any = std::variant<input, conv2d, linear, batch_norm, clip, add, max_pool, average_pool,
                         shortcut, flatten, concat, multiply, function>;

/// The operator's name as errors and printouts use it.
[[nodiscard]] inline const char* name(const any& o) {
    constexpr const char* names[] = {"input",  "conv2d",   "linear",       "batch_norm", "clip",
                                     "add",    "max_pool", "average_pool", "shortcut",   "flatten",
                                     "concat", "multiply", "function"};
    static_assert(std::size(names) == std::variant_size_v<any>);
    return names[o.index()];
}

} // namespace op

/// The padding by which TensorFlow's SAME gives `ceil(size / stride)` outputs on both axes: the odd
/// row or column goes behind.
[[nodiscard]] constexpr padding same_padding(hw size, hw kernel, hw stride) {
    const auto total = [](std::int64_t n, std::int64_t k, std::int64_t s) {
        return std::max<std::int64_t>(((n + s - 1) / s - 1) * s + k - n, 0);
    };
    const std::int64_t h = total(size.h, kernel.h, stride.h);
    const std::int64_t w = total(size.w, kernel.w, stride.w);
    return {h / 2, w / 2, h - h / 2, w - w / 2};
}

} // namespace v0
} // namespace quantal

#endif
