// SPDX-License-Identifier: Apache-2.0
/// Fake quantizers with gradients. Forward they give the bits of docs/arithmetic.md, so that what
/// is trained is what is deployed; forward and backward are one pass each, on LibTorch's threads,
/// with the same bits for any number of them, or on a CUDA device (where.hpp).
///
/// `x` is float32 on the CPU or such a device. Parameters lie there too, and are float32 with one
/// element, or, for specs with one scale a channel of dimension 0, one a channel. All throw
/// `data_error`, `shape_error` or `spec_error` for anything else. train/learned.hpp has the
/// formulas, and `learned_params`, which makes the parameters of a table from those of training.
/// Gradients cannot be differentiated again.
///
/// LSQ forward and backward, against the chain of div, clamp, round and mul that LibTorch
/// differentiates: 6.7 to 8.4 times as fast with AVX-512, 4.3 to 6.8 times with SSE2 (activations
/// 128x64x32x32 at 4 bits, weights 512x512x3x3 at 4 bits per channel; 1 and 2 threads of a Zen 5,
/// medians, memory reused: a chain that has to fetch new pages for what lies between is slower).
#ifndef QUANTAL_TORCH_FAKE_QUANTIZE_HPP
#define QUANTAL_TORCH_FAKE_QUANTIZE_HPP

#include <quantal/torch/where.hpp>
#include <quantal/train/learned.hpp>

#include <torch/csrc/autograd/custom_function.h>

