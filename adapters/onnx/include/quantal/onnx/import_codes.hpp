// SPDX-License-Identifier: Apache-2.0
/// Rules of import for QuantizeLinear and DequantizeLinear.
#ifndef QUANTAL_ONNX_IMPORT_CODES_HPP
#define QUANTAL_ONNX_IMPORT_CODES_HPP

#include <quantal/onnx/code_spec.hpp>
#include <quantal/onnx/import_arithmetic.hpp>

namespace quantal {
inline namespace v0 {
namespace onnx::rules {
namespace detail {

/// Scale `i` and zero point `i + 1` of one value; without a zero point, codes are of `otherwise`.
inline qparams params_of(const scope& s, int i, element otherwise) {
    const constant& scale = s.constant_input(i);
    float zero = 0.0f;
    element type = otherwise;
    if (s.has(i + 1)) {
        const constant& z = s.constant_input(i + 1);
        type = z.type();
        if (z.size() == 1) zero = z.as_reals()[0];
        if (z.size() != 1)
            s.node.refuse("has zero points of shape ", z.shape(), "; values have one");
    }
    if (scale.size() != 1)
        s.node.refuse("has scales of shape ", scale.shape(), "; values have one");
    qparams p{
        spec_of_type(type, zero == 0.0f), {scale.as_reals()[0]}, {static_cast<std::int32_t>(zero)}};
    check(p, {1}, "it");
    return p;
}

/// Which of the scales belongs to each element of the codes.
class scale_index {
public:
    scale_index(const scope& s, const extents& codes, const extents& scales, std::int64_t axis,
                std::int64_t block)
        : is_one_(scales.count() == 1 && scales.rank() <= 1),
          block_(static_cast<std::size_t>(block)) {
        if (is_one_) return;
        axis_ = fold::axis_of(axis, codes.rank());
        fold::dims wanted = fold::list(codes);
        const std::int64_t extent = wanted[static_cast<std::size_t>(axis_)];
        const std::int64_t groups = block == 0 ? extent : extent / block + (extent % block != 0);
        wanted[static_cast<std::size_t>(axis_)] = groups;
        if (block == 0) wanted = {extent};
        if (block < 0 || scales != extents(wanted))
            s.node.refuse("has scales of shape ", scales, " for codes of shape ", codes,
                          "; there is one, one for each index of an axis, or one for each block");
        extent_ = static_cast<std::size_t>(extent);
        groups_ = static_cast<std::size_t>(groups);
        for (int i = axis_ + 1; i < codes.rank(); ++i)
            inner_ *= static_cast<std::size_t>(codes[i]);
    }
    [[nodiscard]] int axis() const { return axis_; }
    [[nodiscard]] std::size_t operator()(std::size_t element) const {
        if (is_one_) return 0;
        const std::size_t row = element / inner_, index = row % extent_;
        if (block_ == 0) return index;
        return (row / extent_ * groups_ + index / block_) * inner_ + element % inner_;
    }

private:
    bool is_one_;
    int axis_ = 0;
    std::size_t block_, extent_ = 1, groups_ = 1, inner_ = 1;
};

/// The integers of a constant of codes or of int32.
inline std::vector<std::int32_t> integers_of(const scope& s, const constant& c) {
    if (c.type() != element::i32 && !info_of(c.type()).is_code())
        s.node.refuse("takes codes of ", info_of(c.type()).name, "; they have 2 to 16 bits, or 32");
    s.state.left.take(c.shape());
    return c.visit([](const auto& values) {
        std::vector<std::int32_t> result;
        result.reserve(values.size());
        for (const auto v : values)
            result.push_back(static_cast<std::int32_t>(v));
        return result;
    });
}

/// Floats made of constant codes: `(q - zero_point) * scale`.
inline constant dequantized(const scope& s) {
    const constant &codes = s.constant_input(0), &scale = s.constant_input(1);
    const std::int64_t block = s.node.integer("block_size", 0);
    const scale_index index(s, codes.shape(), scale.shape(), s.node.integer("axis", 1), block);
    const std::vector<std::int32_t> q = integers_of(s, codes);
    std::vector<std::int32_t> zeros(scale.size(), 0);
    if (s.has(2)) zeros = integers_of(s, s.constant_input(2));
    if (zeros.size() != scale.size())
        s.node.refuse("has ", scale.size(), " scales and ", zeros.size(), " zero points");
    constant::reals values(q.size());
    for (std::size_t i = 0; i < q.size(); ++i) {
        const std::size_t k = index(i);
        values[i] =
            arith::product(static_cast<float>(std::int64_t{q[i]} - zeros[k]), scale.as_reals()[k]);
    }
    return constant(element::f32, codes.shape(), std::move(values))
        .made_from({codes, scale.as_reals(), std::move(zeros), index.axis(), block});
}

/// A value that goes through codes; its own node, where others read it as it is.
inline value quantized_value(const scope& s, const port& x, const qparams& p) {
    const std::string& name = s.state.net.at(x.v).name;
    const auto known = s.state.points.find(name);
    const bool is_other = known != s.state.points.end() && known->second != p;
    if (!is_other && !s.state.read_as_reals.contains(s.node.proto().input(0))) return x.v;
    constexpr float infinity = std::numeric_limits<float>::infinity();
    return s.state.net.clip(s.unique(), x.v, {-infinity, infinity});
}

} // namespace detail

/// The value becomes codes; those that already are codes of the same kind stay what they are.
inline void quantize_linear(scope& s) {
    port x = s.moved_input(0);
    const auto stated = static_cast<element>(s.node.integer("output_dtype", 0));
    const qparams p = detail::params_of(s, 1, stated == element{} ? element::u8 : stated);
    s.node.ignore("axis"); // one scale
    s.node.ignore("saturate");
    if (x.holds_codes) s.node.refuse("quantizes codes");
    if (x.codes != p) x.v = detail::quantized_value(s, x, p);
    s.state.points.insert_or_assign(s.state.net.at(x.v).name, p);
    x.codes = p;
    x.holds_codes = true;
    s.set(std::move(x));
}

inline void dequantize_linear(scope& s) {
    if (s.is_constant(0)) return s.set(detail::dequantized(s));
    port x = s.moved_input(0);
    if (!x.holds_codes) s.node.refuse("dequantizes what was not quantized");
    s.node.ignore("axis");
    const qparams p = detail::params_of(s, 1, element::u8);
    if (p.scales != x.codes->scales || p.zero_points != x.codes->zero_points)
        s.node.refuse("dequantizes with the scale ", p.scale(), " and the zero point ",
                      p.zero_point(), " what was quantized with ", x.codes->scale(), " and ",
                      x.codes->zero_point());
    x.holds_codes = false;
    s.set(std::move(x));
}

/// Only layers can read what comes out: codes, which they make themselves, scale and zero point.
inline void dynamic_quantize_linear(scope& s) {
    port x = s.value_input(0);
    x.holds_codes = x.is_dynamic = true;
    for (int i = s.node.proto().output_size(); i-- > 0;)
        s.set(x, i);
}

/// A clip of codes narrows their spec; one of values is an operator of the network.
inline void clip_any(scope& s) {
    port x = s.moved_input(0);
    if (!x.holds_codes || x.is_dynamic) return clip(s);
    const float lo = detail::limit(s, "min", 1, static_cast<float>(x.codes->spec.qmin()));
    const float hi = detail::limit(s, "max", 2, static_cast<float>(x.codes->spec.qmax()));
    const auto spec = spec_of_range(lo, hi, x.codes->zero_point() == 0);
    if (!spec || spec->is_signed() != x.codes->spec.is_signed())
        s.node.refuse("clips codes to [", lo, ", ", hi, "], which are those of no width");
    x.codes->spec = *spec;
    s.state.points.insert_or_assign(s.state.net.at(x.v).name, *x.codes);
    s.set(std::move(x));
}

} // namespace onnx::rules
} // namespace v0
} // namespace quantal

#endif
