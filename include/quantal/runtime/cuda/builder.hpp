// SPDX-License-Identifier: Apache-2.0
/// A network while it is lowered to a device: its slots, what is constant, and how steps launch.
#ifndef QUANTAL_RUNTIME_CUDA_BUILDER_HPP
#define QUANTAL_RUNTIME_CUDA_BUILDER_HPP

#include <quantal/kernel/cuda/each.hpp>
#include <quantal/kernel/cuda/window_rows.hpp>
#include <quantal/runtime/cuda/frame.hpp>
#include <quantal/runtime/integer_network.hpp>

namespace quantal {
inline namespace v0 {
namespace cuda {

/// The blocks of a grid in which `count` elements are shared, `each` a block.
[[nodiscard]] inline grid_index shared_grid(std::int64_t count, int each) {
    constexpr std::int64_t most = 65535;
    return {static_cast<int>(std::clamp<std::int64_t>((count + each - 1) / each, 1, most)), 1};
}

/// `f(i)` for `count` elements.
template <class F>
void launch_each(const frame& at, std::int64_t count, const F& f,
                 const std::vector<host::array>& arrays) {
    using body = each_kernel<F>;
    at.on.launch(body{count, f}, shared_grid(count, body::threads), arrays);
}

/// Throws `graph_error` for nodes that the kernels do not take.
class builder {
public:
    builder(const integer_network& n, int device, int compute_capability)
        : source_(n), device_(device), compute_capability_(compute_capability), on_(device) {
        for (value v = 0; v < plan().net.size(); ++v)
            slots_.push_back(slot_of(v));
        for (const node& each : plan().net.nodes())
            kernels_.emplace_back(op::name(each.op));
    }

    [[nodiscard]] const integer_network& source() const { return source_; }
    [[nodiscard]] const quantal::plan& plan() const { return source_.plan(); }
    [[nodiscard]] const std::vector<slot>& slots() const { return slots_; }

    /// The codes of value `v` as bytes: all that its spec has.
    [[nodiscard]] quantal::output_codes codes(value v) const {
        const qparams& p = *slots_[v].codes;
        const std::int32_t qmin = p.spec.qmin();
        return {p.scale(), p.zero_point() - qmin, 0, p.spec.qmax() - qmin};
    }
    /// Those that its node puts out, with its activation.
    [[nodiscard]] quantal::output_codes output_codes(value v) const {
        const std::int32_t qmin = slots_[v].codes->spec.qmin();
        const auto y = lower_output(plan(), source_.table(), v);
        return {y.scale, y.zero_point - qmin, y.lo - qmin, y.hi - qmin};
    }
    [[nodiscard]] int compute_capability() const { return compute_capability_; }
    /// What node `v` is lowered to, where its operator does not say it.
    void took(value v, std::string kernel) { kernels_[v] = std::move(kernel); }
    [[nodiscard]] const std::vector<std::string>& kernels() const { return kernels_; }

    template <class T>
    [[nodiscard]] constant<T> constant_of(const std::vector<T>& values) {
        return {on_, device_, std::span(values)};
    }

    /// The windows that node `v` of operator `o` sees of value `x`, as a function of a frame.
    template <class Op>
    [[nodiscard]] auto rows(const Op& o, value x, value v) const {
        const auto win = reference::window_of(o, slots_[x].shape, slots_[v].shape);
        return [=, pitch = slots_[x].pitch, zero = codes(x).zero_point](const frame& at) {
            return rows_of(win, at.at<const std::uint8_t>(x).data(), at.images, pitch, zero);
        };
    }

private:
    [[nodiscard]] slot slot_of(value v) const {
        const node& n = plan().at(v);
        const role& r = plan().roles[v];
        const image_shape shape = n.shape;
        if (r.in_float || r.has_real_bias() || (!r.has_codes() && !n.has_weight()))
            quantal::detail::fail<graph_error>("layer \"", n.name,
                                               "\" computes with reals; CUDA's kernels take codes");
        if (!r.has_codes()) {
            if (n.activation)
                quantal::detail::fail<graph_error>(
                    "layer \"", n.name,
                    "\" has an activation of reals; CUDA's kernels take one of codes");
            return {shape, shape.channels, sizeof(float), {}};
        }
        const qparams& p = activation_params(plan(), source_.table(), v);
        if (p.spec.bits > 8)
            quantal::detail::fail<graph_error>("layer \"", n.name, "\" has codes of ", p.spec.bits,
                                               " bits; CUDA's kernels take 1 to 8");
        return {shape, (shape.channels + 15) / 16 * 16, 1, p};
    }

    const integer_network& source_;
    int device_, compute_capability_;
    queue on_;
    std::vector<slot> slots_;
    std::vector<std::string> kernels_;
};

} // namespace cuda
} // namespace v0
} // namespace quantal

#endif
