// SPDX-License-Identifier: Apache-2.0
/// A network as data: nodes in the order of computing, and float parameters by name.
#ifndef QUANTAL_GRAPH_GRAPH_HPP
#define QUANTAL_GRAPH_GRAPH_HPP

#include <quantal/graph/infer_shape.hpp>
#include <quantal/tensor/tensor.hpp>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace quantal {
inline namespace v0 {

/// Which node made a value: every node has one output, so a value is its node's index.
using value = std::size_t;

/// One operator in a network.
struct node {
    std::string name;                     ///< unique; prefix of its parameters' names
    op::any op;                           ///< what it computes
    std::vector<value> inputs{};          ///< made by earlier nodes
    extents shape{};                      ///< of its output, per image
    std::optional<op::clip> activation{}; ///< applied to the output when set

    template <class Op>
    [[nodiscard]] const Op* as() const {
        return std::get_if<Op>(&op);
    }
    /// Whether it multiplies by a weight: a convolution or a linear layer.
    [[nodiscard]] bool has_weight() const { return as<op::conv2d>() || as<op::linear>(); }
    /// Whether it computes new numbers, rather than moving or choosing among those it gets.
    [[nodiscard]] bool computes() const {
        return has_weight() || as<op::add>() || as<op::average_pool>() || as<op::batch_norm>() ||
               as<op::concat>() || as<op::multiply>() || as<op::function>();
    }
};

/// A network. Each builder function appends one node, infers and checks its shape, and returns its
/// value; errors name the layer. The last value appended is the output.
class graph {
public:
    std::map<std::string, tensor<float>> parameters; ///< "<node>.weight" and so on

    value input(const extents& image) {
        if (!nodes_.empty())
            detail::fail<graph_error>("a network has one input, and it comes first");
        return push({.name = "input", .op = op::input{}, .shape = image});
    }
    value conv2d(std::string name, value x, const op::conv2d& o) { return add_op(name, o, {x}); }
    value linear(std::string name, value x, const op::linear& o) { return add_op(name, o, {x}); }
    value batch_norm(std::string name, value x, const op::batch_norm& o = {}) {
        return add_op(name, o, {x});
    }
    value clip(std::string name, value x, op::clip o) { return add_op(name, o, {x}); }
    value relu(std::string name, value x) { return add_op(name, op::clip{}, {x}); }
    value relu6(std::string name, value x) { return add_op(name, op::clip{.hi = 6.0f}, {x}); }
    value add(std::string name, value a, value b) { return add_op(name, op::add{}, {a, b}); }
    value multiply(std::string name, value a, value b) {
        return add_op(name, op::multiply{}, {a, b});
    }
    value function(std::string name, value x, const op::function& o) {
        return add_op(name, o, {x});
    }
    value max_pool(std::string name, value x, const op::max_pool& o) {
        return add_op(name, o, {x});
    }
    value average_pool(std::string name, value x, const op::average_pool& o) {
        return add_op(name, o, {x});
    }
    /// The mean over the whole height and width.
    value global_average_pool(std::string name, value x) {
        const extents& s = at(x).shape;
        if (s.rank() != 3)
            detail::fail<shape_error>("layer \"", name, "\": a pool needs an image, it gets ", s);
        const hw whole{s[1], s[2]};
        return average_pool(std::move(name), x, {.kernel = whole, .stride = whole});
    }
    value shortcut(std::string name, value x, const op::shortcut& o) {
        return add_op(name, o, {x});
    }
    value concat(std::string name, std::vector<value> inputs) {
        return add_op(name, op::concat{}, std::move(inputs));
    }
    value flatten(std::string name, value x) { return add_op(name, op::flatten{}, {x}); }

    /// Appends a node; its shape is inferred (an input brings its own).
    value append(node n) {
        if (n.as<op::input>()) return input(n.shape);
        std::vector<extents> shapes;
        for (const value x : n.inputs)
            shapes.push_back(at(x).shape);
        n.shape = std::visit(detail::shape_rules(n.name, std::move(shapes)), n.op);
        return push(std::move(n));
    }

    [[nodiscard]] const std::vector<node>& nodes() const { return nodes_; }
    [[nodiscard]] std::size_t size() const { return nodes_.size(); }
    [[nodiscard]] const node& at(value v) const {
        if (v >= nodes_.size())
            detail::fail<graph_error>("value ", v, " does not exist; the network has ",
                                      nodes_.size());
        return nodes_[v];
    }
    [[nodiscard]] value output() const {
        if (nodes_.empty()) detail::fail<graph_error>("the network is empty");
        return nodes_.size() - 1;
    }
    [[nodiscard]] const extents& input_shape() const { return at(0).shape; }

    /// How many nodes take each value as an input; the output counts as one more.
    [[nodiscard]] std::vector<int> use_counts() const {
        std::vector<int> counts(nodes_.size());
        for (const node& n : nodes_)
            for (const value x : n.inputs)
                ++counts[x];
        ++counts[output()];
        return counts;
    }

    /// A parameter of a node, or nullptr: `parameter(n, "weight")`.
    [[nodiscard]] const tensor<float>* find_parameter(const node& n, const char* suffix) const {
        const auto found = parameters.find(n.name + '.' + suffix);
        return found == parameters.end() ? nullptr : &found->second;
    }
    [[nodiscard]] const tensor<float>& parameter(const node& n, const char* suffix) const {
        if (const auto* found = find_parameter(n, suffix)) return *found;
        detail::fail<graph_error>("layer \"", n.name, "\" has no ", suffix,
                                  "; load weights into the network first");
    }

private:
    value add_op(std::string& name, const op::any& o, std::vector<value> inputs) {
        return append({.name = std::move(name), .op = o, .inputs = std::move(inputs)});
    }
    value push(node n) {
        if (!names_.insert(n.name).second)
            detail::fail<graph_error>("two layers are named \"", n.name, "\"; names are unique");
        nodes_.push_back(std::move(n));
        return nodes_.size() - 1;
    }

    std::vector<node> nodes_;
    std::set<std::string> names_;
};

} // namespace v0
} // namespace quantal

#endif
