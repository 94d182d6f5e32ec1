// SPDX-License-Identifier: Apache-2.0
/// One tensor to codes and back.
#ifndef QUANTAL_OPS_QUANTIZE_HPP
#define QUANTAL_OPS_QUANTIZE_HPP

#include <quantal/kernel/cpu/elementwise.hpp>
#include <quantal/observe/calibrate.hpp>
#include <quantal/observe/minmax.hpp>
#include <quantal/tensor/qtensor.hpp>
#include <quantal/tensor/view_traits.hpp>

namespace quantal {
inline namespace v0 {

namespace detail {

/// The codes of one slice as bytes: `code - lowest_code`.
[[nodiscard]] inline cpu::byte_codes bytes_of(const qparams& p, std::size_t slice) {
    const std::int32_t lowest = arith::lowest_code(p.spec.bits, p.spec.is_signed());
    return {p.zero_point(slice) - lowest, p.spec.qmin() - lowest, p.spec.qmax() - lowest};
}

/// Row-major floats to codes of at most 8 bits, rounded to even, by the CPU's kernels.
[[nodiscard]] inline any_qtensor quantize_dense(const float* data, const extents& dims,
                                                const qparams& params) {
    std::vector<std::uint8_t> bytes(dims.count());
    slicing_of(params.spec, dims)
        .for_each_run(0, bytes.size(), [&](std::size_t slice, std::size_t i, std::size_t n) {
            cpu::quantize<cpu::best_arch>(data + i, n, params.scale(slice), bytes_of(params, slice),
                                          bytes.data() + i);
        });
    return any_qtensor::from_bytes(params, dims, bytes);
}

} // namespace detail

/// `clamp(rne(x / scale) + zero_point)` of every element, packed; or rounded by another policy.
template <rounding_policy R = rounding::half_even>
[[nodiscard]] any_qtensor quantize(view<const float> data, const qparams& params,
                                   const R& round = {}) {
    check(params, data.shape(), "the tensor to quantize");
    if (std::same_as<R, rounding::half_even> && data.is_dense() && params.spec.bits <= 8)
        return detail::quantize_dense(data.data(), data.shape(), params);
    const slicing slice_of = slicing_of(params.spec, data.shape());
    std::vector<std::int32_t> codes(data.shape().count());
    data.for_each(
        [&](float v, std::size_t i) { codes[i] = params.quantize(v, slice_of(i), round, i); });
    return {params, data.shape(), codes};
}

/// Observes, makes the scales, quantizes: `quantize<w4>(weights)` is a `qtensor<w4>`. Takes any
/// `float_tensor`. (A return type that is written out would hide which clause a wrong spec breaks:
/// clang forms it before it checks the clauses.)
template <qspec S, float_tensor Data, observer O = observe::minmax,
          rounding_policy R = rounding::half_even>
requires supported_spec<S>
[[nodiscard]] auto quantize(const Data& data, const O& prototype = {}, const R& round = {}) {
    return view_traits<Data>::apply(data, [&](view<const float> values) {
        return qtensor<S>(quantize(values, calibrate(S, values, prototype), round));
    });
}

/// `float(q - zero_point) * scale` of every code.
[[nodiscard]] inline tensor<float> dequantize(const any_qtensor& codes) {
    const slicing slice_of = slicing_of(codes.spec(), codes.shape());
    tensor<float> result(codes.shape());
    if (codes.spec().bits > 8) {
        for (std::size_t i = 0; i < result.size(); ++i)
            result[i] = codes.params().dequantize(codes.code(i), slice_of(i));
        return result;
    }
    codes.for_each_block([&](std::size_t first, const std::uint8_t* bytes, std::size_t count) {
        slice_of.for_each_run(first, count, [&](std::size_t slice, std::size_t i, std::size_t n) {
            cpu::dequantize<cpu::best_arch>(bytes + i - first, n, codes.params().scale(slice),
                                            detail::bytes_of(codes.params(), slice).zero_point,
                                            result.data() + i);
        });
    });
    return result;
}

/// `dequantize(quantize(data, params))` without the codes in between.
template <rounding_policy R = rounding::half_even>
[[nodiscard]] tensor<float> fake_quantize(view<const float> data, const qparams& params,
                                          const R& round = {}) {
    check(params, data.shape(), "the tensor to quantize");
    const slicing slice_of = slicing_of(params.spec, data.shape());
    tensor<float> result(data.shape());
    if (std::same_as<R, rounding::half_even> && data.is_dense()) {
        slice_of.for_each_run(
            0, result.size(), [&](std::size_t slice, std::size_t i, std::size_t n) {
                const cpu::byte_codes codes{params.zero_point(slice), params.spec.qmin(),
                                            params.spec.qmax()};
                cpu::fake_quantize<cpu::best_arch>(data.data() + i, n, params.scale(slice), codes,
                                                   result.data() + i);
            });
        return result;
    }
    data.for_each([&](float v, std::size_t i) {
        const std::size_t slice = slice_of(i);
        result[i] = params.dequantize(params.quantize(v, slice, round, i), slice);
    });
    return result;
}

/// The same with the parameters at hand, for tensors of other libraries.
template <foreign_tensor Data, rounding_policy R = rounding::half_even>
[[nodiscard]] any_qtensor quantize(const Data& data, const qparams& params, const R& round = {}) {
    return view_traits<Data>::apply(
        data, [&](view<const float> values) { return quantize(values, params, round); });
}
template <foreign_tensor Data, rounding_policy R = rounding::half_even>
[[nodiscard]] tensor<float> fake_quantize(const Data& data, const qparams& params,
                                          const R& round = {}) {
    return view_traits<Data>::apply(
        data, [&](view<const float> values) { return fake_quantize(values, params, round); });
}
template <foreign_tensor Data, observer O>
[[nodiscard]] qparams calibrate(qspec spec, const Data& data, const O& prototype) {
    return view_traits<Data>::apply(
        data, [&](view<const float> values) { return calibrate(spec, values, prototype); });
}

} // namespace v0
} // namespace quantal

#endif
