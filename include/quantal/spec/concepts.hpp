// SPDX-License-Identifier: Apache-2.0
/// Which specs there can be. One clause is one concept, so that the compiler names the one that
/// failed together with the whole spec; `check` says the same of a spec known at run time.
#ifndef QUANTAL_SPEC_CONCEPTS_HPP
#define QUANTAL_SPEC_CONCEPTS_HPP

#include <quantal/error.hpp>
#include <quantal/spec/qspec.hpp>

namespace quantal {
inline namespace v0 {

/// The last axis that a spec may speak of.
inline constexpr int max_axis = 7;

/// Whether codes can have this many bits.
[[nodiscard]] constexpr bool is_width(int bits) {
    return (bits >= 1 && bits <= 8) || bits == 16;
}

template <qspec S>
concept bits_are_1_to_8_or_16 = is_width(S.bits);

/// 1 bit is unsigned affine only: a signed bit would hold {-1, 0} or nothing but 0.
template <qspec S>
concept one_bit_is_affine_unsigned = S.bits != 1 || S.kind == scheme::affine;

template <qspec S>
concept axis_only_per_channel = (S.grain == granularity::per_channel
                                     ? S.axis >= 0 && S.axis <= max_axis
                                     : S.axis == 0);

/// Specs that mean the same are equal: no group size without groups.
template <qspec S>
concept group_size_only_per_group = (S.grain == granularity::per_group ? S.group_size > 0
                                                                       : S.group_size == 0);

/// A spec that every part of quantal accepts.
template <qspec S>
concept supported_spec = bits_are_1_to_8_or_16<S> && one_bit_is_affine_unsigned<S> &&
    axis_only_per_channel<S> && group_size_only_per_group<S>;

/// What keeps `s` from satisfying the clauses of `supported_spec`, in words; empty where nothing
/// does.
[[nodiscard]] inline std::string flaw(qspec s) {
    using detail::sentence;
    if (!is_width(s.bits))
        return sentence("a spec has ", s.bits, " bits; 1 to 8 and 16 are possible");
    if (s.bits == 1 && s.kind != scheme::affine)
        return "a spec of 1 bit is affine unsigned only; signed codes need 2 bits";
    if (s.grain == granularity::per_channel ? s.axis < 0 || s.axis > max_axis : s.axis != 0)
        return sentence("a spec has channel axis ", s.axis, "; 0 to ", max_axis,
                        " are possible, and only per channel");
    if (s.grain == granularity::per_group ? s.group_size < 1 : s.group_size != 0)
        return sentence("a spec has the group size ", s.group_size,
                        "; per group it is at least 1, otherwise 0");
    return {};
}

/// Throws `spec_error` if `s` has a flaw.
inline void check(qspec s) {
    if (const std::string why = flaw(s); !why.empty()) detail::fail<spec_error>(why);
}

} // namespace v0
} // namespace quantal

#endif
