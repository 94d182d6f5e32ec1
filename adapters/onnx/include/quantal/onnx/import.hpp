// SPDX-License-Identifier: Apache-2.0
/// Reading ONNX models of convolutional networks.
#ifndef QUANTAL_ONNX_IMPORT_HPP
#define QUANTAL_ONNX_IMPORT_HPP

#include <quantal/onnx/import_codes.hpp>
#include <quantal/onnx/import_constant.hpp>
#include <quantal/onnx/import_function.hpp>
#include <quantal/onnx/import_move.hpp>
#include <quantal/onnx/import_window.hpp>
#include <quantal/onnx/integer_operators.hpp>
#include <quantal/onnx/model.hpp>

namespace quantal {
inline namespace v0 {
namespace onnx {

struct import_options {
    /// The shape of an image, for models that leave it open.
    std::optional<extents> image{};
    /// Of all constants together: what a small file may ask for is bounded.
    std::size_t most_elements = std::size_t{1} << 28;
};

/// A network with its parameters, and what of the model it leaves out.
struct imported {
    graph net;
    std::vector<std::string> notes;
};

namespace detail {

using rule = void (*)(scope&);

/// What there is, by ONNX's names.
inline const std::map<std::string_view, rule>& all_rules() {
    static const std::map<std::string_view, rule> rules{
        {"Add", rules::arithmetic<'+'>},
        {"AveragePool", rules::average_pool},
        {"BatchNormalization", rules::batch_normalization},
        {"Cast", rules::cast},
        {"Clip", rules::clip_any},
        {"Concat", rules::concat},
        {"Constant", rules::constant_node},
        {"ConstantOfShape", rules::constant_of_shape},
        {"Conv", rules::conv},
        {"DequantizeLinear", rules::dequantize_linear},
        {"Div", rules::arithmetic<'/'>},
        {"Dropout", rules::pass},
        {"DynamicQuantizeLinear", rules::dynamic_quantize_linear},
        {"Expand", rules::expand},
        {"Flatten", rules::flatten},
        {"Gather", rules::gather},
        {"Gemm", rules::gemm},
        {"GlobalAveragePool", rules::global_average_pool},
        {"HardSigmoid", rules::hard_sigmoid},
        {"HardSwish", rules::function<op::curve::hard_swish>},
        {"Identity", rules::pass},
        {"LeakyRelu", rules::leaky_relu},
        {"LogSoftmax", rules::softmax},
        {"MatMul", rules::mat_mul},
        {"MaxPool", rules::max_pool},
        {"Mul", rules::arithmetic<'*'>},
        {"PRelu", rules::prelu},
        {"Pad", rules::pad},
        {"QuantizeLinear", rules::quantize_linear},
        {"ReduceMean", rules::reduce_mean},
        {"Relu", rules::relu},
        {"Reshape", rules::reshape},
        {"Shape", rules::shape},
        {"Sigmoid", rules::function<op::curve::sigmoid>},
        {"Slice", rules::slice},
        {"Softmax", rules::softmax},
        {"Squeeze", rules::squeeze},
        {"Sub", rules::arithmetic<'-'>},
        {"Sum", rules::sum},
        {"Transpose", rules::transpose},
        {"Unsqueeze", rules::unsqueeze},
    };
    return rules;
}

/// `f()`; errors begin with where it happened.
template <class F>
auto with_place(const std::string& where, F&& f) {
    try {
        return f();
    } catch (const error& e) {
        fail<data_error>(where, ": ", e.what());
    }
}

/// Reads one model, from its inputs to its output.
class importer {
public:
    importer(const ::onnx::ModelProto& model, const model_folder& folder,
             const import_options& options)
        : graph_(model.graph()), nodes_(float_nodes(graph_)), opset_(opset_of(model)),
          folder_(folder), options_(options), state_{allowance(options.most_elements)} {
        if (graph_.output_size() != 1)
            fail<data_error>("the model has ", graph_.output_size(),
                             " outputs; this library reads networks with one");
        state_.outputs.insert(graph_.output(0).name());
    }

    [[nodiscard]] import_state run() && {
        for (const auto& t : graph_.initializer())
            with_place("the initializer \"" + t.name() + '"', [&] {
                state_.operands.insert_or_assign(t.name(), read_tensor(t, state_.left, folder_));
            });
        read_input();
        const auto nodes = needed_nodes();
        name_outputs(nodes);
        for (const auto* node : nodes)
            if (node->op_type() != "QuantizeLinear")
                state_.read_as_reals.insert(node->input().begin(), node->input().end());
        for (const auto* node : nodes)
            read_node(*node);
        finish_output();
        return std::move(state_);
    }

private:
    void read_input() {
        const ::onnx::ValueInfoProto* input = nullptr;
        for (const auto& i : graph_.input()) {
            if (state_.operands.contains(i.name())) continue;
            if (input)
                fail<data_error>("the model has the inputs \"", input->name(), "\" and \"",
                                 i.name(), "\"; this library reads networks with one");
            input = &i;
        }
        if (!input) fail<data_error>("the model has no input");
        with_place("the input \"" + input->name() + '"', [&] { place_input(*input); });
    }

    /// The shape of the input with the batch in front; an extent that is open is 0.
    [[nodiscard]] fold::dims stated_shape(const ::onnx::ValueInfoProto& input) const {
        fold::dims shape;
        for (const auto& dim : input.type().tensor_type().shape().dim())
            shape.push_back(dim.has_dim_value() ? std::max<std::int64_t>(dim.dim_value(), 0) : 0);
        if (!shape.empty() && shape[0] == 0) shape[0] = 1;
        return shape;
    }

    void place_input(const ::onnx::ValueInfoProto& input) {
        fold::dims shape = stated_shape(input);
        const bool last = shape.size() == 4 && becomes_channels_first(input.name());
        if (const auto& image = options_.image) {
            const fold::dims wanted = fold::list(*image);
            shape.resize(1, 1);
            shape.insert(shape.end(), wanted.begin(), wanted.end());
            if (last) std::rotate(shape.begin() + 1, shape.begin() + 2, shape.end());
        }
        constexpr std::int64_t most = 1 << 24;
        const bool is_known = std::all_of(shape.begin(), shape.end(), [](std::int64_t extent) {
            return extent >= 1 && extent <= most;
        });
        if (!is_known || (shape.size() != 2 && shape.size() != 4))
            fail<data_error>("it has the shape ", extents(shape),
                             "; it is [N, channels, height, width] or [N, features], of "
                             "extents that are known (say those of an image otherwise)");
        state_.batch = shape[0];
        extents image = extents(shape).without_front();
        if (last) image = {shape[3], shape[1], shape[2]};
        state_.operands.emplace(input.name(), port{state_.net.input(image), extents(shape), last});
    }
    /// Whether the input has its channels last, as in models that come from TensorFlow: a transpose
    /// of it, or of what operators on each element make of it, brings them to the front.
    [[nodiscard]] bool becomes_channels_first(const std::string& input) const {
        static const std::set<std::string_view> on_each{"Add",      "Cast", "Div",
                                                        "Identity", "Mul",  "Sub"};
        std::set<std::string> images{input};
        for (const auto& node : nodes_) {
            const bool reads = std::any_of(node.input().begin(), node.input().end(),
                                           [&](const auto& i) { return images.contains(i); });
            if (!reads) continue;
            if (node.op_type() == "Transpose")
                return node_reader(node, opset_).integers("perm") == int_list{0, 3, 1, 2};
            if (on_each.contains(node.op_type()))
                images.insert(node.output().begin(), node.output().end());
        }
        return false;
    }

    /// The nodes that the output depends on, in the order of the model.
    [[nodiscard]] std::vector<const ::onnx::NodeProto*> needed_nodes() const {
        std::map<std::string, const ::onnx::NodeProto*> makers;
        for (const auto& node : nodes_)
            for (const std::string& tensor : node.output())
                if (!tensor.empty() && !makers.emplace(tensor, &node).second)
                    fail<data_error>("two nodes make the tensor \"", tensor, '"');
        std::set<const ::onnx::NodeProto*> needed;
        std::vector<std::string> open{graph_.output(0).name()};
        while (!open.empty()) {
            const auto maker = makers.find(open.back());
            open.pop_back();
            if (maker == makers.end() || !needed.insert(maker->second).second) continue;
            const auto& inputs = maker->second->input();
            open.insert(open.end(), inputs.begin(), inputs.end());
        }
        std::vector<const ::onnx::NodeProto*> result;
        for (const auto& node : nodes_)
            if (needed.contains(&node)) result.push_back(&node);
        return result;
    }

    /// What an Identity at the end hands on is an output too.
    void name_outputs(const std::vector<const ::onnx::NodeProto*>& nodes) {
        for (std::size_t i = nodes.size(); i-- > 0;) {
            const auto& node = *nodes[i];
            if (node.op_type() == "Identity" && node.input_size() == 1 &&
                state_.outputs.contains(node.output(0)))
                state_.outputs.insert(node.input(0));
        }
    }

    void read_node(const ::onnx::NodeProto& node) {
        node_reader reader(node, opset_);
        scope s{state_, reader};
        with_place("node \"" + reader.name() + "\" (" + reader.type() + ')', [&] {
            const bool is_own = node.domain().empty() || node.domain() == "ai.onnx";
            const auto found = all_rules().find(reader.type());
            if (!is_own || found == all_rules().end()) refuse_operator(node);
            found->second(s);
            reader.finish();
        });
    }
    [[noreturn]] static void refuse_operator(const ::onnx::NodeProto& node) {
        std::string names, separator;
        const auto list = [&](std::string_view name) {
            names.append(separator).append(name);
            separator = ", ";
        };
        for (const auto& [name, _] : all_rules())
            list(name);
        for (const char* name : integer_operators)
            list(name);
        fail<data_error>("the operator ", node.domain(), node.domain().empty() ? "" : ".",
                         node.op_type(), " is not supported; there are ", names);
    }

    void finish_output() {
        const std::string& name = graph_.output(0).name();
        const auto found = state_.operands.find(name);
        const auto* p =
            found == state_.operands.end() ? nullptr : std::get_if<port>(&found->second);
        if (!p) fail<data_error>("the output \"", name, "\" is nothing that the network computes");
        const ::onnx::NodeProto nobody;
        node_reader reader(nobody, opset_);
        const port output = scope{state_, reader}.settled(*p);
        if (output.v != state_.net.output())
            fail<data_error>("the output \"", name, "\" is not the last value of the network");
    }

    const ::onnx::GraphProto& graph_;
    std::vector<::onnx::NodeProto> nodes_;
    std::int64_t opset_;
    const model_folder& folder_;
    const import_options& options_;
    import_state state_;
};

} // namespace detail

/// `f` of the model that a file holds; errors begin with its name.
template <class F>
auto with_model(const std::filesystem::path& file, F&& f) {
    const auto model = parse_model(io::read_file(file), file.string());
    return detail::with_place(file.string(), [&] { return f(model); });
}

/// The network of a model, of float32. Throws `data_error`, naming the node, for what it cannot
/// express; whatever the model claims, memory is bounded by `options`.
[[nodiscard]] inline imported import_network(const ::onnx::ModelProto& model,
                                             const model_folder& folder = std::nullopt,
                                             const import_options& options = {}) {
    import_state state = detail::importer(model, folder, options).run();
    return {std::move(state.net), std::move(state.notes)};
}

/// Reads a file; its external data lie in its folder.
[[nodiscard]] inline imported read_network(const std::filesystem::path& file,
                                           const import_options& options = {}) {
    return with_model(file, [&](const auto& model) {
        return import_network(model, file.parent_path(), options);
    });
}

} // namespace onnx
} // namespace v0
} // namespace quantal

#endif
