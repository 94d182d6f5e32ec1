// SPDX-License-Identifier: Apache-2.0
/// Rules of import for operators on each element by itself.
#ifndef QUANTAL_ONNX_IMPORT_ARITHMETIC_HPP
#define QUANTAL_ONNX_IMPORT_ARITHMETIC_HPP

#include <quantal/onnx/import_layer.hpp>

#include <cmath>

namespace quantal {
inline namespace v0 {
namespace onnx::rules {
namespace detail {

/// `a + b`, `a - b`, `a * b` or `a / b`; throws `data_error` for what integers cannot hold.
struct calculation {
    char sign;

    float operator()(float a, float b) const {
        switch (sign) {
        case '+':
            return a + b;
        case '-':
            return a - b;
        case '*':
            return a * b;
        default:
            return a / b;
        }
    }
    std::int64_t operator()(std::int64_t a, std::int64_t b) const {
        std::int64_t result = 0;
        bool fails = false;
        switch (sign) {
        case '+':
            fails = __builtin_add_overflow(a, b, &result);
            break;
        case '-':
            fails = __builtin_sub_overflow(a, b, &result);
            break;
        case '*':
            fails = __builtin_mul_overflow(a, b, &result);
            break;
        default:
            fails = b == 0 || (b == -1 && __builtin_sub_overflow(std::int64_t{0}, a, &result));
            if (!fails) result = a / b;
        }
        if (fails)
            quantal::detail::fail<data_error>("the integers ", a, ' ', sign, ' ', b,
                                              " have no result of 64 bits");
        return result;
    }
};

/// A number as a constant.
inline constant scalar(float x) {
    return {element::f32, {}, constant::reals{x}};
}

/// `x sign c`, or `c sign x` where the constant comes first.
inline void with_constant(scope& s, char sign, const port& x, const constant& c, bool c_first) {
    const auto calculate = [&](float a, char with) {
        return fold::combine(scalar(a), c, calculation{with}, s.state.left);
    };
    if (sign == '/' && c_first) s.node.refuse("divides by what the network computes");
    switch (sign) {
    case '+':
        return scale_channels(s, x, {}, c);
    case '-':
        return c_first ? scale_channels(s, x, scalar(-1.0f), c)
                       : scale_channels(s, x, {}, calculate(0.0f, '-'));
    case '*':
        return scale_channels(s, x, c, {});
    default:
        return scale_channels(s, x, calculate(1.0f, '/'), {});
    }
}

/// The value `a + b` of two values of one form.
inline value added(scope& s, const port& a, const port& b) {
    if (a.shape != b.shape || a.channels_last != b.channels_last || a.flattened != b.flattened)
        s.node.refuse("adds values of the shapes ", a.shape, " and ", b.shape,
                      "; they have to be the same");
    return s.state.net.add(s.unique(), a.v, b.v);
}

/// The value `a * b` of two values, one of which may have one number a channel.
inline void multiplied(scope& s, port a, port b) {
    const graph& net = s.state.net;
    if (net.at(b.v).shape.count() > net.at(a.v).shape.count()) std::swap(a, b);
    if (a.shape.rank() != b.shape.rank() || a.channels_last != b.channels_last ||
        a.flattened != b.flattened)
        s.node.refuse("multiplies values of the shapes ", a.shape, " and ", b.shape,
                      "; they have to be the same, or one has one number a channel");
    s.set_like(a, s.state.net.multiply(s.unique(), a.v, b.v));
}

/// A limit of a clip: an attribute before opset 11, then an input.
inline float limit(scope& s, const char* key, int input, float otherwise) {
    if (s.node.opset() < 11) return s.node.real(key, otherwise);
    if (!s.has(input)) return otherwise;
    const constant& c = s.constant_input(input);
    if (c.size() != 1) s.node.refuse("has limits of shape ", c.shape(), "; each is a number");
    return c.as_reals()[0];
}

} // namespace detail

template <char Sign>
void arithmetic(scope& s) {
    if (s.is_constant(0) && s.is_constant(1))
        return s.set(fold::combine(s.constant_input(0), s.constant_input(1),
                                   detail::calculation{Sign}, s.state.left));
    if (s.is_constant(0))
        return detail::with_constant(s, Sign, s.value_input(1), s.constant_input(0), true);
    const port x = s.value_input(0);
    if (s.is_constant(1)) return detail::with_constant(s, Sign, x, s.constant_input(1), false);
    if (Sign == '*') return detail::multiplied(s, x, s.value_input(1));
    if (Sign != '+')
        s.node.refuse("combines two values of the network; only Add and Mul do that here");
    s.set_like(x, detail::added(s, x, s.value_input(1)));
}

inline void sum(scope& s) {
    port x = s.value_input(0);
    for (int i = 1; i < s.input_count(); ++i)
        x.v = detail::added(s, x, s.value_input(i));
    s.set(std::move(x));
}

inline void relu(scope& s) {
    const port x = s.value_input(0);
    s.set_like(x, s.state.net.relu(s.unique(), x.v));
}

inline void clip(scope& s) {
    constexpr float infinity = std::numeric_limits<float>::infinity();
    constexpr float largest = std::numeric_limits<float>::max();
    const port x = s.value_input(0);
    op::clip o{detail::limit(s, "min", 1, -infinity), detail::limit(s, "max", 2, infinity)};
    if (o.lo == -largest) o.lo = -infinity; // the defaults of opset 6
    if (o.hi == largest) o.hi = infinity;
    if (o.lo == -infinity && o.hi == infinity) return s.set(x);
    s.set_like(x, s.state.net.clip(s.unique(), x.v, o));
}

} // namespace onnx::rules
} // namespace v0
} // namespace quantal

#endif
