// SPDX-License-Identifier: Apache-2.0
/// Rules of import for operators that make constants, and for those that do nothing when a network
/// only answers.
#ifndef QUANTAL_ONNX_IMPORT_CONSTANT_HPP
#define QUANTAL_ONNX_IMPORT_CONSTANT_HPP

#include <quantal/onnx/import_shape.hpp>
#include <quantal/onnx/read_tensor.hpp>

#include <cmath>

namespace quantal {
inline namespace v0 {
namespace onnx::rules {

/// The value of a Constant node. External data belong to initializers only.
inline void constant_node(scope& s) {
    using attribute = ::onnx::AttributeProto;
    node_reader& n = s.node;
    if (const auto* a = n.find("value", attribute::TENSOR))
        return s.set(read_tensor(a->t(), s.state.left, std::nullopt));
    if (const auto* a = n.find("value_float", attribute::FLOAT))
        return s.set(constant(element::f32, {}, constant::reals{a->f()}));
    if (const auto* a = n.find("value_floats", attribute::FLOATS))
        return s.set(constant(element::f32, {a->floats_size()},
                              constant::reals(a->floats().begin(), a->floats().end())));
    if (const auto* a = n.find("value_int", attribute::INT))
        return s.set(constant(element::i64, {}, constant::integers{a->i()}));
    if (const auto list = n.integers("value_ints")) return s.set(constant(*list));
    n.refuse("has no value; a tensor, numbers or one number can be it");
}

inline void constant_of_shape(scope& s) {
    const extents shape(s.integers_input(0));
    const std::size_t count = s.state.left.take(shape);
    const auto* a = s.node.find("value", ::onnx::AttributeProto::TENSOR);
    const constant one = a ? read_tensor(a->t(), s.state.left, std::nullopt)
                           : constant(element::f32, {}, constant::reals{0.0f});
    if (one.size() != 1) s.node.refuse("repeats a value of shape ", one.shape());
    s.set(one.visit([&](const auto& values) {
        return constant(one.type(), shape, std::remove_cvref_t<decltype(values)>(count, values[0]));
    }));
}

inline void shape(scope& s) {
    const fold::dims all = fold::list(detail::shape_of_input(s, 0));
    const auto size = std::ssize(all);
    const auto place = [&](const char* key, std::int64_t otherwise) {
        const std::int64_t i = s.node.integer(key, otherwise);
        return std::clamp<std::int64_t>(i < 0 ? i + size : i, 0, size);
    };
    const auto start = place("start", 0), end = std::max(start, place("end", size));
    s.set(constant(fold::dims(all.begin() + start, all.begin() + end)));
}

inline void gather(scope& s) {
    const auto axis = s.node.integer("axis", 0);
    s.set(fold::gather(s.constant_input(0), s.constant_input(1), axis, s.state.left));
}

inline void expand(scope& s) {
    const extents shape =
        fold::broadcast(s.constant_input(0).shape(), extents(s.integers_input(1)));
    s.set(fold::expand(s.constant_input(0), shape, s.state.left));
}

/// Values of the network are float32 whatever their type is called.
inline void cast(scope& s) {
    const element_info& to = info_of(static_cast<std::int32_t>(s.node.integer("to", 0)));
    s.node.ignore("saturate");
    const bool is_real = to.is_floating || to.is_code();
    if (!s.is_constant(0)) {
        if (!to.is_floating) s.node.refuse("makes ", to.name, " of what the network computes");
        return s.set(s.input(0));
    }
    const constant& c = s.constant_input(0);
    s.state.left.take(c.shape());
    s.set(c.visit([&](const auto& values) -> constant {
        if (is_real) return {to.type, c.shape(), constant::reals(values.begin(), values.end())};
        constant::integers result;
        for (const auto v : values) {
            if (!(std::abs(static_cast<double>(v)) < 0x1p62))
                s.node.refuse("makes an integer of ", v);
            result.push_back(static_cast<std::int64_t>(v));
        }
        return {to.type, c.shape(), std::move(result)};
    }));
}

/// Hands on its first input.
inline void pass(scope& s) {
    for (const char* key : {"ratio", "seed"})
        s.node.ignore(key);
    s.set(s.input(0));
}

/// Left out at the end: it changes no order of classes, and the network's outputs are its inputs.
inline void softmax(scope& s) {
    s.node.ignore("axis");
    if (!s.state.outputs.contains(s.node.proto().output(0)))
        s.node.refuse("is not the end of the network, where alone it can be left out");
    s.state.notes.push_back(s.node.type() + " \"" + s.node.name() +
                            "\" at the end is left out: outputs are its inputs");
    s.set(s.input(0));
}

} // namespace onnx::rules
} // namespace v0
} // namespace quantal

#endif
