// SPDX-License-Identifier: Apache-2.0
/// What happens to the sums of a tile before they are stored.
#ifndef QUANTAL_KERNEL_CPU_FINISH_HPP
#define QUANTAL_KERNEL_CPU_FINISH_HPP

#include <quantal/kernel/cpu/code_bounds.hpp>

namespace quantal {
inline namespace v0 {
namespace cpu {

/// What a layer puts out: sums as they are; `float(sum) * multiplier`; codes as bytes; or codes to
/// which a second tensor of bytes is added (arith::residual_add).
enum class output_kind : std::uint8_t { sums, reals, codes, added_codes };

/// A residual add that follows the requantization: scale and zero point of both addends (`a` the
/// layer's own codes), and the codes and scale of the sum.
struct residual {
    float a_scale, b_scale, y_scale;
    std::int32_t a_zero, b_zero;
    byte_codes y;
};

/// A product of codes less their zero points: what brings it to the codes of `y`.
struct code_product {
    float multiplier;
    std::int32_t a_zero, b_zero;
    byte_codes y;
};

/// Everything that `finish` needs to know of one layer.
struct finish_rule {
    output_kind kind = output_kind::sums;
    byte_codes codes{};
    residual add{};
};

/// Bytes of one element of the output.
[[nodiscard]] QUANTAL_INLINE constexpr std::size_t element_bytes(output_kind kind) {
    return kind == output_kind::sums || kind == output_kind::reals ? 4 : 1;
}

/// Where a layer writes, and the second tensor of a residual add, which has the same shape.
struct output {
    std::byte* y;
    const std::uint8_t* other; ///< null without a residual add
    std::ptrdiff_t pitch;      ///< elements from row to row (pixel to pixel) of both

    [[nodiscard]] QUANTAL_INLINE output at(const finish_rule& rule, std::ptrdiff_t row,
                                           std::ptrdiff_t column) const {
        const std::ptrdiff_t place = row * pitch + column;
        const auto bytes = static_cast<std::ptrdiff_t>(element_bytes(rule.kind));
        return {y + place * bytes, other ? other + place : nullptr, pitch};
    }
};

/// arith::requantize in every lane.
template <class A>
QUANTAL_INLINE lanes<A, std::int32_t> requantize(lanes<A, std::int32_t> sums,
                                                 lanes<A, float> multipliers, const byte_codes& y) {
    return to_codes<A>(to_float<A>(sums) * multipliers, y);
}

/// What arith::residual_add rounds to a code, in every lane.
template <class A>
QUANTAL_INLINE lanes<A, float> residual_ratio(lanes<A, std::int32_t> a, lanes<A, std::int32_t> b,
                                              const residual& r) {
    const auto x = rounded<A>(to_float<A>(a - r.a_zero) * r.a_scale);
    const auto y = rounded<A>(to_float<A>(b - r.b_zero) * r.b_scale);
    return (x + y) / r.y_scale;
}

/// arith::residual_add in every lane.
template <class A>
QUANTAL_INLINE lanes<A, std::int32_t> residual_add(lanes<A, std::int32_t> a,
                                                   lanes<A, std::int32_t> b, const residual& r) {
    return to_codes<A>(residual_ratio<A>(a, b, r), r.y);
}

/// Stores the sums of one register at `out`; `multipliers` are those of its channels, of which
/// `count` are valid.
template <class A>
QUANTAL_INLINE void finish(const finish_rule& rule, lanes<A, std::int32_t> sums,
                           const float* multipliers, const output& out, int count) {
    const auto put = [&](auto v) QUANTAL_INLINE_LAMBDA {
        if (count == lane_count<A>)
            store(out.y, v);
        else
            store_part(out.y, v, sizeof(v) / lane_count<A> * static_cast<std::size_t>(count));
    };
    if (rule.kind == output_kind::sums) return put(sums);
    const auto m = load<lanes<A, float>>(multipliers);
    if (rule.kind == output_kind::reals) return put(to_float<A>(sums) * m);
    auto codes = requantize<A>(sums, m, rule.codes);
    if (rule.kind == output_kind::added_codes) {
        const auto other = count == lane_count<A>
                               ? convert<A>::widen(out.other)
                               : convert<A>::widen_part(out.other, static_cast<std::size_t>(count));
        codes = residual_add<A>(codes, other, rule.add);
    }
    put(convert<A>::to_bytes(codes));
}

/// The same of a row of registers, `columns` of their lanes valid.
template <class A, int Registers>
QUANTAL_INLINE void finish_row(const finish_rule& rule,
                               const lanes<A, std::int32_t> (&sums)[Registers],
                               const float* multipliers, const output& out, int columns) {
    for (int v = 0; v * lane_count<A> < columns; ++v) {
        const int first = v * lane_count<A>;
        const int left = columns - first;
        finish<A>(rule, sums[v], multipliers + first, out.at(rule, 0, first),
                  left < lane_count<A> ? left : lane_count<A>);
    }
}

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
