// SPDX-License-Identifier: Apache-2.0
/// How the elements of a row lie where weights have scales a group: each group starts at a whole
/// step of the kernels.
#ifndef QUANTAL_KERNEL_CPU_ROW_LAYOUT_HPP
#define QUANTAL_KERNEL_CPU_ROW_LAYOUT_HPP

#include <quantal/kernel/cpu/aligned.hpp>
#include <quantal/kernel/cpu/kernels.hpp>

#include <cstring>

namespace quantal {
inline namespace v0 {
namespace cpu {

/// A row of `depth` elements in groups of `group` (the last may be shorter), each followed by zeros
/// up to `padded`. Without groups `group` is `depth`. `depth` is at least 1.
struct row_layout {
    std::int64_t depth, group, padded;

    /// Groups padded to multiples of `quantum`.
    [[nodiscard]] static row_layout make(std::int64_t depth, std::int64_t group,
                                         std::int64_t quantum) {
        return {depth, group, rounded_up(group, quantum)};
    }
    [[nodiscard]] std::int64_t groups() const { return divided_up(depth, group); }
    [[nodiscard]] std::int64_t elements() const { return groups() * padded; }
    [[nodiscard]] std::int64_t place(std::int64_t k) const {
        return k / group * padded + k % group;
    }
    /// Whether every element stays where it is.
    [[nodiscard]] bool is_dense() const { return elements() == depth; }

    /// Rows of bytes [count][depth] to rows of bytes or, for form::words, of int16.
    void gather(const kernel_set& kernels, form f, const std::uint8_t* from, std::int64_t count,
                std::byte* to) const {
        if (f == form::words && is_dense())
            return kernels.widen_bytes(from, reinterpret_cast<std::int16_t*>(to), count * depth);
        const auto each = static_cast<std::int64_t>(operand_bytes(f));
        for (std::int64_t row = 0; row < count; ++row)
            for (std::int64_t k = 0; k < depth; k += group) {
                const std::int64_t used = depth - k < group ? depth - k : group;
                if (f == form::words)
                    kernels.widen_bytes(from, reinterpret_cast<std::int16_t*>(to), used);
                else
                    std::memcpy(to, from, static_cast<std::size_t>(used));
                std::memset(to + used * each, 0, static_cast<std::size_t>((padded - used) * each));
                from += used;
                to += padded * each;
            }
    }
};

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
