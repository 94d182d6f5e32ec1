// SPDX-License-Identifier: Apache-2.0
/// What a quantized number is: one structural value, used directly as a template argument.
#ifndef QUANTAL_SPEC_QSPEC_HPP
#define QUANTAL_SPEC_QSPEC_HPP

#include <quantal/config.hpp>

#include <cstdint>

namespace quantal {
inline namespace v0 {

/// Which codes there are, for `b` bits, and whether real 0 may lie off code 0.
enum class scheme : std::uint8_t {
    symmetric,      ///< narrow: [-(2^(b-1)-1), 2^(b-1)-1], zero point 0 (the default of weights)
    symmetric_full, ///< [-2^(b-1), 2^(b-1)-1], zero point 0
    affine,         ///< unsigned: [0, 2^b-1], any zero point (the default of activations)
    affine_signed,  ///< [-2^(b-1), 2^(b-1)-1], any zero point
};

/// How many values share a scale (and a zero point).
enum class granularity : std::uint8_t {
    per_tensor,
    per_channel, ///< one scale an index of dimension `axis`
    per_group, ///< one scale `group_size` consecutive indices of dimension 1, in each of dimension
               ///< 0; the last group may be shorter. A tensor of one dimension is a single row.
};

inline constexpr auto per_tensor = granularity::per_tensor;
inline constexpr auto per_channel = granularity::per_channel;
inline constexpr auto per_group = granularity::per_group;

/// `real = scale * (q - zero_point)`; q is clamped to [qmin, qmax] after rounding to even.
/// A spec is a fact about numbers: two equal specs are one type of number.
struct qspec {
    int bits = 8;
    scheme kind = scheme::symmetric;
    granularity grain = granularity::per_tensor;
    int axis = 0;              ///< only with per_channel
    int group_size = 0;        ///< only with per_group
    bool power_of_two = false; ///< every scale is one

    friend constexpr bool operator==(const qspec&, const qspec&) = default;

    [[nodiscard]] QUANTAL_HD constexpr bool is_symmetric() const {
        return kind == scheme::symmetric || kind == scheme::symmetric_full;
    }
    [[nodiscard]] QUANTAL_HD constexpr bool is_signed() const { return kind != scheme::affine; }
    [[nodiscard]] QUANTAL_HD constexpr std::int32_t qmin() const {
        if (!is_signed()) return 0;
        return -(1 << (bits - 1)) + (kind == scheme::symmetric ? 1 : 0);
    }
    [[nodiscard]] QUANTAL_HD constexpr std::int32_t qmax() const {
        return is_signed() ? (1 << (bits - 1)) - 1 : (1 << bits) - 1;
    }
};

/// Named specs. `wN`: N-bit weights, one scale an output channel; `aN`: N-bit activations.
inline constexpr qspec weight_spec(int bits) {
    return {.bits = bits, .kind = scheme::symmetric, .grain = per_channel};
}
inline constexpr qspec activation_spec(int bits) {
    return {.bits = bits, .kind = scheme::affine};
}

inline constexpr qspec w2 = weight_spec(2);
inline constexpr qspec w3 = weight_spec(3);
inline constexpr qspec w4 = weight_spec(4);
inline constexpr qspec w8 = weight_spec(8);
inline constexpr qspec a4 = activation_spec(4);
inline constexpr qspec a8 = activation_spec(8);
inline constexpr qspec a16 = activation_spec(16);

} // namespace v0
} // namespace quantal

#endif
