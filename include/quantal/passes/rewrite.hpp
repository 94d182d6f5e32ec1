// SPDX-License-Identifier: Apache-2.0
/// Making a new network out of an old one, node by node: what every pass is built on.
#ifndef QUANTAL_PASSES_REWRITE_HPP
#define QUANTAL_PASSES_REWRITE_HPP

#include <quantal/graph/graph.hpp>

namespace quantal {
inline namespace v0 {
namespace passes {

/// Visit the nodes of the old network in order; `keep` or `absorb` each.
class rewriter {
public:
    /// The node goes on, with its inputs renamed to what they became.
    void keep(node n) {
        for (value& x : n.inputs)
            x = became_[x];
        became_.push_back(nodes_.size());
        nodes_.push_back(std::move(n));
    }

    /// The node disappears into the node that made `into` (an old value), changed by `change`.
    template <class F>
    void absorb(value into, F&& change) {
        change(nodes_[became_[into]]);
        became_.push_back(became_[into]);
    }

    /// What the node of an old value has become so far.
    [[nodiscard]] const node& now(value old) const { return nodes_[became_[old]]; }

    /// The new network.
    [[nodiscard]] graph finish(std::map<std::string, tensor<float>> parameters) && {
        graph net;
        net.parameters = std::move(parameters);
        for (node& n : nodes_)
            net.append(std::move(n));
        return net;
    }

private:
    std::vector<node> nodes_;
    std::vector<value> became_; ///< old value to new value
};

} // namespace passes
} // namespace v0
} // namespace quantal

#endif
