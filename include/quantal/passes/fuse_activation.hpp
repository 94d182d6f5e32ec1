// SPDX-License-Identifier: Apache-2.0
/// Clips (relu, relu6) into the operator before them.
#ifndef QUANTAL_PASSES_FUSE_ACTIVATION_HPP
#define QUANTAL_PASSES_FUSE_ACTIVATION_HPP

#include <quantal/passes/rewrite.hpp>

#include <algorithm>

namespace quantal {
inline namespace v0 {
namespace passes {

/// Every clip whose input is computed by an operator that nothing else reads becomes that
/// operator's activation, if `may(clip)`. Other clips stay.
template <class F>
[[nodiscard]] graph fuse_activation(graph net, F&& may) {
    const std::vector<int> uses = net.use_counts();
    rewriter out;
    for (value v = 0; v < net.size(); ++v) {
        const node& n = net.at(v);
        const auto* clip = n.as<op::clip>();
        if (!clip || uses[n.inputs[0]] != 1 || !out.now(n.inputs[0]).computes() || !may(v)) {
            out.keep(n);
            continue;
        }
        out.absorb(n.inputs[0], [clip](node& target) {
            const op::clip before =
                target.activation.value_or(op::clip{.lo = -std::numeric_limits<float>::infinity()});
            target.activation =
                op::clip{std::max(before.lo, clip->lo), std::min(before.hi, clip->hi)};
        });
    }
    return std::move(out).finish(std::move(net.parameters));
}
[[nodiscard]] inline graph fuse_activation(graph net) {
    return fuse_activation(std::move(net), [](value) { return true; });
}

} // namespace passes
} // namespace v0
} // namespace quantal

#endif
