// SPDX-License-Identifier: Apache-2.0
/// The way into the integer kernels of the CPU.
#ifndef QUANTAL_KERNEL_CPU_PREPARE_CONV_HPP
#define QUANTAL_KERNEL_CPU_PREPARE_CONV_HPP

#include <quantal/kernel/cpu/depthwise_conv.hpp>
#include <quantal/kernel/cpu/dispatch.hpp>
#include <quantal/kernel/cpu/gemm_conv.hpp>
#include <quantal/kernel/cpu/narrow_conv.hpp>
#include <quantal/kernel/cpu/winograd_conv.hpp>

#include <memory>

namespace quantal {
inline namespace v0 {
namespace cpu {

/// Chooses how a convolution is computed and packs its weights. Nothing of `problem` is needed
/// afterwards. Throws `shape_error` if its pieces do not fit together.
[[nodiscard]] inline std::shared_ptr<const conv_layer>
prepare_conv(const conv_problem& problem, const kernel_set& kernels = default_kernels()) {
    check(problem);
    if (problem.shape.is_depthwise()) return std::make_shared<depthwise_conv>(problem, kernels);
    if (narrow_conv::can_do(problem)) return std::make_shared<narrow_conv>(problem, kernels);
    const sum_plan direct = gemm_conv::plan(problem, kernels);
    const double limit = worthwhile_share * gemm_cost(problem.shape, direct.how);
    const auto by_2 = winograd_plan<2>::make(problem, kernels);
    const auto by_4 = winograd_plan<4>::make(problem, kernels);
    if (by_4 && by_4->cost < limit && (!by_2 || by_4->cost < by_2->cost))
        return std::make_shared<winograd_conv<4>>(problem, *by_4, kernels);
    if (by_2 && by_2->cost < limit)
        return std::make_shared<winograd_conv<2>>(problem, *by_2, kernels);
    return std::make_shared<gemm_conv>(problem, direct, kernels);
}

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
