// SPDX-License-Identifier: Apache-2.0
/// Scales and zero points. Only `calibrate` makes them.
#ifndef QUANTAL_TENSOR_QPARAMS_HPP
#define QUANTAL_TENSOR_QPARAMS_HPP

#include <quantal/arith/affine.hpp>
#include <quantal/arith/rounding_policy.hpp>
#include <quantal/spec/text.hpp>
#include <quantal/tensor/extents.hpp>

#include <vector>

namespace quantal {
inline namespace v0 {

/// A spec with its numbers: one scale and one zero point a slice (below). Zero points are 0 for
/// symmetric specs.
struct qparams {
    qspec spec;
    std::vector<float> scales;
    std::vector<std::int32_t> zero_points;

    friend bool operator==(const qparams&, const qparams&) = default;

    [[nodiscard]] float scale(std::size_t slice = 0) const { return scales[slice]; }
    [[nodiscard]] std::int32_t zero_point(std::size_t slice = 0) const {
        return zero_points[slice];
    }
    [[nodiscard]] std::int32_t quantize(float x, std::size_t slice = 0) const {
        return arith::quantize(x, scales[slice], zero_points[slice], spec.qmin(), spec.qmax());
    }
    /// As `quantize`, but rounded by `round`, for row-major element `element` of a tensor.
    template <rounding_policy R>
    [[nodiscard]] std::int32_t quantize(float x, std::size_t slice, const R& round,
                                        std::size_t element) const {
        const float steps =
            arith::steps(x, scales[slice], zero_points[slice], spec.qmin(), spec.qmax());
        return round(steps, element) + zero_points[slice];
    }
    [[nodiscard]] float dequantize(std::int32_t q, std::size_t slice = 0) const {
        return arith::dequantize(q, scales[slice], zero_points[slice]);
    }
};

/// How the elements of a row-major tensor fall into slices that share a scale. One axis of `extent`
/// indices is cut into `groups`, each of `group_size` of them but perhaps the last.
struct slicing {
    std::size_t slices = 1; ///< in all
    std::size_t inner = 1;  ///< elements that one index of the axis holds
    std::size_t extent = 1;
    std::size_t groups = 1;
    std::size_t group_size = 1;

    [[nodiscard]] constexpr std::size_t operator()(std::size_t element) const {
        const std::size_t index = element / inner;
        return (index / extent * groups + index % extent / group_size) % slices;
    }
    /// Calls `f(slice, first, count)` for runs of neighbours of one slice among the `count`
    /// elements from `begin` on.
    template <class F>
    constexpr void for_each_run(std::size_t begin, std::size_t count, F&& f) const {
        const std::size_t end = begin + count;
        if (slices == 1) return f(std::size_t{0}, begin, count);
        for (std::size_t first = begin, next = begin; first < end; first = next) {
            const std::size_t slice = (*this)(first);
            while (next < end && (*this)(next) == slice)
                next = (next / inner + 1) * inner;
            next = next < end ? next : end;
            f(slice, first, next - first);
        }
    }
};

/// The slicing of a tensor of this shape under `spec`; throws `shape_error` if it has no such axis.
[[nodiscard]] inline slicing slicing_of(qspec spec, const extents& dims) {
    if (spec.grain == granularity::per_tensor) return {};
    const bool grouped = spec.grain == granularity::per_group;
    const bool has_rows = grouped && dims.rank() > 1;
    const int axis = grouped ? int{has_rows} : spec.axis;
    if (axis >= dims.rank())
        detail::fail<shape_error>("the spec \"", spec, "\" has scales along axis ", axis,
                                  ", but the tensor has shape ", dims);
    slicing s{.extent = static_cast<std::size_t>(dims[axis])};
    for (int inner = axis + 1; inner < dims.rank(); ++inner)
        s.inner *= static_cast<std::size_t>(dims[inner]);
    if (grouped) s.group_size = static_cast<std::size_t>(spec.group_size);
    s.groups = s.extent / s.group_size + (s.extent % s.group_size != 0);
    s.slices = has_rows ? s.groups * static_cast<std::size_t>(dims[0]) : s.groups;
    return s;
}

/// Throws unless `p` could have come from `calibrate` for a tensor of this shape: the right number
/// of scales, each finite, at least 2^-63 and of the spec's kind, zero points among the codes.
/// `what` names it.
inline void check(const qparams& p, const extents& dims, const std::string& what) {
    check(p.spec);
    const std::size_t slices = slicing_of(p.spec, dims).slices;
    if (p.scales.size() != slices || p.zero_points.size() != slices)
        detail::fail<data_error>(
            what, " has ", p.scales.size(), " scales and ", p.zero_points.size(), " zero points; ",
            slices, " of each belong to the spec \"", p.spec, "\" and the shape ", dims);
    for (const float scale : p.scales)
        if (!(scale >= arith::min_scale && scale <= 0x1.fffffep127f))
            detail::fail<data_error>(what, " has the scale ", scale,
                                     "; a scale is finite and at least 2^-63");
    for (const float scale : p.scales)
        if (p.spec.power_of_two && scale != arith::power_of_two_scale(scale))
            detail::fail<data_error>(what, " has the scale ", scale, "; the spec \"", p.spec,
                                     "\" allows powers of two");
    for (const std::int32_t zero : p.zero_points)
        if (p.spec.is_symmetric() ? zero != 0 : zero < p.spec.qmin() || zero > p.spec.qmax())
            detail::fail<data_error>(what, " has the zero point ", zero, "; the spec \"", p.spec,
                                     "\" allows ", p.spec.is_symmetric() ? 0 : p.spec.qmin(),
                                     " to ", p.spec.is_symmetric() ? 0 : p.spec.qmax());
}

} // namespace v0
} // namespace quantal

#endif
