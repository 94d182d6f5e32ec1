// SPDX-License-Identifier: Apache-2.0
/// Nodes that the kernels do not take: the reference's loops, image by image. They allocate.
#ifndef QUANTAL_RUNTIME_CPU_REFERENCE_LOWERING_HPP
#define QUANTAL_RUNTIME_CPU_REFERENCE_LOWERING_HPP

#include <quantal/kernel/reference/step.hpp>
#include <quantal/runtime/cpu/builder.hpp>

namespace quantal {
inline namespace v0 {
namespace cpu {

/// Whether the kernels can compute node `v`: its codes are bytes, and its weights have one scale a
/// channel or one altogether.
[[nodiscard]] inline bool is_for_kernels(const integer_network& n, value v) {
    const plan& p = n.plan();
    const auto is_wide = [&](value x) {
        return p.roles[x].has_codes() && activation_params(p, n.table(), x).spec.bits > 8;
    };
    const auto& inputs = p.at(v).inputs;
    if (is_wide(v) || std::any_of(inputs.begin(), inputs.end(), is_wide)) return false;
    return !p.roles[v].weights || (p.roles[v].weights->bits <= 8 && !p.roles[v].has_real_bias());
}

namespace detail {

/// One value between a slot and a frame of the reference, for one image.
struct reference_value {
    value node;
    slot_index slot;
    std::int64_t elements;
    std::size_t element_bytes;
    std::optional<std::int32_t> qmin; ///< if it is codes

    template <class Code>
    void read_codes(const Code* from, reference::frame& to) const {
        to.codes[node].resize(static_cast<std::size_t>(elements));
        for (std::int64_t i = 0; i < elements; ++i)
            to.codes[node][static_cast<std::size_t>(i)] = from[i] + *qmin;
    }
    void read(const frame& at, std::int64_t image, reference::frame& to) const {
        const std::int64_t first = image * elements;
        if (!qmin) {
            const float* x = at.at<const float>(slot) + first;
            to.reals[node].assign(x, x + elements);
        } else if (element_bytes == 1) {
            read_codes(at.at<const std::uint8_t>(slot) + first, to);
        } else {
            read_codes(at.at<const std::int32_t>(slot) + first, to);
        }
    }
    template <class Code>
    void write_codes(const reference::frame& from, Code* to) const {
        for (std::int64_t i = 0; i < elements; ++i)
            to[i] = static_cast<Code>(from.codes[node][static_cast<std::size_t>(i)] - *qmin);
    }
    void write(const reference::frame& from, const frame& at, std::int64_t image) const {
        const std::int64_t first = image * elements;
        if (!qmin)
            std::copy(from.reals[node].begin(), from.reals[node].end(), at.at<float>(slot) + first);
        else if (element_bytes == 1)
            write_codes(from, at.at<std::uint8_t>(slot) + first);
        else
            write_codes(from, at.at<std::int32_t>(slot) + first);
    }
};

} // namespace detail

/// Adds node `v` as the reference computes it; the input of the network is in `real_slot(0)`.
inline void lower_to_reference(builder& b, value v) {
    const plan& p = b.plan();
    const auto bound = [&](value x, bool as_codes) {
        const slot_index s = as_codes ? b.code_slot(x) : b.real_slot(x);
        const slot& at = b.net().slots[s];
        detail::reference_value result{x, s, at.elements(), at.element_bytes, {}};
        if (as_codes) result.qmin = activation_params(p, b.source().table(), x).spec.qmin();
        return result;
    };
    std::vector<detail::reference_value> inputs;
    for (const value x : p.at(v).inputs)
        inputs.push_back(bound(x, p.roles[x].has_codes()));
    if (v == 0) inputs.push_back(bound(0, false));
    const bool to_codes = p.roles[v].has_codes();
    to_codes ? b.add_codes(v) : b.add_reals(v);
    const auto output = bound(v, to_codes);
    const auto run = [=, compute = reference::make_step<requantizers::in_float>(b.source(), v),
                      nodes = p.net.size()](const frame& at) {
        auto image = [&](std::size_t i, std::size_t) {
            reference::frame f(nodes);
            for (const auto& x : inputs)
                x.read(at, static_cast<std::int64_t>(i), f);
            compute(f);
            output.write(f, at, static_cast<std::int64_t>(i));
        };
        at.parallel.run(static_cast<std::size_t>(at.images), image);
    };
    step s{.kernel = "reference", .inputs = {}, .output = output.slot, .run = run};
    for (const auto& x : inputs)
        s.inputs.push_back(x.slot);
    s.operations = operations_of(p, v);
    b.add(v, std::move(s));
}

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
