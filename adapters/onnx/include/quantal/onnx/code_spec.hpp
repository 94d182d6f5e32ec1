// SPDX-License-Identifier: Apache-2.0
/// From the types, ranges and zero points of ONNX's codes to specs.
#ifndef QUANTAL_ONNX_CODE_SPEC_HPP
#define QUANTAL_ONNX_CODE_SPEC_HPP

#include <quantal/onnx/constant.hpp>
#include <quantal/tensor/qparams.hpp>

#include <algorithm>
#include <optional>

namespace quantal {
inline namespace v0 {
namespace onnx {

/// The scheme of codes whose zero points may or may not all be 0.
[[nodiscard]] inline scheme scheme_of(bool is_signed, bool all_zero) {
    if (!is_signed) return scheme::affine;
    return all_zero ? scheme::symmetric_full : scheme::affine_signed;
}

/// The spec of one scale whose codes are exactly `lo` to `hi`; none if there is no such spec.
[[nodiscard]] inline std::optional<qspec> spec_of_range(float lo, float hi, bool all_zero) {
    for (const int bits : {1, 2, 3, 4, 5, 6, 7, 8, 16})
        for (const scheme kind : {scheme::affine, scheme_of(true, all_zero), scheme::symmetric}) {
            const qspec s{.bits = bits, .kind = kind};
            if ((bits == 1 && s.is_signed()) || (kind == scheme::symmetric && !all_zero)) continue;
            if (static_cast<float>(s.qmin()) == lo && static_cast<float>(s.qmax()) == hi) return s;
        }
    return std::nullopt;
}

/// The spec of all codes of a type; throws `data_error` for types that are none of codes.
[[nodiscard]] inline qspec spec_of_type(element type, bool all_zero) {
    const element_info& info = info_of(type);
    if (!info.is_code())
        quantal::detail::fail<data_error>("codes of ", info.name,
                                          "; those of the network have 2 to 16 bits");
    return {.bits = info.bits, .kind = scheme_of(info.is_signed, all_zero)};
}

/// The narrowest spec that holds all of these codes and zero points, fewer bits being faster.
[[nodiscard]] inline qspec narrowest_spec(bool is_signed, std::span<const float> codes,
                                          std::span<const std::int32_t> zero_points) {
    const auto [least, most] = std::minmax_element(codes.begin(), codes.end());
    const auto [first, last] = std::minmax_element(zero_points.begin(), zero_points.end());
    const bool all_zero = *first == 0 && *last == 0;
    const float lo = std::min(*least, static_cast<float>(*first));
    const float hi = std::max(*most, static_cast<float>(*last));
    scheme kind = scheme_of(is_signed, all_zero);
    qspec s{.bits = is_signed ? 2 : 1, .kind = kind};
    while (s.bits < 8 && (static_cast<float>(s.qmin()) > lo || static_cast<float>(s.qmax()) < hi))
        ++s.bits;
    if (static_cast<float>(s.qmin()) > lo || static_cast<float>(s.qmax()) < hi) s.bits = 16;
    if (kind == scheme::symmetric_full && static_cast<float>(s.qmin()) < lo)
        s.kind = scheme::symmetric;
    return s;
}

} // namespace onnx
} // namespace v0
} // namespace quantal

#endif
