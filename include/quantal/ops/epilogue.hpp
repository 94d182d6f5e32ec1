// SPDX-License-Identifier: Apache-2.0
/// What happens to the sums of a matrix product: `chain(bias{b}, relu{}, requantize<a8>{scale})`.
#ifndef QUANTAL_OPS_EPILOGUE_HPP
#define QUANTAL_OPS_EPILOGUE_HPP

#include <quantal/tensor/qtensor.hpp>

#include <limits>
#include <span>

namespace quantal {
inline namespace v0 {

/// Adds `values[c]` to output channel c: as `rne(b / (s_x * s_w[c]))` to the integer sum, or as a
/// real to real sums. The floats stay the caller's and have to live until the product is made.
struct bias {
    std::span<const float> values;
};

/// `min(max(y, lo), hi)`; in codes, the codes of `lo` and `hi`.
struct clip {
    float lo = 0.0f;
    float hi = std::numeric_limits<float>::infinity();
};
struct relu : clip {
    relu() = default;
};
struct relu6 : clip {
    relu6() : clip{0.0f, 6.0f} {}
};

/// Puts out codes of spec S: `clamp(rne(float(acc) * ((s_x * s_w) / scale)) + zero_point)`, or, of
/// real sums, `clamp(rne(y / scale) + zero_point)`.
template <qspec S>
requires supported_spec<S>
struct requantize {
    static_assert(S.grain == per_tensor, "quantal: the output of a product has one scale");
    float scale;
    std::int32_t zero_point = 0;
};

/// The same with parameters known at run time.
struct requantize_to {
    qparams params;
};

/// Puts out the integer sums, bias included; those of 16-bit activations are `wide_sums`.
struct sums {};
struct wide_sums {};

/// Puts out reals: `float(acc) * (s_x * s_w)`. The default.
struct reals {};

/// A bias or none, an activation or none, and what is put out. Made by `chain`.
template <class Out = reals>
struct epilogue {
    std::span<const float> bias;
    bool has_activation = false;
    clip bounds{};
    Out out{};
};

namespace detail {

/// The place of a stage in a chain.
template <class Stage>
inline constexpr int stage_place = std::is_same_v<Stage, quantal::bias> ? 0
                                   : std::is_base_of_v<clip, Stage>     ? 1
                                                                        : 2;

template <class... Stages>
constexpr bool in_order() {
    int last = -1;
    bool result = true;
    ((result = result && stage_place<Stages> > last, last = stage_place<Stages>), ...);
    return result;
}

template <class Out, class Stage>
auto with_stage(epilogue<Out> e, const Stage& s) {
    if constexpr (std::is_same_v<Stage, bias>) {
        e.bias = s.values;
        return e;
    } else if constexpr (std::is_base_of_v<clip, Stage>) {
        e.has_activation = true;
        e.bounds = s;
        return e;
    } else {
        return epilogue<Stage>{e.bias, e.has_activation, e.bounds, s};
    }
}

template <class Out>
auto chain_onto(epilogue<Out> e) {
    return e;
}
template <class Out, class Stage, class... Rest>
auto chain_onto(epilogue<Out> e, const Stage& stage, const Rest&... rest) {
    return chain_onto(with_stage(std::move(e), stage), rest...);
}

} // namespace detail

/// Stages in the order in which they happen, each at most once: a bias, an activation (`relu`,
/// `relu6`, `clip`), the output (`requantize<S>`, `requantize_to`, `sums`, `wide_sums`, `reals`).
template <class... Stages>
[[nodiscard]] auto chain(const Stages&... stages) {
    static_assert(detail::in_order<Stages...>(),
                  "quantal: a chain is a bias, an activation, an output, each at most once");
    return detail::chain_onto(epilogue<>{}, stages...);
}

} // namespace v0
} // namespace quantal

#endif
