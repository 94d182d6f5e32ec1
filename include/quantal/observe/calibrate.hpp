// SPDX-License-Identifier: Apache-2.0
/// From observed ranges to scales and zero points: the only maker of scales
/// (docs/arithmetic.md, 2 and 5).
#ifndef QUANTAL_OBSERVE_CALIBRATE_HPP
#define QUANTAL_OBSERVE_CALIBRATE_HPP

#include <quantal/arith/requantize.hpp>
#include <quantal/observe/observer.hpp>
#include <quantal/tensor/qparams.hpp>
#include <quantal/tensor/tensor.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <string>
#include <vector>

namespace quantal {
inline namespace v0 {

/// What to do with NaN and infinity in the data.
enum class nonfinite {
    refuse, ///< an error that names the tensor
    skip,   ///< left out, counted in a note
};

/// Things worth knowing that calibration did: degenerate channels, raised scales, skipped values.
using notes = std::vector<std::string>;

namespace detail {

template <class... Parts>
void add_note(notes* list, const Parts&... parts) {
    if (!list) return;
    std::ostringstream text;
    (text << ... << parts);
    list->push_back(text.str());
}

/// Whether every value is finite; written so that the compiler can vectorize it.
[[nodiscard]] inline bool all_finite(std::span<const float> values) {
    constexpr std::uint32_t exponent = 0x7f800000u; // all ones: infinity or NaN
    std::uint32_t found = 0;
    for (const float v : values)
        found |= (std::bit_cast<std::uint32_t>(v) & exponent) == exponent ? 1u : 0u;
    return found == 0;
}

/// The largest of the scales that belong to no degenerate slice, or 1.
[[nodiscard]] inline float stand_in_scale(const std::vector<float>& scales,
                                          const std::vector<bool>& degenerate) {
    float largest = 0.0f;
    for (std::size_t i = 0; i < scales.size(); ++i)
        if (!degenerate[i]) largest = std::max(largest, scales[i]);
    return largest > 0.0f ? largest : 1.0f;
}

} // namespace detail

/// Scales and zero points of `spec` for one range a slice. Symmetric: `amax / qmax`, zero point 0.
/// Affine: the range is widened to hold 0, `(hi - lo) / (qmax - qmin)`. Powers of two: the next one
/// up. A slice of nothing but zeros takes the largest scale of the others (1 if there is none),
/// which is noted.
[[nodiscard]] inline qparams make_qparams(qspec spec, std::span<const range> ranges,
                                          const std::string& name, notes* list = nullptr) {
    check(spec);
    qparams result{spec, {}, {}};
    std::vector<bool> degenerate;
    for (const range& r : ranges) {
        if (!(std::isfinite(r.lo) && std::isfinite(r.hi) && r.lo <= r.hi))
            detail::fail<data_error>("the observer of \"", name, "\" gives the range [", r.lo, ", ",
                                     r.hi, "]; a range is finite and not empty");
        const float lo = std::min(r.lo, 0.0f);
        const float hi = std::max(r.hi, 0.0f);
        float scale = spec.is_symmetric() ? arith::symmetric_scale(std::max(-lo, hi), spec.qmax())
                                          : arith::affine_scale(lo, hi, spec.qmin(), spec.qmax());
        if (spec.power_of_two) scale = arith::power_of_two_scale(scale);
        degenerate.push_back(lo == 0.0f && hi == 0.0f);
        result.scales.push_back(scale);
        result.zero_points.push_back(
            spec.is_symmetric() ? 0
                                : arith::affine_zero_point(lo, scale, spec.qmin(), spec.qmax()));
    }
    const auto zeros = std::count(degenerate.begin(), degenerate.end(), true);
    if (zeros == 0) return result;
    const float scale = detail::stand_in_scale(result.scales, degenerate);
    for (std::size_t i = 0; i < degenerate.size(); ++i)
        if (degenerate[i]) result.scales[i] = scale;
    detail::add_note(list, name, ": ", zeros, " of ", degenerate.size(),
                     " slices are all zero and take the scale ", scale);
    return result;
}

/// The parameters of values that are met only while a network runs, from the range of those of them
/// that are finite: infinities clamp and NaN becomes 0, as in any tensor.
[[nodiscard]] inline qparams dynamic_params(qspec spec, std::span<const float> values) {
    range seen{};
    for (const float v : values) {
        if (!std::isfinite(v)) continue;
        seen.lo = std::min(seen.lo, v);
        seen.hi = std::max(seen.hi, v);
    }
    return make_qparams(spec, {&seen, 1}, "dynamic input");
}

/// The observers of one tensor: one a slice of its spec, and what they skipped.
template <observer O>
class tensor_observer {
public:
    tensor_observer(qspec spec, O prototype, std::string name, nonfinite policy = nonfinite::refuse)
        : spec_(spec), prototype_(std::move(prototype)), name_(std::move(name)), policy_(policy) {
        check(spec);
    }

    /// One update with `data`. Throws `data_error` for empty data, and for NaN or infinity unless
    /// they are skipped; `shape_error` if the number of slices changes.
    void observe(view<const float> data) {
        if (data.shape().count() == 0)
            detail::fail<data_error>("\"", name_, "\" is empty (shape ", data.shape(),
                                     "); calibration needs data");
        const slicing slice_of = slicing_of(spec_, data.shape());
        if (observers_.empty()) observers_.assign(slice_of.slices, prototype_);
        if (observers_.size() != slice_of.slices)
            detail::fail<shape_error>("\"", name_, "\" had ", observers_.size(),
                                      " slices and now has the shape ", data.shape());
        seen_.resize(slice_of.slices);
        if (slice_of.slices == 1 && data.is_dense()) return update(0, data.values());
        std::vector<std::vector<float>> slices(slice_of.slices);
        data.for_each([&](float v, std::size_t i) { slices[slice_of(i)].push_back(v); });
        for (std::size_t i = 0; i < slices.size(); ++i)
            update(i, slices[i]);
    }

    [[nodiscard]] const std::vector<O>& observers() const { return observers_; }

    /// Scales and zero points for all that was observed; throws `data_error` if that is nothing.
    [[nodiscard]] qparams params(notes* list = nullptr) const {
        if (observers_.empty())
            detail::fail<data_error>("\"", name_, "\" was never observed; calibration needs data");
        if (skipped_ > 0)
            detail::add_note(list, name_, ": ", skipped_,
                             " values are not finite and were skipped");
        std::vector<range> ranges;
        for (std::size_t i = 0; i < observers_.size(); ++i)
            ranges.push_back(seen_[i] ? range_of(observers_[i], spec_) : range{});
        return make_qparams(spec_, ranges, name_, list);
    }

private:
    void update(std::size_t slice, std::span<const float> values) {
        if (detail::all_finite(values)) return observe_slice(slice, values);
        const auto is_finite = [](float v) { return std::isfinite(v); };
        if (policy_ == nonfinite::refuse) {
            const auto bad = std::find_if_not(values.begin(), values.end(), is_finite);
            detail::fail<data_error>("\"", name_, "\" holds the value ", *bad, " at element ",
                                     bad - values.begin(), " of slice ", slice,
                                     "; calibration takes finite values, unless told to skip "
                                     "others");
        }
        std::vector<float> kept;
        std::copy_if(values.begin(), values.end(), std::back_inserter(kept), is_finite);
        skipped_ += values.size() - kept.size();
        if (!kept.empty()) observe_slice(slice, kept);
    }
    void observe_slice(std::size_t slice, std::span<const float> values) {
        observers_[slice].observe(values);
        seen_[slice] = true;
    }

    qspec spec_;
    O prototype_;
    std::string name_;
    nonfinite policy_;
    std::vector<O> observers_;
    std::vector<bool> seen_;
    std::size_t skipped_ = 0;
};

/// Observes `data` once and makes the parameters.
template <observer O>
[[nodiscard]] qparams calibrate(qspec spec, view<const float> data, const O& prototype,
                                const std::string& name = "tensor", notes* list = nullptr,
                                nonfinite policy = nonfinite::refuse) {
    tensor_observer<O> observers(spec, prototype, name, policy);
    observers.observe(data);
    return observers.params(list);
}

/// Doubles the weight scale of each output channel until its bias code fits
/// (`|rne(b / (s_x * s_w))| <= 2^30`), and notes it. `bias` has one value a channel.
inline void raise_scales_for_bias(qparams& weights, std::span<const float> bias, float x_scale,
                                  const std::string& name, notes* list = nullptr) {
    const bool one_scale = weights.scales.size() == 1;
    for (std::size_t c = 0; c < bias.size(); ++c) {
        float& scale = weights.scales[one_scale ? 0 : c];
        const float before = scale;
        if (!std::isfinite(bias[c]))
            detail::fail<data_error>("\"", name, "\" has the bias ", bias[c], " in channel ", c,
                                     "; biases are finite");
        while (!arith::bias_fits(bias[c], x_scale, scale))
            scale *= 2.0f;
        if (!std::isfinite(scale))
            detail::fail<data_error>("\"", name, "\" has the bias ", bias[c], " in channel ", c,
                                     "; with the input's scale ", x_scale,
                                     " no finite weight scale makes its code fit");
        if (scale != before)
            detail::add_note(list, name, ": the bias ", bias[c], " of channel ", c,
                             " needs the weight scale ", scale, " instead of ", before);
    }
}

} // namespace v0
} // namespace quantal

#endif
