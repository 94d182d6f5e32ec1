// SPDX-License-Identifier: Apache-2.0
/// What every network wants before it is quantized.
#ifndef QUANTAL_PASSES_OPTIMIZE_HPP
#define QUANTAL_PASSES_OPTIMIZE_HPP

#include <quantal/passes/fold_batch_norm.hpp>
#include <quantal/passes/fuse_activation.hpp>

namespace quantal {
inline namespace v0 {
namespace passes {

/// Folds batch norms, then fuses activations. Computes the same, but for float rounding.
[[nodiscard]] inline graph optimize(graph net) {
    return fuse_activation(fold_batch_norm(std::move(net)));
}

} // namespace passes
} // namespace v0
} // namespace quantal

#endif
