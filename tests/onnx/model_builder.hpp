// SPDX-License-Identifier: Apache-2.0
/// ONNX models for tests, made of messages.
#ifndef QUANTAL_TESTS_ONNX_MODEL_BUILDER_HPP
#define QUANTAL_TESTS_ONNX_MODEL_BUILDER_HPP

#include <quantal/onnx/model.hpp>
#include <quantal/tensor/tensor.hpp>

#include <string>
#include <vector>

namespace onnx_models {

using ints = std::vector<std::int64_t>;
using names = std::vector<std::string>;

/// One node while its attributes are set.
class node {
public:
    explicit node(::onnx::NodeProto& proto) : proto_(proto) {}

    node& set(const char* key, std::int64_t i) {
        auto& a = add(key, ::onnx::AttributeProto::INT);
        a.set_i(i);
        return *this;
    }
    node& set(const char* key, float f) {
        auto& a = add(key, ::onnx::AttributeProto::FLOAT);
        a.set_f(f);
        return *this;
    }
    node& set(const char* key, const char* text) {
        auto& a = add(key, ::onnx::AttributeProto::STRING);
        a.set_s(text);
        return *this;
    }
    node& set(const char* key, const ints& list) {
        auto& a = add(key, ::onnx::AttributeProto::INTS);
        a.mutable_ints()->Add(list.begin(), list.end());
        return *this;
    }
    ::onnx::TensorProto& tensor(const char* key) {
        return *add(key, ::onnx::AttributeProto::TENSOR).mutable_t();
    }
    ::onnx::NodeProto& proto() { return proto_; }

private:
    ::onnx::AttributeProto& add(const char* key, ::onnx::AttributeProto::AttributeType type) {
        auto& a = *proto_.add_attribute();
        a.set_name(key);
        a.set_type(type);
        return a;
    }
    ::onnx::NodeProto& proto_;
};

/// A model from "x" to "y".
class builder {
public:
    explicit builder(const ints& input, std::int64_t opset = 13) {
        model.set_ir_version(8);
        model.add_opset_import()->set_version(opset);
        auto& x = *graph().add_input();
        x.set_name("x");
        auto& type = *x.mutable_type()->mutable_tensor_type();
        type.set_elem_type(::onnx::TensorProto::FLOAT);
        for (const std::int64_t extent : input)
            if (extent > 0)
                type.mutable_shape()->add_dim()->set_dim_value(extent);
            else
                type.mutable_shape()->add_dim()->set_dim_param("n");
        graph().add_output()->set_name("y");
    }

    [[nodiscard]] ::onnx::GraphProto& graph() { return *model.mutable_graph(); }
    node add(const std::string& type, const names& inputs, const std::string& output) {
        auto& n = *graph().add_node();
        n.set_op_type(type);
        for (const std::string& input : inputs)
            n.add_input(input);
        n.add_output(output);
        n.set_name(output == "y" ? "last" : output);
        return node(n);
    }
    ::onnx::TensorProto& initializer(const std::string& name, const ints& shape, int type) {
        auto& t = *graph().add_initializer();
        t.set_name(name);
        t.set_data_type(type);
        t.mutable_dims()->Add(shape.begin(), shape.end());
        return t;
    }
    void floats(const std::string& name, const ints& shape, const std::vector<float>& values) {
        initializer(name, shape, ::onnx::TensorProto::FLOAT)
            .mutable_float_data()
            ->Add(values.begin(), values.end());
    }
    void floats(const std::string& name, const quantal::tensor<float>& t) {
        floats(name, ints(t.shape().begin(), t.shape().end()),
               std::vector<float>(t.values().begin(), t.values().end()));
    }
    void integers(const std::string& name, const ints& values) {
        initializer(name, {std::ssize(values)}, ::onnx::TensorProto::INT64)
            .mutable_int64_data()
            ->Add(values.begin(), values.end());
    }

    ::onnx::ModelProto model;
};

} // namespace onnx_models

#endif
