// SPDX-License-Identifier: Apache-2.0
/// Tensors to LibTorch and back without copying.
#ifndef QUANTAL_TORCH_TENSOR_HPP
#define QUANTAL_TORCH_TENSOR_HPP

#include <quantal/graph/graph.hpp>

#include <ATen/ATen.h>

#include <map>
#include <string>
#include <vector>

namespace quantal {
inline namespace v0 {
namespace torch {

/// The elements of `v` as an ATen tensor that refers to them: it must not outlive them, and must
/// not be written to.
[[nodiscard]] inline at::Tensor as_torch(const view<const float>& v) {
    const std::vector<std::int64_t> sizes(v.shape().begin(), v.shape().end());
    std::vector<std::int64_t> strides;
    for (int axis = 0; axis < v.shape().rank(); ++axis)
        strides.push_back(v.stride(axis));
    return at::from_blob(const_cast<float*>(v.data()), sizes, strides, at::kFloat);
}
[[nodiscard]] inline at::Tensor as_torch(const tensor<float>& t) {
    return as_torch(view<const float>(t));
}

/// A view of a float32 tensor on the CPU, with its strides; it must not outlive `t`. Throws
/// `data_error` for another type, device or layout, and for values that LibTorch negates whenever
/// it reads them.
[[nodiscard]] inline view<const float> as_view(const at::Tensor& t) {
    const bool strided = t.scalar_type() == at::kFloat && t.device().is_cpu() &&
                         t.layout() == at::kStrided && !t.is_neg();
    if (!strided)
        quantal::detail::fail<data_error>("a LibTorch tensor of type ", t.toString(),
                                          t.defined() && t.is_neg() ? ", negated on reading" : "",
                                          "; strided float32 tensors on the CPU can be viewed");
    view<const float>::strides strides{};
    const extents dims(std::span(t.sizes().data(), t.sizes().size()));
    std::copy(t.strides().begin(), t.strides().end(), strides.begin());
    return {t.data_ptr<float>(), dims, strides};
}

/// A copy.
[[nodiscard]] inline tensor<float> from_torch(const at::Tensor& t) {
    const at::Tensor dense = t.to(at::kCPU, at::kFloat).resolve_neg().contiguous();
    const view<const float> v = as_view(dense);
    return {v.shape(), std::vector<float>(v.values().begin(), v.values().end())};
}

/// Parameters by name.
using parameter_map = std::map<std::string, at::Tensor>;

/// The parameters of a network, referred to, not copied.
[[nodiscard]] inline parameter_map parameters_of(const graph& net) {
    parameter_map result;
    for (const auto& [name, values] : net.parameters)
        result.emplace(name, as_torch(values));
    return result;
}

} // namespace torch
} // namespace v0
} // namespace quantal

#endif
