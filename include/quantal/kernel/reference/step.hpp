// SPDX-License-Identifier: Apache-2.0
/// One node of a plan as a function on a frame of values.
#ifndef QUANTAL_KERNEL_REFERENCE_STEP_HPP
#define QUANTAL_KERNEL_REFERENCE_STEP_HPP

#include <quantal/kernel/reference/integer_step.hpp>
#include <quantal/kernel/reference/real_step.hpp>

#include <optional>

namespace quantal {
inline namespace v0 {
namespace reference {

/// Dequantizes what `s` reads, runs it, and quantizes what it wrote if the node has a
/// quantizer.
[[nodiscard]] inline step quantized(const integer_network& net, value v, step s) {
    const plan& p = net.plan();
    const table& t = net.table();
    std::vector<std::pair<value, qparams>> inputs;
    for (const value i : p.at(v).inputs)
        if (p.roles[i].has_codes()) inputs.emplace_back(i, activation_params(p, t, i));
    std::optional<qparams> y;
    if (p.roles[v].output) y = activation_params(p, t, v);
    return [=, s = std::move(s), n = p.at(v).shape.count()](frame& f) {
        for (const auto& [i, from] : inputs) {
            f.reals[i].resize(f.codes[i].size());
            for (std::size_t e = 0; e < f.codes[i].size(); ++e)
                f.reals[i][e] = from.dequantize(f.codes[i][e]);
        }
        s(f);
        if (!y) return;
        f.codes[v].resize(n);
        for (std::size_t e = 0; e < n; ++e)
            f.codes[v][e] = y->quantize(f.reals[v][e]);
    };
}

/// The step of node `v`: in integers, or in reals between dequantizers and quantizers.
[[nodiscard]] inline step make_step(const integer_network& net, value v) {
    const node& n = net.plan().at(v);
    if (!n.as<op::input>() && !net.plan().roles[v].in_float)
        return std::visit(integer_step(net, v), n.op);
    return quantized(net, v, std::visit(real_step(net, v), n.op));
}

} // namespace reference
} // namespace v0
} // namespace quantal

#endif
