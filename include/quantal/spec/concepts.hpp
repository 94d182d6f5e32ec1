// SPDX-License-Identifier: Apache-2.0
/// Which specs there can be. One clause is one concept, so that the compiler names the one that
/// failed together with the whole spec; `check` says the same of a spec known at run time.
#ifndef QUANTAL_SPEC_CONCEPTS_HPP
#define QUANTAL_SPEC_CONCEPTS_HPP

#include <quantal/error.hpp>
#include <quantal/spec/qspec.hpp>

namespace quantal {
inline namespace v0 {

/// The widest code, and the widest tensor, that a spec may speak of.
inline constexpr int max_bits = 8;
inline constexpr int max_axis = 7;

template <qspec S>
concept bits_from_1_to_8 = S.bits >= 1 && S.bits <= max_bits;

/// 1 bit is unsigned affine only: a signed bit would hold {-1, 0} or nothing but 0.
template <qspec S>
concept one_bit_is_affine_unsigned = S.bits != 1 || S.kind == scheme::affine;

template <qspec S>
concept axis_only_per_channel = (S.grain == granularity::per_channel
                                     ? S.axis >= 0 && S.axis <= max_axis
                                     : S.axis == 0);

/// A spec that every part of quantal accepts.
template <qspec S>
concept supported_spec =
    bits_from_1_to_8<S> && one_bit_is_affine_unsigned<S> && axis_only_per_channel<S>;

/// What keeps `s` from satisfying the clauses of `supported_spec`, in words; empty where nothing
/// does.
[[nodiscard]] inline std::string flaw(qspec s) {
    using detail::sentence;
    if (s.bits < 1 || s.bits > max_bits)
        return sentence("a spec has ", s.bits, " bits; 1 to ", max_bits, " are possible");
    if (s.bits == 1 && s.kind != scheme::affine)
        return "a spec of 1 bit is affine unsigned only; signed codes need 2 bits";
    if (s.grain == granularity::per_channel ? s.axis < 0 || s.axis > max_axis : s.axis != 0)
        return sentence("a spec has channel axis ", s.axis, "; 0 to ", max_axis,
                        " are possible, and only per channel");
    return {};
}

/// Throws `spec_error` if `s` has a flaw.
inline void check(qspec s) {
    if (const std::string why = flaw(s); !why.empty()) detail::fail<spec_error>(why);
}

} // namespace v0
} // namespace quantal

#endif
