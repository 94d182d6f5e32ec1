// SPDX-License-Identifier: Apache-2.0
/// Rules of import for operators that give elements another place.
#ifndef QUANTAL_ONNX_IMPORT_SHAPE_HPP
#define QUANTAL_ONNX_IMPORT_SHAPE_HPP

#include <quantal/onnx/scope.hpp>

namespace quantal {
inline namespace v0 {
namespace onnx::rules {
namespace detail {

/// Numbers that are an attribute before opset `since` and input `i` from then on.
inline std::optional<int_list> list_of(scope& s, const char* key, int i, std::int64_t since) {
    if (s.node.opset() < since) return s.node.integers(key);
    if (!s.has(i)) return std::nullopt;
    return s.integers_input(i);
}

/// `axes` counted from 0 in ascending order.
inline std::vector<int> axes_of(const int_list& axes, int rank) {
    std::set<int> result;
    for (const std::int64_t axis : axes)
        result.insert(fold::axis_of(axis, rank));
    return {result.begin(), result.end()};
}

/// The value in another shape: only images that become features change anything.
inline void reshape_value(scope& s, const port& x, const extents& shape) {
    if (shape == x.shape) return s.set(x);
    if (!x.is_image() || shape.rank() != 2 || shape[0] != s.state.batch)
        s.node.refuse("makes the shape ", shape, " of ", x.shape,
                      "; values become [N, features] only, image by image");
    port result{s.state.net.flatten(s.unique(), x.v), shape};
    if (x.channels_last) result.flattened = extents{x.shape[3], x.shape[1], x.shape[2]};
    s.set_moved(x, std::move(result));
}

inline void reshape_to(scope& s, const extents& shape) {
    if (s.is_constant(0)) return s.set(s.constant_input(0).reshaped(shape));
    const port x = s.moved_input(0);
    if (x.shape.count() != shape.count())
        s.node.refuse("makes the shape ", shape, " of ", x.shape, ", which has another size");
    reshape_value(s, x, shape);
}

inline const extents& shape_of_input(const scope& s, int i) {
    return s.is_constant(i) ? s.constant_input(i).shape() : s.raw_port(i).shape;
}

} // namespace detail

inline void reshape(scope& s) {
    const extents& from = detail::shape_of_input(s, 0);
    int_list wanted = s.integers_input(1);
    const bool zero_means_zero = s.node.integer("allowzero", 0) != 0;
    std::int64_t known = 1;
    std::size_t unknown = wanted.size();
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        if (wanted[i] == 0 && !zero_means_zero && static_cast<int>(i) < from.rank())
            wanted[i] = from[static_cast<int>(i)];
        if (wanted[i] == -1 && unknown == wanted.size())
            unknown = i;
        else if (wanted[i] < 0 || __builtin_mul_overflow(known, wanted[i], &known))
            s.node.refuse("has a shape with ", wanted[i],
                          "; one extent may be -1, the others are positive and fit 63 bits");
    }
    if (unknown < wanted.size()) {
        const auto count = static_cast<std::int64_t>(from.count());
        if (known == 0 || count % known != 0)
            s.node.refuse("cannot make of the shape ", from, " one of multiples of ", known);
        wanted[unknown] = count / known;
    }
    detail::reshape_to(s, extents(wanted));
}

inline void flatten(scope& s) {
    const extents& from = detail::shape_of_input(s, 0);
    const std::int64_t stated = s.node.integer("axis", 1);
    const int axis = stated == from.rank() ? from.rank() : fold::axis_of(stated, from.rank());
    const auto rows = static_cast<std::int64_t>(fold::blocks_before(from, axis));
    const auto all = static_cast<std::int64_t>(from.count());
    detail::reshape_to(s, {rows, rows == 0 ? 0 : all / rows});
}

inline void squeeze(scope& s) {
    const extents& from = detail::shape_of_input(s, 0);
    int_list ones;
    for (int axis = 0; axis < from.rank(); ++axis)
        if (from[axis] == 1) ones.push_back(axis);
    fold::dims shape = fold::list(from);
    const auto axes =
        detail::axes_of(detail::list_of(s, "axes", 1, 13).value_or(ones), from.rank());
    for (std::size_t i = axes.size(); i-- > 0;) {
        if (from[axes[i]] != 1) s.node.refuse("removes an axis of ", from[axes[i]], " entries");
        shape.erase(shape.begin() + axes[i]);
    }
    detail::reshape_to(s, extents(shape));
}

inline void unsqueeze(scope& s) {
    fold::dims shape = fold::list(detail::shape_of_input(s, 0));
    const int_list added = detail::list_of(s, "axes", 1, 13).value_or(int_list{});
    if (added.size() > extents::max_rank) s.node.refuse("adds ", added.size(), " axes");
    for (const int axis : detail::axes_of(added, static_cast<int>(shape.size() + added.size()))) {
        if (axis > static_cast<int>(shape.size())) s.node.refuse("adds axis ", axis, " too early");
        shape.insert(shape.begin() + axis, 1);
    }
    detail::reshape_to(s, extents(shape));
}

/// Between channels first and channels last: a way to look at an image, nothing that is computed.
inline void transpose(scope& s) {
    const extents& from = detail::shape_of_input(s, 0);
    int_list reversed;
    for (int axis = from.rank(); axis-- > 0;)
        reversed.push_back(axis);
    const int_list order = s.node.integers("perm").value_or(reversed);
    if (s.is_constant(0)) return s.set(fold::transpose(s.constant_input(0), order, s.state.left));
    port x = s.raw_port(0); // what waits on it may wait on
    if (x.is_dynamic) s.refuse_dynamic();
    const int_list to_last{0, 2, 3, 1}, to_first{0, 3, 1, 2};
    if (x.is_image() && order == (x.channels_last ? to_first : to_last)) {
        x.channels_last = !x.channels_last;
        const auto axis = [&](std::size_t i) { return from[static_cast<int>(order[i])]; };
        x.shape = {axis(0), axis(1), axis(2), axis(3)};
    } else if (!std::is_sorted(order.begin(), order.end())) {
        s.node.refuse("transposes the shape ", from,
                      "; images go between channels first and channels last only");
    }
    s.set(std::move(x));
}

inline void concat(scope& s) {
    const std::int64_t axis = s.node.integer("axis", 1);
    if (s.input_count() == 1) return s.set(s.input(0));
    if (s.is_constant(0)) {
        std::vector<constant> parts;
        parts.reserve(static_cast<std::size_t>(s.input_count()));
        for (int i = 0; i < s.input_count(); ++i)
            parts.push_back(s.constant_input(i));
        return s.set(fold::concat(parts, axis, s.state.left));
    }
    std::vector<value> parts;
    port x = s.value_input(0);
    if (fold::axis_of(axis, x.shape.rank()) != x.channel_axis())
        s.node.refuse("joins values along axis ", axis, "; channels can be joined");
    for (int i = 0; i < s.input_count(); ++i) {
        const port part = s.value_input(i);
        if (part.channels_last != x.channels_last || part.flattened || x.flattened)
            s.node.refuse("joins values whose channels lie differently");
        parts.push_back(part.v);
    }
    x.v = s.state.net.concat(s.unique(), parts);
    fold::dims shape = fold::list(x.shape);
    shape[static_cast<std::size_t>(x.channel_axis())] = s.state.net.at(x.v).shape[0];
    x.shape = extents(shape);
    s.set(std::move(x));
}

/// The mean over height and width.
inline void reduce_mean(scope& s) {
    port x = s.value_input(0);
    const auto axes =
        detail::axes_of(detail::list_of(s, "axes", 1, 18).value_or(int_list{}), x.shape.rank());
    const bool keeps = s.node.integer("keepdims", 1) != 0;
    s.node.ignore("noop_with_empty_axes");
    const std::vector<int> wanted = x.channels_last ? std::vector{1, 2} : std::vector{2, 3};
    if (!x.is_image() || axes != wanted)
        s.node.refuse("is a mean of the shape ", x.shape, "; it is over height and width only");
    x.v = s.state.net.global_average_pool(s.unique(), x.v);
    fold::dims shape = fold::list(x.shape);
    for (const int axis : axes)
        shape[static_cast<std::size_t>(axis)] = 1;
    x.shape = extents(shape);
    if (keeps) return s.set(std::move(x));
    detail::reshape_value(s, x, {x.shape[0], s.state.net.at(x.v).shape[0]});
}

} // namespace onnx::rules
} // namespace v0
} // namespace quantal

#endif
