// SPDX-License-Identifier: Apache-2.0
/// An ONNX model while it is made.
#ifndef QUANTAL_ONNX_MODEL_WRITER_HPP
#define QUANTAL_ONNX_MODEL_WRITER_HPP

#include <quantal/onnx/element_type.hpp>
#include <quantal/tensor/tensor.hpp>
#include <quantal/version.hpp>

#include <onnx/onnx_pb.h>

#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace quantal {
inline namespace v0 {
namespace onnx {

using int_list = std::vector<std::int64_t>;

/// Sets attributes of a node, one after the other.
class node_writer {
public:
    explicit node_writer(::onnx::NodeProto& node) : node_(node) {}

    node_writer& set(const char* key, std::int64_t i) {
        add(key, ::onnx::AttributeProto::INT).set_i(i);
        return *this;
    }
    node_writer& set(const char* key, float f) {
        add(key, ::onnx::AttributeProto::FLOAT).set_f(f);
        return *this;
    }
    node_writer& set(const char* key, const int_list& list) {
        add(key, ::onnx::AttributeProto::INTS).mutable_ints()->Add(list.begin(), list.end());
        return *this;
    }

private:
    ::onnx::AttributeProto& add(const char* key, ::onnx::AttributeProto::AttributeType type) {
        auto& a = *node_.add_attribute();
        a.set_name(key);
        a.set_type(type);
        return a;
    }
    ::onnx::NodeProto& node_;
};

/// Appends nodes and initializers.
class model_writer {
public:
    explicit model_writer(std::int64_t opset) {
        constexpr std::int64_t ir_of_opset_13 = 7, ir_of_opset_21 = 10;
        model_.set_ir_version(opset < 21 ? ir_of_opset_13 : ir_of_opset_21);
        model_.set_producer_name("quantal");
        model_.set_producer_version(version_text());
        model_.add_opset_import()->set_version(opset);
        model_.mutable_graph()->set_name("network");
    }

    /// A node that makes the tensor `output`; it has that name too, or its own.
    node_writer node(const char* type, const std::vector<std::string>& inputs,
                     const std::string& output, const std::string& name) {
        if (!tensors_.insert(output).second)
            quantal::detail::fail<graph_error>("two tensors of the model would have the name \"",
                                               output, "\"; give one of the layers another name");
        auto& n = *graph().add_node();
        n.set_op_type(type);
        n.set_name(name);
        n.mutable_input()->Add(inputs.begin(), inputs.end());
        n.add_output(output);
        return node_writer(n);
    }
    node_writer node(const char* type, const std::vector<std::string>& inputs,
                     const std::string& output) {
        return node(type, inputs, output, output);
    }

    /// Appends an initializer of so many bytes of raw data, and returns its name.
    std::string raw(const std::string& name, element type, const extents& shape,
                    std::span<const std::byte> bytes) {
        if (!names_.insert(name).second) return name; // a shared constant
        auto& t = *graph().add_initializer();
        t.set_name(name);
        t.set_data_type(static_cast<std::int32_t>(type));
        t.mutable_dims()->Add(shape.begin(), shape.end());
        t.set_raw_data(bytes.data(), bytes.size());
        return name;
    }
    template <class T>
    std::string values(const std::string& name, element type, const extents& shape,
                       std::span<const T> list) {
        return raw(name, type, shape, std::as_bytes(list));
    }
    std::string reals(const std::string& name, const tensor<float>& t) {
        return values(name, element::f32, t.shape(), t.values());
    }
    std::string real(const std::string& name, float x) { return reals(name, {{}, {x}}); }
    std::string integers(const std::string& name, const int_list& list) {
        return values(name, element::i64, {std::ssize(list)}, std::span(list));
    }
    /// Integers of a type of 2 to 32 bits, packed as ONNX does.
    std::string codes(const std::string& name, element type, const extents& shape,
                      std::span<const std::int32_t> list) {
        const int bits = info_of(type).bits;
        std::vector<std::uint8_t> bytes(arith::packed_size(list.size(), bits));
        for (std::size_t i = 0; i < list.size(); ++i)
            if (bits == 32)
                std::memcpy(bytes.data() + 4 * i, &list[i], 4);
            else
                arith::pack_code(bytes.data(), i, bits, list[i]);
        return raw(name, type, shape, std::as_bytes(std::span(bytes)));
    }

    /// Declares the input or output of the network: float32, [N, ...].
    void input(const std::string& name, const extents& image) {
        declare(*graph().add_input(), name, image);
    }
    void output(const std::string& name, const extents& image) {
        declare(*graph().add_output(), name, image);
    }
    [[nodiscard]] ::onnx::ModelProto finish() && { return std::move(model_); }

private:
    static std::string version_text() {
        return std::to_string(QUANTAL_VERSION_MAJOR) + '.' + std::to_string(QUANTAL_VERSION_MINOR) +
               '.' + std::to_string(QUANTAL_VERSION_PATCH);
    }
    ::onnx::GraphProto& graph() { return *model_.mutable_graph(); }
    static void declare(::onnx::ValueInfoProto& v, const std::string& name, const extents& image) {
        v.set_name(name);
        auto& type = *v.mutable_type()->mutable_tensor_type();
        type.set_elem_type(static_cast<std::int32_t>(element::f32));
        type.mutable_shape()->add_dim()->set_dim_param("N");
        for (const std::int64_t extent : image)
            type.mutable_shape()->add_dim()->set_dim_value(extent);
    }

    ::onnx::ModelProto model_;
    std::set<std::string> names_, tensors_; ///< of initializers; that nodes make
};

} // namespace onnx
} // namespace v0
} // namespace quantal

#endif
