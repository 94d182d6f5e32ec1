// SPDX-License-Identifier: Apache-2.0
/// Random operands of a matrix product, and its outputs by plain loops over the formulas of arith/.
#ifndef QUANTAL_TESTS_OPS_GEMM_CASE_HPP
#define QUANTAL_TESTS_OPS_GEMM_CASE_HPP

#include <quantal/arith/requantize.hpp>
#include <quantal/tensor/qtensor.hpp>

#include <random>

namespace support {

inline int pick(std::mt19937& g, int lo, int hi) {
    return std::uniform_int_distribution<>(lo, hi)(g);
}

/// Random codes, or nothing but the extremes of the spec; every slice has parameters of its own.
inline quantal::any_qtensor random_codes(std::mt19937& g, quantal::qspec s,
                                         const quantal::extents& shape, bool extreme = false) {
    quantal::qparams p{s, {}, {}};
    for (std::size_t i = 0; i < quantal::slicing_of(s, shape).slices; ++i) {
        const int zero = extreme ? s.qmin() : pick(g, s.qmin(), s.qmax());
        p.zero_points.push_back(s.is_symmetric() ? 0 : zero);
        p.scales.push_back(std::uniform_real_distribution<float>(0.001f, 0.01f)(g));
    }
    std::vector<std::int32_t> codes(shape.count());
    for (auto& q : codes)
        q = extreme ? (pick(g, 0, 9) ? s.qmax() : s.qmin()) : pick(g, s.qmin(), s.qmax());
    return {p, shape, codes};
}

/// Operands of `y = x * w^T`, and what the formulas of docs/arithmetic.md make of them.
struct gemm_case {
    quantal::any_qtensor x, w;
    std::vector<float> bias; ///< [N]
    bool has_activation = false;
    float lo = 0.0f, hi = 0.0f;

    [[nodiscard]] std::int64_t rows() const { return x.shape()[0]; }
    [[nodiscard]] std::int64_t columns() const { return w.shape()[0]; }
    [[nodiscard]] std::int64_t depth() const { return x.shape()[1]; }
    [[nodiscard]] bool is_grouped() const { return w.spec().grain == quantal::per_group; }

    /// Calls `f(row, column, i)` for the elements of y in order.
    template <class F>
    void for_each(F&& f) const {
        for (std::int64_t row = 0, i = 0; row < rows(); ++row)
            for (std::int64_t column = 0; column < columns(); ++column, ++i)
                f(row, column, static_cast<std::size_t>(i));
    }
    [[nodiscard]] std::size_t slice(std::int64_t column, std::int64_t k) const {
        return quantal::slicing_of(w.spec(),
                                   w.shape())(static_cast<std::size_t>(column * depth() + k));
    }
    [[nodiscard]] float w_scale(std::int64_t column, std::int64_t k = 0) const {
        return depth() > 0 ? w.params().scale(slice(column, k))
               : w.spec().grain == quantal::per_tensor
                   ? w.params().scale()
                   : w.params().scale(static_cast<std::size_t>(column));
    }
    [[nodiscard]] float bias_of(std::int64_t column) const {
        return bias.empty() ? 0.0f : bias[static_cast<std::size_t>(column)];
    }
    [[nodiscard]] std::int64_t term(std::int64_t row, std::int64_t column, std::int64_t k) const {
        const auto i = static_cast<std::size_t>(row * depth() + k);
        const auto j = static_cast<std::size_t>(column * depth() + k);
        return std::int64_t{x.code(i) - x.params().zero_point()} *
               (w.code(j) - w.params().zero_point(slice(column, k)));
    }

    /// One integer sum, the code of the bias included.
    [[nodiscard]] std::int64_t sum(std::int64_t row, std::int64_t column) const {
        std::int64_t acc =
            quantal::arith::bias_code(bias_of(column), x.params().scale(), w_scale(column));
        for (std::int64_t k = 0; k < depth(); ++k)
            acc += term(row, column, k);
        return acc;
    }
    [[nodiscard]] float activated(float y) const {
        return has_activation ? quantal::arith::clamp(y, lo, hi) : y;
    }
    [[nodiscard]] float real(std::int64_t row, std::int64_t column) const {
        using namespace quantal;
        if (!is_grouped())
            return activated(arith::product(static_cast<float>(sum(row, column)),
                                            arith::product(x.params().scale(), w_scale(column))));
        float y = bias_of(column);
        const std::int64_t group = w.spec().group_size;
        for (std::int64_t first = 0; first < depth(); first += group) {
            std::int64_t acc = 0;
            for (std::int64_t k = first; k < std::min(first + group, depth()); ++k)
                acc += term(row, column, k);
            y = arith::add_group(y, acc,
                                 arith::product(x.params().scale(), w_scale(column, first)));
        }
        return activated(y);
    }
    [[nodiscard]] std::int32_t code(std::int64_t row, std::int64_t column,
                                    const quantal::qparams& y) const {
        using namespace quantal;
        if (is_grouped()) return y.quantize(real(row, column));
        return arith::requantize(
            sum(row, column),
            arith::requantize_multiplier(x.params().scale(), w_scale(column), y.scale()),
            y.zero_point(), has_activation ? y.quantize(lo) : y.spec.qmin(),
            has_activation ? y.quantize(hi) : y.spec.qmax());
    }

    [[nodiscard]] std::vector<std::int64_t> sums() const {
        std::vector<std::int64_t> y;
        for_each([&](auto row, auto column, auto) { y.push_back(sum(row, column)); });
        return y;
    }
    [[nodiscard]] std::vector<float> reals() const {
        std::vector<float> y;
        for_each([&](auto row, auto column, auto) { y.push_back(real(row, column)); });
        return y;
    }
    [[nodiscard]] quantal::any_qtensor codes(const quantal::qparams& params) const {
        std::vector<std::int32_t> y;
        for_each([&](auto row, auto column, auto) { y.push_back(code(row, column, params)); });
        return {params, {rows(), columns()}, y};
    }
};

} // namespace support

#endif
