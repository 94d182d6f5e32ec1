// SPDX-License-Identifier: Apache-2.0
/// A network in integers as steps of the CPU's kernels.
#ifndef QUANTAL_RUNTIME_CPU_LOWER_NETWORK_HPP
#define QUANTAL_RUNTIME_CPU_LOWER_NETWORK_HPP

#include <quantal/runtime/cpu/integer_lowering.hpp>
#include <quantal/runtime/cpu/real_lowering.hpp>
#include <quantal/runtime/cpu/reference_lowering.hpp>

namespace quantal {
inline namespace v0 {
namespace cpu {

/// The integer convolutions and linear layers that nothing but an add reads, one for each add: the
/// sum is made where theirs is, and their own codes are never stored.
[[nodiscard]] inline std::set<value> fusible_with_add(const integer_network& n) {
    const plan& p = n.plan();
    const std::vector<int> uses = p.net.use_counts();
    std::set<value> result;
    for (value v = 0; v < p.net.size(); ++v) {
        if (!p.at(v).as<op::add>() || p.roles[v].in_float || !is_for_kernels(n, v)) continue;
        for (const value x : p.at(v).inputs)
            if (p.roles[x].weights && is_for_kernels(n, x) && uses[x] == 1) {
                result.insert(x);
                break;
            }
    }
    return result;
}

namespace detail {

/// The images, from channels first to channels last, and to codes if the network wants them.
inline void read_images(builder& b) {
    const image_shape shape = b.shape(0);
    const bool to_bytes = b.plan().roles[0].output && is_for_kernels(b.source(), 0);
    if (!to_bytes) {
        const auto copy = [](const float* from, std::size_t count, float* to) {
            std::copy(from, from + count, to);
        };
        const auto row = [=](const float* chw, std::int64_t y, float* hwc) {
            row_from_planes(shape, y, chw, hwc, copy);
        };
        const slot_index y = b.add_reals(0);
        return b.add(0,
                     rows_step<float, float>("images", b.net(), images_slot, y, shape.height, row));
    }
    const slot_index y = b.add_codes(0);
    const auto quantize = [c = b.codes(0), f = b.arrays().quantize](
                              const float* from, std::size_t count, std::uint8_t* to) {
        f(from, count, c.scale, c.bytes, to);
    };
    const auto row = [=](const float* chw, std::int64_t line, std::uint8_t* hwc) {
        row_from_planes(shape, line, chw, hwc, quantize);
    };
    b.add(0, rows_step<float, std::uint8_t>("quantize images", b.net(), images_slot, y,
                                            shape.height, row));
}

} // namespace detail

/// Steps for all nodes; those of `left_for_add` become part of the add that reads them. What the
/// kernels do not take is left to the reference. Networks that are lowered with the same `prepared`
/// share packed weights. About `batch` images will run at a time.
[[nodiscard]] inline network lower_network(const integer_network& n, const kernel_set& kernels,
                                           std::set<value> left_for_add, prepared_layers& prepared,
                                           std::int64_t batch) {
    const plan& p = n.plan();
    builder b(n, kernels, std::move(left_for_add), prepared, batch);
    detail::read_images(b);
    if (!is_for_kernels(n, 0)) lower_to_reference(b, 0);
    for (value v = 1; v < p.net.size(); ++v) {
        if (!is_for_kernels(n, v)) {
            lower_to_reference(b, v);
        } else if (!p.roles[v].in_float) {
            std::visit(integer_lowering(b, v), p.at(v).op);
        } else {
            std::visit(real_lowering(b, v), p.at(v).op);
            if (p.roles[v].output) b.quantize(v);
        }
    }
    return std::move(b).finish();
}
[[nodiscard]] inline network lower_network(const integer_network& n, const kernel_set& kernels) {
    prepared_layers own;
    return lower_network(n, kernels, {}, own, 1);
}

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
