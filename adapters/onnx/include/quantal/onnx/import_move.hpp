// SPDX-License-Identifier: Apache-2.0
/// Rules of import for operators that leave elements out or put zeros around them: parts of
/// ResNet's option-A shortcuts, and padding that a later operator takes as its own.
#ifndef QUANTAL_ONNX_IMPORT_MOVE_HPP
#define QUANTAL_ONNX_IMPORT_MOVE_HPP

#include <quantal/onnx/import_shape.hpp>

#include <numeric>

namespace quantal {
inline namespace v0 {
namespace onnx::rules {
namespace detail {

/// One axis of a slice: `count` entries from `start` on, `step` apart.
struct range_of_axis {
    std::int64_t start, count, step;
};

inline range_of_axis range_of(const scope& s, std::int64_t start, std::int64_t end,
                              std::int64_t step, std::int64_t extent) {
    constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max();
    if (step == 0 || step < -most || step > most) s.node.refuse("has the step ", step);
    const std::int64_t lowest = step > 0 ? 0 : -1, highest = step > 0 ? extent : extent - 1;
    const auto place = [&](std::int64_t i) {
        if (i < 0) i = std::max(i, -extent - 1) + extent;
        return std::clamp(i, lowest, std::max(lowest, highest));
    };
    const std::int64_t first = place(start), last = place(end);
    const std::int64_t count = (last - first + step + (step > 0 ? -1 : 1)) / step;
    return {first, std::max<std::int64_t>(count, 0), step};
}

/// A slice of an image: every so-manyth row or column from the first on.
inline port skipped(const scope& s, port x, int axis, const range_of_axis& range) {
    const auto [start, count, step] = range;
    const std::int64_t extent = x.shape[axis];
    if (step == 1 && count == extent) return x;
    const int row = x.channels_last ? 1 : 2;
    if (!x.is_image() || start != 0 || count != (extent + step - 1) / step ||
        (axis != row && axis != row + 1))
        s.node.refuse("takes ", count, " of ", extent, " entries of axis ", axis,
                      "; every so-manyth row or column from the first to the end can be taken");
    if (x.padding != quantal::padding(0) || x.moved.channels_before || x.moved.channels_after)
        x = s.settled(std::move(x));
    (axis == row ? x.moved.stride.h : x.moved.stride.w) *= step;
    fold::dims shape = fold::list(x.shape);
    shape[static_cast<std::size_t>(axis)] = count;
    x.shape = extents(shape);
    x.moved_by = s.node.name();
    return x;
}

/// The zeros around an image, one number an axis and side.
inline port padded(const scope& s, port x, const int_list& before, const int_list& after) {
    const std::size_t row = x.channels_last ? 1 : 2, channel = x.channels_last ? 3 : 1;
    if (before[0] != 0 || after[0] != 0) s.node.refuse("adds images");
    fold::dims shape = fold::list(x.shape);
    for (std::size_t i = 0; i < 4; ++i) {
        if (std::min(before[i], after[i]) < 0 || std::max(before[i], after[i]) > 1 << 30)
            s.node.refuse("pads by ", before[i], " and ", after[i], "; padding is not negative");
        shape[i] += before[i] + after[i];
    }
    if (x.padding != quantal::padding(0)) x = s.settled(std::move(x));
    x.moved.channels_before += before[channel];
    x.moved.channels_after += after[channel];
    x.padding = {before[row], before[row + 1], after[row], after[row + 1]};
    x.shape = extents(shape);
    x.moved_by = s.node.name();
    return x;
}

} // namespace detail

inline void slice(scope& s) {
    const auto numbers = [&](const char* key, int i) { return detail::list_of(s, key, i, 10); };
    const int_list starts = numbers("starts", 1).value_or(int_list{});
    const int_list ends = numbers("ends", 2).value_or(int_list{});
    int_list all(starts.size());
    std::iota(all.begin(), all.end(), std::int64_t{0});
    const int_list axes = numbers("axes", 3).value_or(all);
    const int_list steps = numbers("steps", 4).value_or(int_list(starts.size(), 1));
    if (ends.size() != starts.size() || axes.size() != starts.size() ||
        steps.size() != starts.size())
        s.node.refuse("has ", starts.size(), " starts and other numbers of ends, axes or steps");
    operand result = s.input(0);
    for (std::size_t i = 0; i < starts.size(); ++i) {
        const bool is_known = std::holds_alternative<constant>(result);
        const extents& shape =
            is_known ? std::get<constant>(result).shape() : std::get<port>(result).shape;
        const int axis = fold::axis_of(axes[i], shape.rank());
        const auto range = detail::range_of(s, starts[i], ends[i], steps[i], shape[axis]);
        if (is_known)
            result = fold::slice(std::get<constant>(result), axis, range.start, range.count,
                                 range.step, s.state.left);
        else
            result = detail::skipped(s, std::get<port>(std::move(result)), axis, range);
    }
    s.set(std::move(result));
}

inline void pad(scope& s) {
    port x = s.real(s.raw_port(0));
    if (s.node.text("mode", "constant") != "constant") s.node.refuse("pads with other than zeros");
    const bool by_input = s.node.opset() >= 11;
    const float filling = by_input ? (s.has(2) ? s.constant_input(2).as_reals().at(0) : 0.0f)
                                   : s.node.real("value", 0.0f);
    if (filling != 0.0f) s.node.refuse("pads with ", filling, "; padding is 0");
    const int_list pads = detail::list_of(s, "pads", 1, 11).value_or(int_list{});
    int_list axes{0, 1, 2, 3};
    if (s.has(3)) axes = s.integers_input(3);
    if (!x.is_image() || pads.size() != 2 * axes.size())
        s.node.refuse("pads the shape ", x.shape, " by ", pads.size(), " numbers");
    int_list before(4, 0), after(4, 0);
    for (std::size_t i = 0; i < axes.size(); ++i) {
        const auto axis = static_cast<std::size_t>(fold::axis_of(axes[i], 4));
        before[axis] = pads[i];
        after[axis] = pads[i + axes.size()];
    }
    s.set(detail::padded(s, std::move(x), before, after));
}

} // namespace onnx::rules
} // namespace v0
} // namespace quantal

#endif
