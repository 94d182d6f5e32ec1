// SPDX-License-Identifier: Apache-2.0
/// Specs and parameters that the tests of quantization go through.
#ifndef QUANTAL_TESTS_OPS_SPECS_HPP
#define QUANTAL_TESTS_OPS_SPECS_HPP

#include <quantal/tensor/qparams.hpp>

#include <array>
#include <cstring>
#include <limits>
#include <numeric>
#include <span>
#include <vector>

namespace support {

/// Every width with every scheme that it allows; the grain is added to each.
inline std::vector<quantal::qspec> every_width_and_scheme() {
    using quantal::scheme;
    std::vector<quantal::qspec> specs;
    for (const int bits : {1, 2, 3, 4, 5, 6, 7, 8, 16})
        for (const scheme kind :
             {scheme::symmetric, scheme::symmetric_full, scheme::affine, scheme::affine_signed})
            if (bits > 1 || kind == scheme::affine) specs.push_back({.bits = bits, .kind = kind});
    return specs;
}

/// All codes of a spec, in order.
inline std::vector<std::int32_t> codes_of(quantal::qspec s) {
    std::vector<std::int32_t> codes(static_cast<std::size_t>(s.qmax() - s.qmin() + 1));
    std::iota(codes.begin(), codes.end(), s.qmin());
    return codes;
}

/// All zero points that a spec allows; of 16 bits, some.
inline std::vector<std::int32_t> zero_points_of(quantal::qspec s) {
    if (s.is_symmetric()) return {0};
    if (s.bits == 16) return {s.qmin(), s.qmin() + 1, 77, s.qmax()};
    return codes_of(s);
}

/// Scales that are powers of two and that are not, the smallest one and one where all steps are
/// just below the largest float.
inline std::array<float, 5> scales_of(quantal::qspec s) {
    const auto codes = static_cast<float>(s.qmax() - s.qmin() + 1);
    return {0.1f, 0.25f, 0x1p-63f, std::numeric_limits<float>::max() / codes, 0.0073f};
}

/// Parameters of `channels` channels along `axis`: each has another scale and zero point.
inline quantal::qparams channel_params(quantal::qspec s, int axis, std::size_t channels) {
    s.grain = quantal::per_channel;
    s.axis = axis;
    quantal::qparams p{s, {}, {}};
    const auto zeros = zero_points_of(s);
    const auto scales = scales_of(s);
    for (std::size_t c = 0; c < channels; ++c) {
        p.scales.push_back(scales[c % scales.size()]);
        p.zero_points.push_back(zeros[(c * 3) % zeros.size()]);
    }
    return p;
}

/// Equal bit by bit: unlike ==, tells 0 from -0.
inline bool same_bits(std::span<const float> a, std::span<const float> b) {
    if (a.size() != b.size()) return false;
    return a.empty() || std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}

} // namespace support

#endif