namespace quantal {
inline namespace v0 {
namespace torch {

namespace detail {

namespace autograd = ::torch::autograd;

/// Throws `spec_error` for specs that have more than one scale a row.
inline void check_rows(qspec s) {
    check(s);
    if (s.grain == granularity::per_group || s.axis != 0)
        quantal::detail::fail<spec_error>("a fake quantizer of training has the spec \"", s,
                                          "\"; it has one scale, or one a channel of dimension 0");
}

/// `x` without gaps, and with the elements of a row together. With one row any order will do, and
/// that of x stays: convolutions and batch norms are faster channels last.
[[nodiscard]] inline at::Tensor dense_rows(const at::Tensor& x, const qspec& s) {
    const bool stays = s.grain == granularity::per_tensor && x.is_non_overlapping_and_dense();
    return stays ? x : x.contiguous();
}
/// `g` in the order of memory of `x`, which has the same shape.
[[nodiscard]] inline at::Tensor in_order_of(const at::Tensor& x, const at::Tensor& g) {
    return g.strides() == x.strides() ? g : at::empty_like(x).copy_(g);
}

/// A spec in a list of numbers and back: what a graph of gradients can keep.
[[nodiscard]] inline std::vector<std::int64_t> packed(qspec s) {
    return {s.bits, static_cast<int>(s.kind), static_cast<int>(s.grain), s.power_of_two};
}
[[nodiscard]] inline qspec unpacked(const std::vector<std::int64_t>& s) {
    return {.bits = static_cast<int>(s[0]),
            .kind = static_cast<scheme>(s[1]),
            .grain = static_cast<granularity>(s[2]),
            .power_of_two = s[3] != 0};
}

/// The shape of a tensor on any device.
[[nodiscard]] inline extents shape_of(const at::Tensor& t) {
    return extents(std::span(t.sizes().data(), t.sizes().size()));
}

/// A fake quantizer by the rule of train/learned.hpp, with one or two parameters a row. `Where`
/// says who computes; what has to do with rows alone is done on the host.
template <class Rule, class Where = by_device>
struct learned : autograd::Function<learned<Rule, Where>> {
    static at::Tensor forward(autograd::AutogradContext* context, const at::Tensor& x,
                              const at::Tensor& first, const at::Tensor& second, qspec s) {
        check_rows(s);
        const at::Tensor dense = dense_rows(x, s);
        const autograd::variable_list saved{dense, first.contiguous().cpu(),
                                            second.contiguous().cpu()};
        context->saved_data["spec"] = packed(s);
        context->save_for_backward(saved);
        const qparams p = params(saved, s);
        at::Tensor y = at::empty_like(dense);
        Where::run(dense, [&](const auto& where) { where.fake_quantize(dense, p, y); });
        return y;
    }

    static autograd::variable_list backward(autograd::AutogradContext* context,
                                            const autograd::variable_list& gradients) {
        const qspec s = unpacked(context->saved_data["spec"].toIntVector());
        const autograd::variable_list saved = context->get_saved_variables();
        const at::Tensor gy = in_order_of(saved[0], gradients[0]);
        at::Tensor gx = at::empty_like(saved[0]);
        const auto sums = Where::run(saved[0], [&](const auto& where) {
            return where.fake_quantize_gradient(saved[0], gy, params(saved, s), gx);
        });
        if constexpr (std::same_as<Rule, train::straight_through>)
            return {gx, at::Tensor(), at::Tensor(), at::Tensor()};
        else
            return parameter_gradients(saved, s, sums, gx);
    }

private:
    [[nodiscard]] static qparams params(const autograd::variable_list& saved, qspec s) {
        qparams p = train::learned_params<Rule>(s, dense_values(saved[1]), dense_values(saved[2]));
        check(p, shape_of(saved[0]), "a fake quantizer");
        return p;
    }
    static autograd::variable_list
    parameter_gradients(const autograd::variable_list& saved, qspec s,
                        const std::vector<train::gradient_sums>& sums, const at::Tensor& gx) {
        at::Tensor first = at::empty_like(saved[1]), second = at::empty_like(saved[2]);
        const auto a = dense_values(saved[1]), b = dense_values(saved[2]);
        const auto count = static_cast<std::size_t>(gx.numel()) / sums.size();
        for (std::size_t row = 0; row < sums.size(); ++row) {
            const auto g = Rule::gradient(s, sums[row], count, a[row], b[row]);
            dense_values(first)[row] = static_cast<float>(g.first);
            dense_values(second)[row] = static_cast<float>(g.second);
        }
        return {gx, first.to(gx.device()), second.to(gx.device()), at::Tensor()};
    }
};

template <class Where = by_device>
struct dorefa : autograd::Function<dorefa<Where>> {
    static at::Tensor forward(autograd::AutogradContext* context, const at::Tensor& w, qspec s) {
        check_rows(s);
        const at::Tensor dense = w.contiguous();
        Where::run(dense, [&](const auto& where) { where.check(dense); });
        const std::size_t rows = slicing_of(s, shape_of(dense)).slices;
        const qparams p = train::dorefa_params(s, rows);
        const at::Tensor t = at::tanh(dense);
        context->save_for_backward({t});
        at::Tensor y = at::empty_like(t);
        Where::run(t, [&](const auto& where) { where.dorefa(t, p, y); });
        return y;
    }
    static autograd::variable_list backward(autograd::AutogradContext* context,
                                            const autograd::variable_list& gradients) {
        const at::Tensor t = context->get_saved_variables()[0];
        const at::Tensor gy = gradients[0].contiguous();
        at::Tensor gw = at::empty_like(t);
        Where::run(t, [&](const auto& where) { where.dorefa_gradient(t, gy, gw); });
        return {gw, at::Tensor()};
    }
};

} // namespace detail

/// Given scales and zero points; the gradient of x passes where x lies strictly between the ends
/// of the codes.
[[nodiscard]] inline at::Tensor straight_through(const at::Tensor& x, const at::Tensor& scale,
                                                 const at::Tensor& zero_point, const qspec& s) {
    return detail::learned<train::straight_through>::apply(x, scale, zero_point.to(at::kFloat), s);
}

/// Learned step size (Esser et al. 2020). The scale is the parameter's magnitude.
[[nodiscard]] inline at::Tensor lsq(const at::Tensor& x, const at::Tensor& scale, const qspec& s) {
    return detail::learned<train::lsq>::apply(x, scale, at::zeros_like(scale), s);
}

/// Learned step size and offset (Bhalgat et al. 2020). `offset` is a real number: the zero point is
/// `-offset / scale`, rounded and clamped.
[[nodiscard]] inline at::Tensor lsq_plus(const at::Tensor& x, const at::Tensor& scale,
                                         const at::Tensor& offset, const qspec& s) {
    return detail::learned<train::lsq_plus>::apply(x, scale, offset, s);
}

/// A learned bound (Choi et al. 2018): affine codes hold [0, alpha], symmetric ones
/// [-alpha, alpha].
[[nodiscard]] inline at::Tensor pact(const at::Tensor& x, const at::Tensor& alpha, const qspec& s) {
    return detail::learned<train::pact>::apply(x, alpha, at::zeros_like(alpha), s);
}

/// Weights squashed into [-1, 1] (Zhou et al. 2016); symmetric specs, every scale is `1 / qmax`.
[[nodiscard]] inline at::Tensor dorefa_weight(const at::Tensor& w, const qspec& s) {
    return detail::dorefa<>::apply(w, s);
}

} // namespace torch
} // namespace v0
} // namespace quantal

#endif
