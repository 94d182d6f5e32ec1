// SPDX-License-Identifier: Apache-2.0
/// Quantizing in ATen, written from docs/arithmetic.md and not from arith/: two implementations of
/// one text can be held against each other.
#ifndef QUANTAL_TORCH_QUANTIZE_HPP
#define QUANTAL_TORCH_QUANTIZE_HPP

#include <quantal/tensor/qparams.hpp>

#include <ATen/ATen.h>

#include <algorithm>
#include <limits>

namespace quantal {
inline namespace v0 {
namespace torch {

/// Scales and zero points as float32 tensors that broadcast to a tensor of these sizes.
struct broadcast_params {
    at::Tensor scale, zero_point;

    broadcast_params(const qparams& p, at::IntArrayRef sizes)
        : scale(spread(at::tensor(p.scales, at::kFloat), p.spec, sizes)),
          zero_point(spread(at::tensor(p.zero_points, at::kInt).to(at::kFloat), p.spec, sizes)) {}

private:
    static at::Tensor spread(const at::Tensor& values, qspec spec, at::IntArrayRef sizes) {
        std::vector<std::int64_t> dims(sizes.size(), 1);
        if (spec.grain == granularity::per_channel)
            dims[static_cast<std::size_t>(spec.axis)] = values.numel();
        if (spec.grain != granularity::per_group) return values.reshape(dims);
        const std::size_t axis = sizes.size() > 1 ? 1 : 0;
        if (axis == 1) dims[0] = sizes[0];
        dims[axis] = -1;
        const auto dim = static_cast<std::int64_t>(axis);
        return values.reshape(dims)
            .repeat_interleave(std::min<std::int64_t>(spec.group_size, sizes[axis]), dim)
            .narrow(dim, 0, sizes[axis]);
    }
};

/// Codes as float32 integers: `clamp(round(x / scale), lo - z, hi - z) + z`, NaN to z. ATen rounds
/// ties to even.
[[nodiscard]] inline at::Tensor quantize(const at::Tensor& x, const qparams& p, double lo,
                                         double hi) {
    const broadcast_params b(p, x.sizes());
    constexpr double infinity = std::numeric_limits<double>::infinity();
    const at::Tensor ratio = at::nan_to_num(at::div(x, b.scale), 0.0, infinity, -infinity);
    const at::Tensor steps = at::round(ratio);
    return at::add(at::minimum(at::maximum(steps, lo - b.zero_point), hi - b.zero_point),
                   b.zero_point);
}
[[nodiscard]] inline at::Tensor quantize(const at::Tensor& x, const qparams& p) {
    return quantize(x, p, p.spec.qmin(), p.spec.qmax());
}

/// `(q - zero_point) * scale`.
[[nodiscard]] inline at::Tensor dequantize(const at::Tensor& q, const qparams& p) {
    const broadcast_params b(p, q.sizes());
    return at::mul(at::sub(q, b.zero_point), b.scale);
}

[[nodiscard]] inline at::Tensor fake_quantize(const at::Tensor& x, const qparams& p) {
    return dequantize(quantize(x, p), p);
}

} // namespace torch
} // namespace v0
} // namespace quantal

#endif
