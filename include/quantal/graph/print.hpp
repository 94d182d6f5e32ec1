// SPDX-License-Identifier: Apache-2.0
/// A network as text: one line a node, with its shape and its number of parameters.
#ifndef QUANTAL_GRAPH_PRINT_HPP
#define QUANTAL_GRAPH_PRINT_HPP

#include <quantal/graph/graph.hpp>

#include <ostream>

namespace quantal {
inline namespace v0 {
namespace detail {

inline std::ostream& operator<<(std::ostream& out, const hw& s) {
    return out << s.h << 'x' << s.w;
}

inline void print_window(std::ostream& out, hw kernel, hw stride, const padding& p) {
    out << " kernel " << kernel << " stride " << stride;
    if (p != padding(0))
        out << " padding " << p.top << ',' << p.left << ',' << p.bottom << ',' << p.right;
}

inline void print_op(std::ostream& out, const op::any& o) {
    std::visit(
        overloaded{[&](const op::conv2d& c) {
                       print_window(out, c.kernel, c.stride, c.padding);
                       if (c.dilation != hw(1)) out << " dilation " << c.dilation;
                       if (c.groups != 1) out << " groups " << c.groups;
                   },
                   [&](const op::max_pool& p) { print_window(out, p.kernel, p.stride, p.padding); },
                   [&](const op::average_pool& p) {
                       print_window(out, p.kernel, p.stride, p.padding);
                       if (!p.counts_padding) out << " not counted";
                   },
                   [&](const op::clip& c) { out << " to [" << c.lo << ", " << c.hi << ']'; },
                   [&](const op::function& f) {
                       out << ' ' << op::name(f.curve);
                       if (f.alpha != 0.0f || f.beta != 0.0f)
                           out << ' ' << f.alpha << ' ' << f.beta;
                   },
                   [](const auto&) {}},
        o);
}

} // namespace detail

/// `name = operator(inputs) attributes -> shape`, a node a line.
inline std::ostream& operator<<(std::ostream& out, const graph& net) {
    for (const node& n : net.nodes()) {
        out << n.name << " = " << op::name(n.op) << '(';
        const char* separator = "";
        for (const value x : n.inputs) {
            out << separator << net.at(x).name;
            separator = ", ";
        }
        out << ')';
        detail::print_op(out, n.op);
        if (n.activation) out << " clip [" << n.activation->lo << ", " << n.activation->hi << ']';
        out << " -> " << n.shape << '\n';
    }
    return out;
}

} // namespace v0
} // namespace quantal

#endif
