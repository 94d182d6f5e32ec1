// SPDX-License-Identifier: Apache-2.0
/// Parts of a network that hang together by one value at either end.
#ifndef QUANTAL_TUNE_BLOCK_HPP
#define QUANTAL_TUNE_BLOCK_HPP

#include <quantal/graph/plan.hpp>

#include <algorithm>

namespace quantal {
inline namespace v0 {
namespace tune {

/// The nodes behind `input` up to `output`: they read nothing else from before, and what comes
/// after reads nothing else from them. A residual block; a layer, if nothing goes round it.
struct block {
    value input, output;
    friend bool operator==(const block&, const block&) = default;
};

namespace detail {

/// The values through which all that comes later goes.
[[nodiscard]] inline std::vector<value> cuts(const graph& net) {
    std::vector<value> last_reader(net.size()), result;
    for (value v = 0; v < net.size(); ++v)
        for (const value x : net.at(v).inputs)
            last_reader[x] = v;
    value open = 0; // the last reader of all values before v
    for (value v = 0; v < net.size(); ++v) {
        if (open <= v) result.push_back(v);
        open = std::max(open, last_reader[v]);
    }
    return result;
}

} // namespace detail

/// The blocks of a plan that have integer weights, in the order of computing: the shortest there
/// are, or runs of them that end at the nodes named in `outputs` and at the network's output.
/// Throws `graph_error` for a name at which no block ends.
[[nodiscard]] inline std::vector<block> blocks_of(const plan& p,
                                                  const std::vector<std::string>& outputs = {}) {
    const std::vector<value> cuts = detail::cuts(p.net);
    for (const std::string& name : outputs)
        if (std::none_of(cuts.begin(), cuts.end(), [&](value v) { return p.at(v).name == name; }))
            quantal::detail::fail<graph_error>("no block ends at \"", name,
                                               "\"; one ends where a single value goes on");
    std::vector<block> result;
    value input = 0, next = 0;
    bool has_weights = false;
    for (const value v : cuts) {
        for (; next <= v; ++next)
            has_weights = has_weights || p.roles[next].weights;
        const bool ends = outputs.empty() || v == p.net.output() ||
                          std::find(outputs.begin(), outputs.end(), p.at(v).name) != outputs.end();
        if (has_weights && !ends) continue;
        if (has_weights) result.push_back({input, v});
        input = v;
        has_weights = false;
    }
    return result;
}

} // namespace tune
} // namespace v0
} // namespace quantal

#endif
