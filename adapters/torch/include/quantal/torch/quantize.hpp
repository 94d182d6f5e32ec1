// SPDX-License-Identifier: Apache-2.0
/// Quantizing in ATen, written from docs/arithmetic.md and not from arith/: two implementations of
/// one text can be held against each other.
#ifndef QUANTAL_TORCH_QUANTIZE_HPP
#define QUANTAL_TORCH_QUANTIZE_HPP

#include <quantal/tensor/qparams.hpp>

#include <ATen/ATen.h>

#include <limits>

namespace quantal {
inline namespace v0 {
namespace torch {

/// Scales and zero points as float32 tensors that broadcast along the spec's axis of a tensor of
/// `dims` dimensions.
struct broadcast_params {
    at::Tensor scale, zero_point;

    broadcast_params(const qparams& p, std::int64_t dims) {
        std::vector<std::int64_t> sizes(static_cast<std::size_t>(dims), 1);
        if (p.spec.grain == granularity::per_channel)
            sizes[static_cast<std::size_t>(p.spec.axis)] = std::ssize(p.scales);
        scale = at::tensor(p.scales, at::kFloat).reshape(sizes);
        zero_point = at::tensor(p.zero_points, at::kInt).to(at::kFloat).reshape(sizes);
    }
};

/// Codes as float32 integers: `clamp(round(x / scale), lo - z, hi - z) + z`, NaN to z. ATen rounds
/// ties to even.
[[nodiscard]] inline at::Tensor quantize(const at::Tensor& x, const qparams& p, double lo,
                                         double hi) {
    const broadcast_params b(p, x.dim());
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
    const broadcast_params b(p, q.dim());
    return at::mul(at::sub(q, b.zero_point), b.scale);
}

[[nodiscard]] inline at::Tensor fake_quantize(const at::Tensor& x, const qparams& p) {
    return dequantize(quantize(x, p), p);
}

} // namespace torch
} // namespace v0
} // namespace quantal

#endif
