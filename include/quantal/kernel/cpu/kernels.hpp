// SPDX-License-Identifier: Apache-2.0
/// The kernels of one instruction set as a table: all that the rest of the engine sees of it.
#ifndef QUANTAL_KERNEL_CPU_KERNELS_HPP
#define QUANTAL_KERNEL_CPU_KERNELS_HPP

#include <quantal/kernel/cpu/array_kernels.hpp>
#include <quantal/kernel/cpu/depthwise.hpp>
#include <quantal/kernel/cpu/narrow_tile.hpp>
#include <quantal/kernel/cpu/winograd_weights.hpp>

namespace quantal {
inline namespace v0 {
namespace cpu {

/// Functions and the layout facts that packing needs.
struct kernel_set {
    const char* name;
    int lanes;         ///< int32 lanes of a register
    int panel_columns; ///< of a full panel of weights
    int tile_rows;
    bool fast_dot4;                                 ///< form::bytes is the fastest form
    void (*multiply_panel[3])(const panel_call&);   ///< by form; shorts may be null
    int narrow_columns;                             ///< of a panel of narrow weights
    bool takes_signed_bytes;                        ///< as narrow weights of 8 bits
    void (*multiply_narrow[3])(const narrow_call&); ///< of 2, 4 and 8 bits
    void (*depthwise[3])(const depthwise_call&);    ///< by form, likewise
    void (*widen_bytes)(const std::uint8_t* from, std::int16_t* to, std::ptrdiff_t count);
    void (*winograd_transform[2])(const winograd_input&);    ///< of F(2x2) and F(4x4), int16
    void (*winograd_transform_bytes)(const winograd_input&); ///< of F(2x2)
    void (*winograd_weights[2])(const winograd_kernels&);    ///< likewise
    void (*winograd_weights_bytes)(const winograd_kernels&);
    void (*winograd_finish[2])(const winograd_output&);
    array_kernels arrays; ///< everything that is no integer convolution
};

namespace detail {

template <class A>
constexpr auto multiply_shorts() -> void (*)(const panel_call&) {
    if constexpr (dot<A>::has_pair_sums)
        return multiply_panel<A, form::shorts>;
    else
        return nullptr;
}
template <class A>
constexpr auto depthwise_shorts() -> void (*)(const depthwise_call&) {
    if constexpr (dot<A>::has_pair_sums)
        return depthwise<A, form::shorts>;
    else
        return nullptr;
}

} // namespace detail

template <class A>
inline constexpr kernel_set kernels_of = {
    .name = A::name(),
    .lanes = lane_count<A>,
    .panel_columns = panel_registers<A>* lane_count<A>,
    .tile_rows = tile_rows<A>,
    .fast_dot4 = dot<A>::fast_dot4,
    .multiply_panel = {multiply_panel<A, form::bytes>, multiply_panel<A, form::words>,
                       detail::multiply_shorts<A>()},
    .narrow_columns = narrow_registers* lane_count<A>,
    .takes_signed_bytes = takes_signed_bytes<A>,
    .multiply_narrow = {multiply_narrow<A, 2>, multiply_narrow<A, 4>, multiply_narrow<A, 8>},
    .depthwise = {depthwise<A, form::bytes>, depthwise<A, form::words>,
                  detail::depthwise_shorts<A>()},
    .widen_bytes = widen_bytes<A>,
    .winograd_transform = {winograd_transform<A, 2, std::uint16_t>,
                           winograd_transform<A, 4, std::uint16_t>},
    .winograd_transform_bytes = winograd_transform<A, 2, std::uint8_t>,
    .winograd_weights = {winograd_weights<A, 2, std::int16_t>,
                         winograd_weights<A, 4, std::int16_t>},
    .winograd_weights_bytes = winograd_weights<A, 2, std::int8_t>,
    .winograd_finish = {winograd_finish<A, 2>, winograd_finish<A, 4>},
    .arrays = array_kernels_of<A>,
};

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
