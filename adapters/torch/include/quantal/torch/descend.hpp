// SPDX-License-Identifier: Apache-2.0
/// One step of stochastic gradient descent with Nesterov momentum.
#ifndef QUANTAL_TORCH_DESCEND_HPP
#define QUANTAL_TORCH_DESCEND_HPP

#include <quantal/torch/tensor.hpp>
#include <quantal/torch/train_options.hpp>

namespace quantal {
inline namespace v0 {
namespace torch {

struct descent_options {
    double rate, momentum, decay;
};

/// `g += decay * p; v = momentum * v + g; p -= rate * (g + momentum * v)`, with g the gradient of
/// `p`, which is cleared. Nothing happens if `p` has none.
inline void descend(at::Tensor& p, at::Tensor& v, const descent_options& o) {
    const at::NoGradGuard no_grad;
    at::Tensor gradient = p.grad();
    if (!gradient.defined()) return;
    if (o.decay != 0.0) gradient = gradient.add(p, o.decay);
    v.mul_(o.momentum).add_(gradient);
    p.add_(gradient.add(v, o.momentum), -o.rate);
    p.mutable_grad() = at::Tensor();
}

/// The momentum of a parameter, which lives in the state: 0 before the first step. Throws
/// `graph_error` if the state has one of another shape.
[[nodiscard]] inline at::Tensor momentum_of(training_state& state, const std::string& name,
                                            const extents& shape) {
    const auto momentum = state.momenta.try_emplace(name, shape).first;
    if (momentum->second.shape() != shape)
        quantal::detail::fail<graph_error>("the momentum of \"", name, "\" has shape ",
                                           momentum->second.shape(), ", not ", shape);
    return as_torch(momentum->second);
}

/// How many of a batch's images have the largest logit at their label.
[[nodiscard]] inline double right_answers(const at::Tensor& logits, const at::Tensor& labels) {
    return static_cast<double>(logits.argmax(1).eq(labels).sum().item<std::int64_t>());
}

} // namespace torch
} // namespace v0
} // namespace quantal

#endif
