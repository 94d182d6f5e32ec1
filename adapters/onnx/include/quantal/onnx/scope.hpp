// SPDX-License-Identifier: Apache-2.0
/// What the rules of import share: the network so far, and one node's inputs and output.
#ifndef QUANTAL_ONNX_SCOPE_HPP
#define QUANTAL_ONNX_SCOPE_HPP

#include <quantal/onnx/fold.hpp>
#include <quantal/onnx/node_reader.hpp>
#include <quantal/onnx/port.hpp>

#include <map>
#include <set>

namespace quantal {
inline namespace v0 {
namespace onnx {

/// Weights and bias of a layer as the model has them; weights as [out, in, ...] or, `by_input`, as
/// [in, out].
struct layer_origin {
    constant weight;
    std::optional<constant> bias;
    bool by_input = false;
    bool has_dynamic_input = false;
};

/// The network while a model is read.
struct import_state {
    allowance left; ///< for constants
    graph net{};
    std::map<std::string, operand> operands{}; ///< by tensor
    std::int64_t batch = 1;                    ///< images that shapes of the model are for
    std::set<std::string> outputs{};
    std::vector<std::string> notes{};               ///< what the network leaves out
    std::map<std::string, int> names{{"input", 1}}; ///< of nodes, and the last number given
    std::set<std::string> read_as_reals{};          ///< tensors that others than quantizers read
    std::map<std::string, qparams> points{}; ///< by node: the codes that its output goes through
    std::map<std::string, layer_origin> layers{}; ///< by node: what its weights were made from
};

/// Parameters of a layer, by suffix.
using parameters = std::map<std::string, tensor<float>>;

/// One node as its rule sees it. Inputs are counted as ONNX counts them; one that is left out or
/// has no name is absent.
struct scope {
    import_state& state;
    node_reader& node;

    [[nodiscard]] bool has(int i) const {
        return i < node.proto().input_size() && !node.proto().input(i).empty();
    }
    [[nodiscard]] int input_count() const { return node.proto().input_size(); }
    [[nodiscard]] const operand& input(int i) const {
        if (!has(i)) node.refuse("has no input ", i);
        const std::string& name = node.proto().input(i);
        const auto found = state.operands.find(name);
        if (found == state.operands.end())
            node.refuse("reads the tensor \"", name, "\", which no node before it makes");
        return found->second;
    }
    [[nodiscard]] bool is_constant(int i) const {
        return std::holds_alternative<constant>(input(i));
    }
    [[nodiscard]] const constant& constant_input(int i) const {
        if (const auto* c = std::get_if<constant>(&input(i))) return *c;
        node.refuse("has an input ", i, " that is not constant, \"", node.proto().input(i), '"');
    }
    /// A list of integers that is an input.
    [[nodiscard]] const int_list& integers_input(int i) const {
        return constant_input(i).as_integers();
    }
    /// A value of the network, whatever waits for an operator.
    [[nodiscard]] const port& raw_port(int i) const {
        if (const auto* p = std::get_if<port>(&input(i))) return *p;
        node.refuse("has a constant as input ", i, ", \"", node.proto().input(i), '"');
    }
    /// A value of the network on which nothing waits, for operators that only move elements.
    [[nodiscard]] port moved_input(int i) const { return settled(raw_port(i)); }
    /// The same, for operators that compute.
    [[nodiscard]] port value_input(int i) const { return real(moved_input(i)); }
    /// The same, for layers, which can get the codes of their input while they run.
    [[nodiscard]] port layer_input(port p) const { return p.is_dynamic ? p : real(std::move(p)); }
    [[nodiscard]] port real(port p) const {
        if (p.is_dynamic) refuse_dynamic();
        if (p.holds_codes)
            node.refuse("computes with the codes of \"", state.net.at(p.v).name,
                        "\", which have to be dequantized first");
        p.codes.reset();
        return p;
    }
    [[noreturn]] void refuse_dynamic() const {
        node.refuse("reads what DynamicQuantizeLinear makes; that can be ConvInteger or "
                    "MatMulInteger, whose sums become floats and are multiplied by both scales");
    }
    /// The same, of [N, channels, height, width].
    [[nodiscard]] port image_input(int i) const { return image(value_input(i)); }
    [[nodiscard]] port image(port p) const {
        if (!p.is_image() || p.channels_last)
            node.refuse("takes images [N, channels, height, width], it gets the shape ", p.shape,
                        p.channels_last ? ", whose channels come last" : "");
        return p;
    }

    /// Appends what waits on `p`, but padding, which few operators can take.
    [[nodiscard]] port settled(port p) const {
        if (p.is_dynamic) refuse_dynamic();
        if (p.padding != quantal::padding(0))
            node.refuse("reads the padded tensor of \"", p.moved_by,
                        "\"; convolutions and average pools can take padding");
        return with_moves(std::move(p));
    }
    [[nodiscard]] port with_moves(port p) const {
        if (p.moved == op::shortcut{}) return p;
        p.v = state.net.shortcut(unique(p.moved_by), p.v, p.moved);
        p.moved = {};
        return p;
    }

    /// The shape of one number for each channel of `x`.
    [[nodiscard]] extents channel_shape(const port& x) const {
        fold::dims shape(static_cast<std::size_t>(x.shape.rank()), 1);
        const std::int64_t channels = x.shape[x.channel_axis()];
        shape[static_cast<std::size_t>(x.channel_axis())] = channels;
        if (x.flattened && channels > 1)
            node.refuse("reads features that were an image with its channels last");
        return extents(shape);
    }

    /// A name for the node, or for another that stands for it, which no other has.
    [[nodiscard]] std::string unique(const std::string& wanted) const {
        const auto [first, is_new] = state.names.try_emplace(wanted, 1);
        std::string name = wanted;
        while (!is_new && !state.names.try_emplace(name, 1).second)
            name = wanted + '.' + std::to_string(++first->second);
        return name;
    }
    [[nodiscard]] std::string unique() const { return unique(node.name()); }

    /// Appends an operator on value `x` with all its parameters, named by suffix.
    [[nodiscard]] value layer(op::any o, value x, parameters values) const {
        const std::string name = unique(), prefix = name + '.';
        const value v = state.net.append({.name = name, .op = o, .inputs = {x}});
        for (const auto& [suffix, shape] :
             parameter_shapes(state.net.at(v).op, state.net.at(x).shape)) {
            auto found = values.extract(suffix);
            if (found.empty() || found.mapped().shape() != shape)
                node.refuse("has no ", suffix, " of shape ", shape);
            state.net.parameters.emplace(prefix + suffix, std::move(found.mapped()));
        }
        return v;
    }
    /// Remembers what the parameters of a layer were made from, if it was codes.
    void set_origin(value v, layer_origin origin) const {
        if (origin.has_dynamic_input && !origin.weight.origin()) refuse_dynamic();
        if (origin.weight.origin()) state.layers.emplace(state.net.at(v).name, std::move(origin));
    }
    /// The node's output `i` is `result`.
    void set(operand result, int i = 0) const {
        if (node.proto().output_size() <= i) node.refuse("has no output ", i);
        if (!state.operands.emplace(node.proto().output(i), std::move(result)).second)
            node.refuse("makes the tensor \"", node.proto().output(i),
                        "\", which there is already");
    }
    /// The output is value `v` of the network: with the batch in front, channels first.
    void set_value(value v) const { set(port{v, state.net.at(v).shape.with_front(state.batch)}); }
    /// The same, for an operator that moves elements of `x`: where those are codes, so are these.
    void set_moved(const port& x, port result) const {
        if (x.is_dynamic) refuse_dynamic();
        result.codes = x.holds_codes ? x.codes : std::nullopt;
        result.holds_codes = x.holds_codes;
        set(std::move(result));
    }
    /// The same, its axes in the order of those of `like`.
    void set_like(const port& like, value v) const {
        port result = like;
        result.v = v;
        set(std::move(result));
    }
};

} // namespace onnx
} // namespace v0
} // namespace quantal

#endif
