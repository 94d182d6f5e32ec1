// SPDX-License-Identifier: Apache-2.0
/// A network in float32 on LibTorch.
#ifndef QUANTAL_TORCH_FLOAT_NETWORK_HPP
#define QUANTAL_TORCH_FLOAT_NETWORK_HPP

#include <quantal/runtime/executor.hpp>
#include <quantal/torch/evaluate.hpp>

namespace quantal {
inline namespace v0 {
namespace torch {

/// Runs a network, and shows its values to calibration. Keeps a copy of the network.
class float_network {
public:
    explicit float_network(graph net) : net_(std::move(net)), parameters_(parameters_of(net_)) {}
    float_network(const float_network&) = delete; // the parameters refer to the network
    float_network& operator=(const float_network&) = delete;

    tensor<float> operator()(const tensor<float>& images, const value_visitor& visit) const {
        const c10::InferenceMode inference;
        return from_torch(
            run(net_, as_torch(images), parameters_, false, [&](value v, const at::Tensor& y) {
                if (visit) visit(v, as_view(y));
                return y;
            }));
    }

private:
    graph net_;
    parameter_map parameters_;
};

static_assert(float_executor<float_network>);

} // namespace torch
} // namespace v0
} // namespace quantal

#endif
