// SPDX-License-Identifier: Apache-2.0
/// Weights of a matrix product, packed once for any number of uses.
#ifndef QUANTAL_OPS_PREPARED_HPP
#define QUANTAL_OPS_PREPARED_HPP

#include <quantal/arith/requantize.hpp>
#include <quantal/kernel/cpu/dispatch.hpp>
#include <quantal/kernel/cpu/packed_gemm.hpp>
#include <quantal/ops/byte_codes.hpp>
#include <quantal/ops/epilogue.hpp>

#include <cstdlib>
#include <memory>

namespace quantal {
inline namespace v0 {

/// What is known of the activations before there are any.
struct gemm_options {
    int activation_bits = 8; ///< the most that x has (or 16): fewer let narrow weights run faster
    gemm_rows rows = gemm_rows::any;
};

/// The largest K for which no sum of products of these specs, and no bias of up to 2^30, can leave
/// int32, whatever the zero points.
[[nodiscard]] constexpr std::int64_t max_depth(qspec x, qspec w) {
    const auto reach = [](qspec s) -> std::int64_t {
        return s.is_symmetric() ? (s.qmax() > -s.qmin() ? s.qmax() : -s.qmin())
                                : s.qmax() - s.qmin();
    };
    const std::int64_t room = (std::int64_t{1} << 31) - 1 - arith::max_bias;
    return room / (reach(x) * reach(w));
}

/// Packed weights [N, K] of a spec known at run time, with what bounds their sums.
class any_prepared {
public:
    any_prepared(any_qtensor weights, const gemm_options& options, const cpu::kernel_set& kernels)
        : codes_(std::move(weights)), options_(options) {
        check_weights();
        const std::vector<std::int16_t> centred = centre();
        if (columns() > 0 && depth() > 0)
            packed_ = std::make_shared<const cpu::packed_gemm>(
                kernels, cpu::gemm_weights{columns(), depth(), is_grouped(), group(), centred,
                                           u_max(), options.rows});
    }

    [[nodiscard]] const any_qtensor& codes() const { return codes_; }
    [[nodiscard]] const gemm_options& options() const { return options_; }
    [[nodiscard]] std::int64_t columns() const { return codes_.shape()[0]; }
    [[nodiscard]] std::int64_t depth() const { return codes_.shape()[1]; }

    /// Integer sums of an output channel: one, or one a group of its weights. (One group of K
    /// weights is a group too: its sums become reals.)
    [[nodiscard]] bool is_grouped() const { return codes_.spec().grain == per_group; }
    [[nodiscard]] std::int64_t groups() const {
        if (!is_grouped()) return 1;
        return depth() > 0 ? (depth() + group() - 1) / group() : 0;
    }
    /// Weights of a group, the last may have fewer.
    [[nodiscard]] std::int64_t group() const {
        return is_grouped() ? std::min<std::int64_t>(codes_.spec().group_size, depth()) : depth();
    }
    [[nodiscard]] std::size_t slice(std::int64_t column, std::int64_t g) const {
        if (codes_.spec().grain == per_tensor) return 0;
        return static_cast<std::size_t>(column * groups() + g);
    }
    /// Weight (column, k) less its zero point.
    [[nodiscard]] std::int32_t centred(std::int64_t column, std::int64_t k) const {
        return codes_.code(static_cast<std::size_t>(column * depth() + k)) -
               codes_.params().zero_point(slice(column, k / group()));
    }
    /// `sum(w)` and `sum|w|` of a group of a channel, w less its zero point.
    struct sum_of_weights {
        std::int64_t plain, magnitude;
    };
    [[nodiscard]] const sum_of_weights& sum(std::int64_t column, std::int64_t g) const {
        return sums_[static_cast<std::size_t>(column * groups() + g)];
    }
    /// Null if there are no weights.
    [[nodiscard]] const cpu::packed_gemm* packed() const { return packed_.get(); }

private:
    void check_weights() const {
        const qspec s = codes_.spec();
        if (codes_.shape().rank() != 2)
            detail::fail<shape_error>("the weights of a matrix product have the shape ",
                                      codes_.shape(), "; [N, K] is needed");
        if (s.bits > 8)
            detail::fail<spec_error>("weights of \"", s,
                                     "\" were given to a matrix product; it takes 1 to 8 bits");
        if (s.grain == per_channel && s.axis != 0)
            detail::fail<spec_error>("weights of \"", s, "\" were given to a matrix product; ",
                                     "their channels are those of axis 0");
    }
    [[nodiscard]] std::int32_t u_max() const {
        return (1 << std::min(options_.activation_bits, 8)) - 1;
    }
    std::vector<std::int16_t> centre() {
        std::vector<std::int16_t> result(codes_.size());
        sums_.resize(static_cast<std::size_t>(columns() * groups()));
        const std::vector<std::uint8_t> bytes = detail::to_bytes(codes_);
        std::size_t i = 0;
        for (std::int64_t column = 0; column < columns(); ++column)
            for (std::int64_t g = 0; g < groups(); ++g) {
                const std::int32_t zero =
                    codes_.params().zero_point(slice(column, g)) - codes_.spec().qmin();
                std::int64_t plain = 0, magnitude = 0;
                const std::int64_t count = std::min(group(), depth() - g * group());
                for (const std::size_t end = i + static_cast<std::size_t>(count); i < end; ++i) {
                    const std::int32_t w = bytes[i] - zero;
                    plain += w;
                    magnitude += std::abs(w);
                    result[i] = static_cast<std::int16_t>(w);
                }
                sums_[static_cast<std::size_t>(column * groups() + g)] = {plain, magnitude};
            }
        return result;
    }

    any_qtensor codes_;
    gemm_options options_;
    std::vector<sum_of_weights> sums_; ///< [columns][groups]
    std::shared_ptr<const cpu::packed_gemm> packed_;
};

/// The same with the spec in the type.
template <qspec W>
class prepared : public any_prepared {
    static_assert(W.bits <= 8, "quantal: a matrix product takes weights of 1 to 8 bits");
    static_assert(W.grain != per_channel || W.axis == 0,
                  "quantal: the channels of a matrix product's weights are those of axis 0");

public:
    prepared(const qtensor<W>& weights, const gemm_options& options, const cpu::kernel_set& kernels)
        : any_prepared(weights, options, kernels) {}
};

/// Packs weights [N, K] of 1 to 8 bits. Throws `shape_error` or `spec_error` for others.
[[nodiscard]] inline any_prepared prepare(const any_qtensor& weights,
                                          const gemm_options& options = {},
                                          const cpu::kernel_set& kernels = cpu::default_kernels()) {
    return {weights, options, kernels};
}
template <qspec W>
[[nodiscard]] prepared<W> prepare(const qtensor<W>& weights, const gemm_options& options = {},
                                  const cpu::kernel_set& kernels = cpu::default_kernels()) {
    return {weights, options, kernels};
}

} // namespace v0
} // namespace quantal

#endif
