// SPDX-License-Identifier: Apache-2.0
/// Whole registers of sums to codes, four at a time: the commonest ends of a layer.
#ifndef QUANTAL_KERNEL_CPU_CODE_FINISH_HPP
#define QUANTAL_KERNEL_CPU_CODE_FINISH_HPP

#include <quantal/kernel/cpu/finish.hpp>

namespace quantal {
inline namespace v0 {
namespace cpu {

/// A rule that ends in codes, for many registers.
template <class A>
class code_finish {
    using sums = lanes<A, std::int32_t>;
    using reals = lanes<A, float>;

public:
    explicit QUANTAL_INLINE code_finish(const finish_rule& rule)
        : rule_(rule), bounds_(rule.kind == output_kind::added_codes ? rule.add.y : rule.codes) {}

    [[nodiscard]] static QUANTAL_INLINE bool can_do(output_kind kind) {
        return kind == output_kind::codes || kind == output_kind::added_codes;
    }

    /// Count registers, Across of them side by side at each `place(row)`, which is an `output`;
    /// `multipliers` are those of a row.
    template <int Across, int Count, class P>
    QUANTAL_INLINE void operator()(const sums (&v)[Count], const float* multipliers,
                                   P place) const {
        reals real[Count];
        repeat<Count>([&](auto i) QUANTAL_INLINE_LAMBDA {
            const auto m = load<reals>(multipliers + i % Across * lane_count<A>);
            real[i] = to_float<A>(v[i]) * m;
        });
        if (rule_.kind == output_kind::added_codes)
            repeat<Count>([&](auto i) QUANTAL_INLINE_LAMBDA {
                const std::uint8_t* other = place(i / Across).other + i % Across * lane_count<A>;
                real[i] = added(real[i], convert<A>::widen(other));
            });
        constexpr int rows = Count / Across, together = Across < 3 ? 4 / Across : 1;
        repeat<rows / together>([&](auto i) QUANTAL_INLINE_LAMBDA {
            store_rows<Across, i * together, together>(real, place);
        });
        repeat<rows % together>([&](auto i) QUANTAL_INLINE_LAMBDA {
            store_rows<Across, rows - rows % together + i, 1>(real, place);
        });
    }

private:
    /// What the sum of the layer's own code of `real` and of `other` is rounded from.
    [[nodiscard]] QUANTAL_INLINE reals added(reals real, sums other) const {
        return residual_ratio<A>(to_codes<A>(real, rule_.codes), other, rule_.add);
    }

    /// Rows from Row on that fill four registers, or one row.
    template <int Across, int Row, int Rows, int Count, class P>
    QUANTAL_INLINE void store_rows(const reals (&v)[Count], P place) const {
        constexpr int i = Row * Across;
        std::byte* to = place(std::integral_constant<int, Row>{}).y;
        if constexpr (Rows == 4) {
            void* const all[] = {to, place(std::integral_constant<int, Row + 1>{}).y,
                                 place(std::integral_constant<int, Row + 2>{}).y,
                                 place(std::integral_constant<int, Row + 3>{}).y};
            bounds_.store_quarters(all, v[i], v[i + 1], v[i + 2], v[i + 3]);
        } else if constexpr (Rows == 2) {
            bounds_.store_halves(to, place(std::integral_constant<int, Row + 1>{}).y, v[i],
                                 v[i + 1], v[i + 2], v[i + 3]);
        } else if constexpr (Across == 4) {
            bounds_.store(to, v[i], v[i + 1], v[i + 2], v[i + 3]);
        } else if constexpr (Across == 1) {
            bounds_.store(to, v[i]);
        } else {
            bounds_.store(to, v[i], v[i + 1]);
            if constexpr (Across == 3) bounds_.store(to + 2 * lane_count<A>, v[i + 2]);
        }
    }

    const finish_rule& rule_;
    code_bounds<A> bounds_;
};

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
