// SPDX-License-Identifier: Apache-2.0
/// The shape of an operator's output from those of its inputs, and the shapes of its parameters.
#ifndef QUANTAL_GRAPH_INFER_SHAPE_HPP
#define QUANTAL_GRAPH_INFER_SHAPE_HPP

#include <quantal/graph/op.hpp>

#include <string>
#include <utility>
#include <vector>

namespace quantal {
inline namespace v0 {
namespace detail {

/// Overloads of lambdas, for std::visit.
template <class... F>
struct overloaded : F... {
    using F::operator()...;
};
template <class... F>
overloaded(F...) -> overloaded<F...>;

/// Infers shapes for one node; `name` and the shapes stand in every message.
class shape_rules {
public:
    shape_rules(const std::string& name, std::vector<extents> inputs)
        : name_(name), inputs_(std::move(inputs)) {}

    extents operator()(const op::input&) const { refuse("an input has no shape of its own"); }
    extents operator()(const op::conv2d& o) const {
        need_image("a convolution");
        const std::int64_t in = x()[0];
        if (o.out_channels < 1 || o.groups < 1 || in % o.groups || o.out_channels % o.groups)
            refuse("a convolution of ", in, " to ", o.out_channels, " channels in ", o.groups,
                   " groups; both counts must be positive multiples of the groups");
        const hw size = window(o.kernel, o.stride, o.padding, o.dilation);
        return {o.out_channels, size.h, size.w};
    }
    extents operator()(const op::linear& o) const {
        need(1);
        if (x().rank() != 1)
            refuse("a linear layer needs a flat input, it gets ", x(), "; flatten it first");
        if (o.out_features < 1) refuse("a linear layer with ", o.out_features, " outputs");
        return {o.out_features};
    }
    extents operator()(const op::batch_norm&) const { return same("a batch norm"); }
    extents operator()(const op::clip& o) const {
        if (!o.is_valid())
            refuse("a clip to [", o.lo, ", ", o.hi, "]; the range must hold 0 and more");
        return same("a clip");
    }
    extents operator()(const op::add&) const {
        need(2);
        if (inputs_[0] != inputs_[1])
            refuse("an add of ", inputs_[0], " and ", inputs_[1], "; both must be the same");
        return x();
    }
    extents operator()(const op::multiply&) const {
        need(2);
        const bool by_channel = x().rank() == 3 && inputs_[1] == extents{x()[0], 1, 1};
        if (inputs_[0] != inputs_[1] && !by_channel)
            refuse("a product of ", inputs_[0], " and ", inputs_[1],
                   "; the second is the same, or one number a channel");
        return x();
    }
    extents operator()(const op::function& o) const {
        if (!o.is_valid()) refuse("a function of infinite numbers");
        return same("a function");
    }
    extents operator()(const op::max_pool& o) const { return pool(o, "a max pool"); }
    extents operator()(const op::average_pool& o) const { return pool(o, "an average pool"); }
    extents operator()(const op::shortcut& o) const {
        need_image("a shortcut");
        if (o.stride.h < 1 || o.stride.w < 1 || o.channels_before < 0 || o.channels_after < 0)
            refuse("a shortcut with a stride below 1 or a negative number of channels");
        return {o.channels_before + x()[0] + o.channels_after,
                (x()[1] + o.stride.h - 1) / o.stride.h, (x()[2] + o.stride.w - 1) / o.stride.w};
    }
    extents operator()(const op::flatten&) const {
        need(1);
        return {static_cast<std::int64_t>(x().count())};
    }
    extents operator()(const op::concat&) const {
        if (inputs_.size() < 2) refuse("a concat of one value; it joins two or more");
        std::int64_t channels = 0;
        for (const extents& s : inputs_) {
            if (s.rank() == 0 || s.without_front() != x().without_front())
                refuse("a concat of ", x(), " and ", s, "; all but the channels must be the same");
            channels += s[0];
        }
        return x().without_front().with_front(channels);
    }

private:
    template <class... Parts>
    [[noreturn]] void refuse(const Parts&... parts) const {
        fail<shape_error>("layer \"", name_, "\": ", parts...);
    }
    const extents& x() const { return inputs_[0]; }
    void need(std::size_t count) const {
        if (inputs_.size() != count) refuse("it has ", inputs_.size(), " inputs and needs ", count);
    }
    void need_image(const char* what) const {
        need(1);
        if (x().rank() != 3) refuse(what, " needs channels, height and width, it gets ", x());
    }
    extents same(const char* what) const {
        need(1);
        if (x().rank() != 1 && x().rank() != 3) refuse(what, " cannot take the shape ", x());
        return x();
    }
    template <class Pool>
    extents pool(const Pool& o, const char* what) const {
        need_image(what);
        const auto& p = o.padding;
        if (p.top >= o.kernel.h || p.bottom >= o.kernel.h || p.left >= o.kernel.w ||
            p.right >= o.kernel.w)
            refuse(what, " padded by as much as its kernel or more");
        const hw size = window(o.kernel, o.stride, p, 1);
        return {x()[0], size.h, size.w};
    }
    hw window(hw kernel, hw stride, const padding& p, hw dilation) const {
        return {
            positions(x()[1] + p.top + p.bottom, kernel.h, stride.h, dilation.h, p.top, p.bottom),
            positions(x()[2] + p.left + p.right, kernel.w, stride.w, dilation.w, p.left, p.right)};
    }
    std::int64_t positions(std::int64_t size, std::int64_t kernel, std::int64_t stride,
                           std::int64_t dilation, std::int64_t before, std::int64_t after) const {
        if (kernel < 1 || stride < 1 || dilation < 1 || before < 0 || after < 0)
            refuse("kernel ", kernel, ", stride ", stride, ", dilation ", dilation, ", padding ",
                   before, " and ", after, "; the first three are at least 1, padding at least 0");
        const std::int64_t reach = (kernel - 1) * dilation + 1;
        if (size < reach)
            refuse("a window of ", reach, " does not fit into ", size, " padded elements of ", x());
        return (size - reach) / stride + 1;
    }

    const std::string& name_;
    std::vector<extents> inputs_;
};

} // namespace detail

/// The parameters of an operator whose (first) input has shape `x`: suffix and shape, in
/// torchvision's names.
[[nodiscard]] inline std::vector<std::pair<std::string, extents>>
parameter_shapes(const op::any& o, const extents& x) {
    using list = std::vector<std::pair<std::string, extents>>;
    const auto with_bias = [](extents weight, bool bias) {
        list result{{"weight", weight}};
        if (bias) result.push_back({"bias", {weight[0]}});
        return result;
    };
    return std::visit(
        detail::overloaded{
            [&](const op::conv2d& c) {
                return with_bias({c.out_channels, x[0] / c.groups, c.kernel.h, c.kernel.w}, c.bias);
            },
            [&](const op::linear& l) {
                return with_bias({l.out_features, x[0]}, l.bias);
            },
            [&](const op::batch_norm&) {
                return list{{"weight", {x[0]}},
                            {"bias", {x[0]}},
                            {"running_mean", {x[0]}},
                            {"running_var", {x[0]}}};
            },
            [&](const op::function& f) {
                return f.curve == op::curve::prelu ? list{{"weight", {x[0]}}} : list{};
            },
            [](const auto&) { return list{}; }},
        o);
}

} // namespace v0
} // namespace quantal

#endif
