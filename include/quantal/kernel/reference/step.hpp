// SPDX-License-Identifier: Apache-2.0
/// One node of a plan as a function on a frame of values.
#ifndef QUANTAL_KERNEL_REFERENCE_STEP_HPP
#define QUANTAL_KERNEL_REFERENCE_STEP_HPP

#include <quantal/kernel/reference/integer_step.hpp>
#include <quantal/kernel/reference/real_step.hpp>

namespace quantal {
inline namespace v0 {
namespace reference {

/// The step of node `v`: in integers, or in reals between dequantizers and quantizers.
template <requantizer R>
[[nodiscard]] step make_step(const integer_network& net, value v) {
    const node& n = net.plan().at(v);
    if (!n.as<op::input>() && !net.plan().roles[v].in_float)
        return std::visit(integer_step<R>(net, v), n.op);
    return real_step(net, v)();
}

} // namespace reference
} // namespace v0
} // namespace quantal

#endif
