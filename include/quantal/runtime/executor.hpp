// SPDX-License-Identifier: Apache-2.0
/// What it takes to run a network in float32: calibration works with any such executor.
#ifndef QUANTAL_RUNTIME_EXECUTOR_HPP
#define QUANTAL_RUNTIME_EXECUTOR_HPP

#include <quantal/graph/graph.hpp>

#include <concepts>
#include <functional>

namespace quantal {
inline namespace v0 {

/// Called once a node and batch, in the order of the nodes, with the node's output (activation
/// applied) for all images: shape [images, ...node shape].
using value_visitor = std::function<void(value, const view<const float>&)>;

/// An object made for one network: takes images [N, C, H, W], shows every value to the visitor
/// (which may be empty) and returns the output [N, ...].
template <class E>
concept float_executor = requires(E& executor, const tensor<float>& images,
                                  const value_visitor& visit) {
    { executor(images, visit) } -> std::same_as<tensor<float>>;
};

} // namespace v0
} // namespace quantal

#endif
