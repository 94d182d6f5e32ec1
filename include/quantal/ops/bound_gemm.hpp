// SPDX-License-Identifier: Apache-2.0
/// A matrix product that is ready to run: weights, the activations' parameters and an epilogue
/// bound together. What a loop uses; `gemm` makes one for each call.
#ifndef QUANTAL_OPS_BOUND_GEMM_HPP
#define QUANTAL_OPS_BOUND_GEMM_HPP

#include <quantal/ops/gemm_terms.hpp>
#include <quantal/runtime/thread_pool.hpp>

namespace quantal {
inline namespace v0 {

/// Takes and gives bytes `q - qmin`, of activations and outputs of up to 8 bits; refers to nothing
/// but `w`, which has to outlive it. One `run` at a time.
class bound_gemm {
public:
    /// Throws `spec_error` or `shape_error` for what cannot be multiplied exactly: sums that may
    /// leave int32, a bias that does not fit, activations of more bits than `w` is prepared for.
    template <class Out = reals>
    bound_gemm(const any_prepared& w, const qparams& x, const epilogue<Out>& e = {})
        : bound_gemm(w, x, detail::terms_of(e)) {}

    bound_gemm(const any_prepared& w, const qparams& x, detail::gemm_terms terms)
        : weights_(w.packed()), terms_(std::move(terms)) {
        if (x.spec.bits > std::min(w.options().activation_bits, 8))
            detail::fail<spec_error>("activations of \"", x.spec,
                                     "\" were given to weights that "
                                     "are prepared for ",
                                     w.options().activation_bits, " bits");
        if (!weights_)
            detail::fail<shape_error>("weights of shape ", w.codes().shape(), " have no product");
        detail::bind_terms(terms_, w, x);
        if (terms_.kind == detail::gemm_output::codes && terms_.y.spec.bits > 8)
            detail::fail<spec_error>("outputs of \"", terms_.y.spec, "\" are no bytes");
        set_rule();
        set_constants(w, x.zero_point() - x.spec.qmin());
    }

    /// How so many rows are computed, for people.
    [[nodiscard]] std::string describe(std::int64_t rows) const { return weights_->describe(rows); }

    /// `y [rows, N]` of `x [rows, K]`, dense. y is int32 sums, floats, or bytes, as the epilogue
    /// says.
    void run(const std::uint8_t* x, std::int64_t rows, void* y) {
        const cpu::gemm_call call{rows, x, y, &constants_};
        reserve(rows, 1);
        for (std::size_t task = 0; task < weights_->task_count(rows, 1); ++task)
            weights_->run_task(task, 1, call, workspace_.data());
    }
    /// The same on several threads; the bits do not depend on how many.
    void run(const std::uint8_t* x, std::int64_t rows, void* y, parallel_ref threads) {
        const cpu::gemm_call call{rows, x, y, &constants_};
        const std::size_t workers = threads.workers();
        const std::size_t each = reserve(rows, workers);
        auto task = [&](std::size_t i, std::size_t worker) {
            weights_->run_task(i, workers, call, workspace_.data() + worker * each);
        };
        threads.run(weights_->task_count(rows, workers), task);
    }

private:
    /// Returns the bytes that each worker has.
    std::size_t reserve(std::int64_t rows, std::size_t workers) {
        const std::size_t each = cpu::whole_lines(weights_->workspace_bytes(rows));
        if (workspace_.size() < each * workers) workspace_.resize(each * workers);
        return each;
    }

    void set_rule() {
        using cpu::output_kind;
        using detail::gemm_output;
        cpu::finish_rule& rule = constants_.rule;
        rule.kind = terms_.kind == gemm_output::codes   ? output_kind::codes
                    : terms_.kind == gemm_output::reals ? output_kind::reals
                                                        : output_kind::sums;
        if (rule.kind != output_kind::codes) return;
        const qparams& y = terms_.y;
        const std::int32_t qmin = y.spec.qmin();
        rule.codes = {y.zero_point() - qmin, terms_.lo - qmin, terms_.hi - qmin};
        constants_.y_scale = y.scale();
    }

    void set_constants(const any_prepared& w, std::int32_t zero_byte) {
        cpu::gemm_constants& k = constants_;
        const auto padded = static_cast<std::size_t>(weights_->padded_columns());
        const auto groups = static_cast<std::size_t>(w.groups());
        k.start.resize(groups * padded);
        k.multipliers.resize(groups * padded);
        if (w.is_grouped()) {
            k.real_bias.resize(padded);
            std::copy(terms_.real_bias.begin(), terms_.real_bias.end(), k.real_bias.begin());
            // What is quantized from reals is clipped as reals; its codes are all of the spec's.
            if (terms_.kind == detail::gemm_output::codes)
                k.rule.codes = {k.rule.codes.zero_point, 0,
                                terms_.y.spec.qmax() - terms_.y.spec.qmin()};
        }
        k.has_bounds =
            terms_.has_activation && (w.is_grouped() || terms_.kind == detail::gemm_output::reals);
        k.lo = terms_.bounds.lo;
        k.hi = terms_.bounds.hi;
        for (std::size_t c = 0; c < terms_.bias.size(); ++c)
            for (std::size_t g = 0; g < groups; ++g) {
                const auto& sum = w.sum(static_cast<std::int64_t>(c), static_cast<std::int64_t>(g));
                const std::size_t place = g * padded + c;
                k.start[place] = static_cast<std::int32_t>(
                    static_cast<std::uint32_t>(terms_.bias[c]) -
                    static_cast<std::uint32_t>(zero_byte) * static_cast<std::uint32_t>(sum.plain));
                k.multipliers[place] = terms_.multipliers[c * groups + g];
            }
    }

    const cpu::packed_gemm* weights_;
    detail::gemm_terms terms_;
    cpu::gemm_constants constants_;
    cpu::aligned_vector<std::byte> workspace_;
};

} // namespace v0
} // namespace quantal

#endif
