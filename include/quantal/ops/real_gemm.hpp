// SPDX-License-Identifier: Apache-2.0
/// The matrix product of float activations and integer weights (docs/arithmetic.md, 14):
///
///     auto y = gemm(x, prepare_for_reals(w), chain(bias{b}, relu{}));
#ifndef QUANTAL_OPS_REAL_GEMM_HPP
#define QUANTAL_OPS_REAL_GEMM_HPP

#include <quantal/ops/gemm_terms.hpp>
#include <quantal/ops/quantize.hpp>

namespace quantal {
inline namespace v0 {

/// Weights [N, K] of any spec, as the floats that they stand for, in panels.
class real_weights {
public:
    real_weights(const any_qtensor& codes, const cpu::kernel_set& kernels)
        : kernels_(kernels.arrays), shape_(codes.shape()) {
        if (shape_.rank() != 2)
            detail::fail<shape_error>("the weights of a matrix product have the shape ", shape_,
                                      "; [N, K] is needed");
        const tensor<float> reals = dequantize(codes);
        values_.resize(static_cast<std::size_t>(padded_columns() * depth()));
        for (std::int64_t c = 0; c < columns(); ++c)
            for (std::int64_t k = 0; k < depth(); ++k) {
                const std::int64_t first = c / width() * width();
                const std::int64_t place = first * depth() + k * in_memory(first) + c - first;
                values_[static_cast<std::size_t>(place)] =
                    reals[static_cast<std::size_t>(c * depth() + k)];
            }
    }

    [[nodiscard]] std::int64_t columns() const { return shape_[0]; }
    [[nodiscard]] std::int64_t depth() const { return shape_[1]; }
    [[nodiscard]] std::int64_t padded_columns() const {
        return (columns() + width() - 1) / width() * width();
    }

    /// `y[c] = bias[c]`, then `y[c] = rounded(y[c] + rounded(x[k] * w[c][k]))` for ascending k.
    /// `bias` has `padded_columns()` elements, x is dense, y [rows, columns()].
    void multiply(const float* x, std::int64_t rows, const float* bias, float* y) const {
        // As many rows as stay in a second-level cache of 256 KiB while all weights pass by.
        const std::int64_t most =
            std::clamp<std::int64_t>(32768 / std::max<std::int64_t>(depth(), 1), 1, 16) * tile();
        for (std::int64_t row = 0; row < rows; row += most)
            for (std::int64_t c = 0; c < columns(); c += width())
                kernels_.multiply_rounded_panel({x + row * depth(),
                                                 depth(),
                                                 std::min(most, rows - row),
                                                 values_.data() + c * depth(),
                                                 depth(),
                                                 std::min(width(), columns() - c),
                                                 bias + c,
                                                 {},
                                                 y + row * columns() + c,
                                                 columns()});
    }
    void clamp(float* y, std::size_t count, const clip& bounds) const {
        kernels_.clamp_reals(y, count, bounds.lo, bounds.hi, y);
    }

private:
    [[nodiscard]] std::int64_t width() const { return kernels_.real_columns; }
    [[nodiscard]] std::int64_t tile() const { return kernels_.real_rows; }
    /// Columns of a panel in memory: whole registers.
    [[nodiscard]] std::int64_t in_memory(std::int64_t first) const {
        const std::int64_t lanes = width() / cpu::real_panel_registers;
        return columns() - first > lanes ? width() : lanes;
    }

    const cpu::array_kernels& kernels_;
    extents shape_;
    cpu::aligned_vector<float> values_;
};

/// Weights [N, K] for `gemm` with float activations. They are kept as floats.
[[nodiscard]] inline real_weights
prepare_for_reals(const any_qtensor& weights,
                  const cpu::kernel_set& kernels = cpu::default_kernels()) {
    return {weights, kernels};
}

namespace detail {

[[nodiscard]] inline tensor<float> multiply_reals(view<const float> x, const real_weights& w,
                                                  const gemm_terms& t) {
    if (x.shape().rank() != 2 || x.shape()[1] != w.depth())
        fail<shape_error>("activations of shape ", x.shape(), " meet weights of ", w.columns(),
                          " channels and depth ", w.depth());
    if (!t.real_bias.empty() && std::ssize(t.real_bias) != w.columns())
        fail<shape_error>("a matrix product of ", w.columns(), " channels was given ",
                          t.real_bias.size(), " biases");
    cpu::aligned_vector<float> bias(static_cast<std::size_t>(w.padded_columns()));
    std::copy(t.real_bias.begin(), t.real_bias.end(), bias.begin());
    tensor<float> y({x.shape()[0], w.columns()});
    const tensor<float> dense = x.is_dense() ? tensor<float>() : as_tensor(x);
    w.multiply(x.is_dense() ? x.data() : dense.data(), x.shape()[0], bias.data(), y.data());
    if (t.has_activation) w.clamp(y.data(), y.size(), t.bounds);
    return y;
}

} // namespace detail

/// `y [M, N]` of floats `x [M, K]`: a `tensor<float>`, or codes, `clamp(rne(y / scale) +
/// zero_point)`. Throws `shape_error` if the shapes do not fit.
template <float_tensor Data, class Out = reals>
[[nodiscard]] auto gemm(const Data& x, const real_weights& w, const epilogue<Out>& e = {}) {
    static_assert(!std::is_same_v<Out, sums> && !std::is_same_v<Out, wide_sums>,
                  "quantal: float activations have no integer sums");
    const detail::gemm_terms t = detail::terms_of(e);
    tensor<float> y = view_traits<Data>::apply(
        x, [&](view<const float> values) { return detail::multiply_reals(values, w, t); });
    if constexpr (std::is_same_v<Out, reals>)
        return y;
    else
        return detail::as_output<Out>(quantize(y, t.y));
}

} // namespace v0
} // namespace quantal

#endif
