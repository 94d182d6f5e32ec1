// SPDX-License-Identifier: Apache-2.0
/// Rules of import for operators that slide a window: convolutions and pools.
#ifndef QUANTAL_ONNX_IMPORT_WINDOW_HPP
#define QUANTAL_ONNX_IMPORT_WINDOW_HPP

#include <quantal/onnx/scope.hpp>

namespace quantal {
inline namespace v0 {
namespace onnx::rules {

/// The attributes that windows share.
struct window_attributes {
    hw kernel, stride, dilation;
    quantal::padding stated = 0;
    /// With `ceil_mode` the padding behind has grown until the last window, which begins inside the
    /// image or its padding in front, is whole.
    quantal::padding padding = 0;
};

namespace detail {

/// How much padding one more position needs behind, if the last one is not whole.
inline std::int64_t ceil_padding(std::int64_t size, std::int64_t before, std::int64_t after,
                                 std::int64_t kernel, std::int64_t stride) {
    const std::int64_t rest = size + before + after - kernel;
    std::int64_t steps = (rest + stride - 1) / stride;
    if (steps * stride >= size + before) --steps;
    return std::max(steps * stride + kernel - size - before, after);
}

inline quantal::padding padding_of(node_reader& n, const extents& image, hw kernel, hw stride,
                                   hw dilation) {
    const std::string mode = n.text("auto_pad", "NOTSET");
    const int_list pads = n.integers("pads", 4, 0);
    if (mode == "NOTSET") return {pads[0], pads[1], pads[2], pads[3]};
    if (mode == "VALID") return 0;
    const hw reach{(kernel.h - 1) * dilation.h + 1, (kernel.w - 1) * dilation.w + 1};
    const auto p = same_padding({image[2], image[3]}, reach, stride);
    if (mode == "SAME_UPPER") return p;
    if (mode == "SAME_LOWER") return {p.bottom, p.right, p.top, p.left};
    n.refuse("has the auto_pad \"", mode, "\"; there are NOTSET, VALID, SAME_UPPER, SAME_LOWER");
}

} // namespace detail

/// The window of a node on an image [N, C, H, W]; `shape` is the kernel where weights say so.
[[nodiscard]] inline window_attributes window_of(const scope& s, const extents& image,
                                                 std::optional<hw> shape = std::nullopt) {
    node_reader& n = s.node;
    const int_list kernel = n.integers("kernel_shape", 2, 0);
    const int_list strides = n.integers("strides", 2, 1), dilations = n.integers("dilations", 2, 1);
    const hw stated{kernel[0], kernel[1]};
    window_attributes w{
        shape.value_or(stated), {strides[0], strides[1]}, {dilations[0], dilations[1]}};
    if (shape && stated != hw(0) && stated != *shape)
        n.refuse("has weights of ", shape->h, "x", shape->w, " and the kernel_shape ", stated.h,
                 "x", stated.w);
    if (std::min({w.kernel.h, w.kernel.w, w.stride.h, w.stride.w, w.dilation.h, w.dilation.w}) < 1)
        n.refuse("has a kernel, a stride or a dilation below 1");
    w.stated = w.padding = detail::padding_of(n, image, w.kernel, w.stride, w.dilation);
    if (n.integer("ceil_mode", 0) == 0) return w;
    auto& p = w.padding;
    p.bottom = detail::ceil_padding(image[2], p.top, p.bottom, w.kernel.h, w.stride.h);
    p.right = detail::ceil_padding(image[3], p.left, p.right, w.kernel.w, w.stride.w);
    return w;
}

[[nodiscard]] inline quantal::padding sum_of(const quantal::padding& a, const quantal::padding& b) {
    return {a.top + b.top, a.left + b.left, a.bottom + b.bottom, a.right + b.right};
}

inline void conv(scope& s) {
    const port x = s.layer_input(s.image(s.with_moves(s.raw_port(0))));
    const constant& weight = s.constant_input(1);
    if (weight.shape().rank() != 4 || weight.size() == 0)
        s.node.refuse("has weights of shape ", weight.shape(),
                      "; those of a convolution of two dimensions have four, and none is 0");
    const extents& shape = weight.shape();
    const auto w = window_of(s, x.shape, hw{shape[2], shape[3]});
    const op::conv2d o{.out_channels = shape[0],
                       .kernel = w.kernel,
                       .stride = w.stride,
                       .padding = sum_of(w.padding, x.padding),
                       .dilation = w.dilation,
                       .groups = s.node.integer("group", 1),
                       .bias = s.has(2)};
    parameters values{{"weight", weight.as_tensor()}};
    if (o.bias) values.emplace("bias", s.constant_input(2).as_tensor());
    const value v = s.layer(o, x.v, std::move(values));
    s.set_origin(v, {weight, o.bias ? std::optional(s.constant_input(2)) : std::nullopt, false,
                     x.is_dynamic});
    s.set_value(v);
}

inline void max_pool(scope& s) {
    const port x = s.image(s.with_moves(s.raw_port(0)));
    const auto w = window_of(s, x.shape);
    s.node.ignore("storage_order"); // of an output that nobody reads
    if (w.dilation != hw(1)) s.node.refuse("is a max pool with a dilation; there are none here");
    // Padding with 0 changes nothing where no value is below 0 and each window holds a value.
    const auto* clip = s.state.net.at(x.v).as<op::clip>();
    if (x.padding != quantal::padding(0) && !(clip && clip->lo == 0.0f))
        s.node.refuse("is a max pool of values padded with 0, which it could choose");
    const value v = s.state.net.max_pool(
        s.unique(), x.v,
        {.kernel = w.kernel, .stride = w.stride, .padding = sum_of(w.padding, x.padding)});
    s.set_moved(x, port{v, s.state.net.at(v).shape.with_front(s.state.batch)});
}

inline void average_pool(scope& s) {
    const port x = s.real(s.image(s.with_moves(s.raw_port(0))));
    const auto w = window_of(s, x.shape);
    if (w.dilation != hw(1)) s.node.refuse("is an average pool with a dilation");
    const bool counts = s.node.integer("count_include_pad", 0) != 0;
    const bool has_grown = w.padding != w.stated;
    const bool was_padded = x.padding != quantal::padding(0); // by a node of its own: counted
    if ((was_padded && w.padding != quantal::padding(0)) ||
        (counts && has_grown && w.stated != quantal::padding(0)))
        s.node.refuse("counts some of its padding, and some of it not");
    s.set_value(s.state.net.average_pool(
        s.unique(), x.v,
        {.kernel = w.kernel,
         .stride = w.stride,
         .padding = sum_of(w.padding, x.padding),
         .counts_padding = w.padding == quantal::padding(0) || (counts && !has_grown)}));
}

inline void global_average_pool(scope& s) {
    s.set_value(s.state.net.global_average_pool(s.unique(), s.image_input(0).v));
}

} // namespace onnx::rules
} // namespace v0
} // namespace quantal

#endif
