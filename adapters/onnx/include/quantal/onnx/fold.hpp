// SPDX-License-Identifier: Apache-2.0
/// Operators on constants, computed while a model is read.
#ifndef QUANTAL_ONNX_FOLD_HPP
#define QUANTAL_ONNX_FOLD_HPP

#include <quantal/onnx/constant.hpp>

#include <algorithm>

namespace quantal {
inline namespace v0 {
namespace onnx::fold {

using dims = std::vector<std::int64_t>;

/// An axis counted from the end where it is negative. Throws `data_error` outside `rank` axes.
[[nodiscard]] inline int axis_of(std::int64_t axis, int rank) {
    const std::int64_t result = axis < 0 ? axis + rank : axis;
    if (result < 0 || result >= rank)
        quantal::detail::fail<data_error>("the axis ", axis, " does not exist; there are ", rank);
    return static_cast<int>(result);
}
[[nodiscard]] inline dims list(const extents& shape) {
    return {shape.begin(), shape.end()};
}

/// Elements one step along each axis are apart, row-major.
[[nodiscard]] inline dims strides_of(const extents& shape) {
    dims result(static_cast<std::size_t>(shape.rank()), 1);
    for (int axis = shape.rank() - 1; axis > 0; --axis) {
        const auto a = static_cast<std::size_t>(axis);
        result[a - 1] = result[a] * std::max<std::int64_t>(shape[axis], 1);
    }
    return result;
}

/// Calls `f(element, offset)` for the elements of `shape` in row-major order, where `offset` sums
/// index times stride.
template <class F>
void for_each(const extents& shape, const dims& strides, F&& f) {
    dims index(strides.size(), 0);
    std::int64_t offset = 0;
    for (std::size_t element = 0, count = shape.count(); element < count; ++element) {
        f(element, static_cast<std::size_t>(offset));
        for (std::size_t axis = index.size(); axis-- > 0;) {
            offset += strides[axis];
            if (++index[axis] < shape[static_cast<int>(axis)]) break;
            offset -= index[axis] * strides[axis];
            index[axis] = 0;
        }
    }
}

/// The constant of `shape` whose elements lie in `c` from `first` on, `strides` apart.
[[nodiscard]] inline constant strided(const constant& c, const extents& shape, const dims& strides,
                                      std::int64_t first, allowance& left) {
    const std::size_t count = left.take(shape);
    return c.visit([&](const auto& values) -> constant {
        std::remove_cvref_t<decltype(values)> result(count);
        for_each(shape, strides, [&](std::size_t i, std::size_t offset) {
            result[i] = values[static_cast<std::size_t>(first) + offset];
        });
        return {c.type(), shape, std::move(result)};
    });
}

[[nodiscard]] inline constant transpose(const constant& c, const dims& order, allowance& left) {
    const dims from = list(c.shape()), steps = strides_of(c.shape());
    dims shape, strides, axes;
    for (const std::int64_t axis : order) {
        axes.push_back(axis_of(axis, c.shape().rank()));
        shape.push_back(from[static_cast<std::size_t>(axes.back())]);
        strides.push_back(steps[static_cast<std::size_t>(axes.back())]);
    }
    std::sort(axes.begin(), axes.end());
    if (axes.size() != from.size() || std::adjacent_find(axes.begin(), axes.end()) != axes.end())
        quantal::detail::fail<data_error>("a transpose of a constant of shape ", c.shape(),
                                          " does not name each axis once");
    return strided(c, extents(shape), strides, 0, left);
}

/// Every `step`-th index of an axis from `start` on, `count` of them; all exist.
[[nodiscard]] inline constant slice(const constant& c, int axis, std::int64_t start,
                                    std::int64_t count, std::int64_t step, allowance& left) {
    const auto a = static_cast<std::size_t>(axis);
    dims shape = list(c.shape()), strides = strides_of(c.shape());
    const std::int64_t first = count > 0 ? start * strides[a] : 0;
    shape[a] = count;
    strides[a] *= step;
    return strided(c, extents(shape), strides, first, left);
}

/// The shape that two broadcast to (as numpy does). Throws `shape_error` where they don't fit.
[[nodiscard]] inline extents broadcast(const extents& a, const extents& b) {
    dims result;
    for (int axis = -std::max(a.rank(), b.rank()); axis < 0; ++axis) {
        const std::int64_t x = axis + a.rank() < 0 ? 1 : a[axis + a.rank()];
        const std::int64_t y = axis + b.rank() < 0 ? 1 : b[axis + b.rank()];
        if (x != y && x != 1 && y != 1)
            quantal::detail::fail<shape_error>("the shapes ", a, " and ", b,
                                               " do not broadcast to one");
        result.push_back(x == 1 ? y : x);
    }
    return extents(result);
}

/// `c` repeated along axes of extent 1 until it has `shape`, which it broadcasts to.
[[nodiscard]] inline constant expand(const constant& c, const extents& shape, allowance& left) {
    if (broadcast(c.shape(), shape) != shape)
        quantal::detail::fail<shape_error>("a constant of shape ", c.shape(),
                                           " does not broadcast to ", shape);
    if (c.shape() == shape) return c;
    const dims steps = strides_of(c.shape());
    dims strides(static_cast<std::size_t>(shape.rank()), 0);
    for (std::size_t i = 0; i < steps.size(); ++i)
        if (c.shape()[static_cast<int>(i)] != 1)
            strides[strides.size() - steps.size() + i] = steps[i];
    return strided(c, shape, strides, 0, left);
}

/// `f(a, b)` of all elements, both of one kind.
template <class F>
[[nodiscard]] constant combine(const constant& a, const constant& b, F&& f, allowance& left) {
    const extents shape = broadcast(a.shape(), b.shape());
    const constant x = expand(a, shape, left), y = expand(b, shape, left);
    left.take(shape);
    return x.visit([&](const auto& p) -> constant {
        using values = std::remove_cvref_t<decltype(p)>;
        values result(p.size());
        std::transform(p.begin(), p.end(), y.template values<values>().begin(), result.begin(), f);
        return {x.type(), shape, std::move(result)};
    });
}

/// How many blocks of neighbours the axes before `axis` make.
[[nodiscard]] inline std::size_t blocks_before(const extents& shape, int axis) {
    std::size_t result = 1;
    for (int i = 0; i < axis; ++i)
        result *= static_cast<std::size_t>(shape[i]);
    return result;
}

/// The constants, all of one kind, one after the other along an axis.
[[nodiscard]] inline constant concat(const std::vector<constant>& parts, std::int64_t along,
                                     allowance& left) {
    const extents& first = parts.at(0).shape();
    const int axis = axis_of(along, first.rank());
    dims shape = list(first);
    std::int64_t& extent = shape[static_cast<std::size_t>(axis)];
    extent = 0;
    for (const constant& part : parts) {
        dims same = list(first);
        if (part.shape().rank() == first.rank())
            same[static_cast<std::size_t>(axis)] = part.shape()[axis];
        if (extents(same) != part.shape())
            quantal::detail::fail<shape_error>("a concat of constants of shapes ", first, " and ",
                                               part.shape(), " along axis ", axis);
        extent += part.shape()[axis];
    }
    const extents whole(shape);
    left.take(whole);
    const std::size_t blocks = whole.count() == 0 ? 0 : blocks_before(whole, axis);
    return parts[0].visit([&](const auto& kind) -> constant {
        std::remove_cvref_t<decltype(kind)> result;
        for (std::size_t block = 0; block < blocks; ++block)
            for (const constant& part : parts) {
                const auto& values = part.template values<std::remove_cvref_t<decltype(kind)>>();
                const auto size = static_cast<std::ptrdiff_t>(values.size() / blocks);
                const auto from = values.begin() + static_cast<std::ptrdiff_t>(block) * size;
                result.insert(result.end(), from, from + size);
            }
        return {parts[0].type(), whole, std::move(result)};
    });
}

/// The entries of `c` along an axis that `indices` names, negative ones counted from the end.
[[nodiscard]] inline constant gather(const constant& c, const constant& indices, std::int64_t along,
                                     allowance& left) {
    const int axis = axis_of(along, c.shape().rank());
    const std::int64_t extent = c.shape()[axis];
    dims shape = list(c.shape());
    const auto place = shape.erase(shape.begin() + axis);
    shape.insert(place, indices.shape().begin(), indices.shape().end());
    const extents whole(shape);
    left.take(whole);
    const std::size_t blocks = whole.count() == 0 ? 0 : blocks_before(c.shape(), axis);
    return c.visit([&](const auto& values) -> constant {
        std::remove_cvref_t<decltype(values)> result;
        const std::size_t inner =
            values.size() / std::max<std::size_t>(blocks * static_cast<std::size_t>(extent), 1);
        for (std::size_t block = 0; block < blocks; ++block)
            for (const std::int64_t index : indices.as_integers()) {
                const auto i = static_cast<std::size_t>(index < 0 ? index + extent : index);
                if (i >= static_cast<std::size_t>(extent))
                    quantal::detail::fail<data_error>("the index ", index, " of ", extent,
                                                      " entries");
                const auto from =
                    values.begin() + static_cast<std::ptrdiff_t>(
                                         (block * static_cast<std::size_t>(extent) + i) * inner);
                result.insert(result.end(), from, from + static_cast<std::ptrdiff_t>(inner));
            }
        return {c.type(), whole, std::move(result)};
    });
}

} // namespace onnx::fold
} // namespace v0
} // namespace quantal

#endif
