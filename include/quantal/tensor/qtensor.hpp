// SPDX-License-Identifier: Apache-2.0
/// Packed codes with their scales. `any_qtensor` knows its spec at run time, `qtensor<S>` at
/// compile time; they are the same object otherwise.
#ifndef QUANTAL_TENSOR_QTENSOR_HPP
#define QUANTAL_TENSOR_QTENSOR_HPP

#include <quantal/arith/subbyte.hpp>
#include <quantal/tensor/qparams.hpp>
#include <quantal/tensor/tensor.hpp>

#include <algorithm>
#include <utility>

namespace quantal {
inline namespace v0 {

/// A tensor of codes, packed densely in row-major order (arith/subbyte.hpp).
class any_qtensor {
public:
    any_qtensor() = default;

    /// Packs `codes`; throws `data_error` if one lies outside the spec.
    any_qtensor(quantal::qparams params, const extents& dims, std::span<const std::int32_t> codes)
        : params_(std::move(params)), shape_(dims) {
        check(params_, shape_, "a quantized tensor");
        check_size(codes.size());
        packed_.resize(arith::packed_size(codes.size(), params_.spec.bits));
        for (std::size_t i = 0; i < codes.size(); ++i) {
            check_code(i, codes[i]);
            arith::pack_code(packed_.data(), i, params_.spec.bits, codes[i]);
        }
    }

    /// Packs codes of at most 8 bits that come as bytes (arith::pack_bytes). Throws as the
    /// constructor does, and `spec_error` for wider codes.
    [[nodiscard]] static any_qtensor from_bytes(quantal::qparams params, const extents& dims,
                                                std::span<const std::uint8_t> bytes) {
        any_qtensor result;
        result.params_ = std::move(params);
        result.shape_ = dims;
        check(result.params_, dims, "a quantized tensor");
        if (result.spec().bits > 8)
            detail::fail<spec_error>("codes of \"", result.spec(), "\" do not fit bytes");
        result.check_size(bytes.size());
        result.check_bytes(0, bytes.data(), bytes.size());
        const qspec s = result.spec();
        result.packed_.resize(arith::packed_size(bytes.size(), s.bits));
        arith::pack_bytes(result.packed_.data(), s.bits, s.is_signed(), bytes.data(), bytes.size());
        return result;
    }

    /// Takes codes that are packed already. Throws as the constructor does, and `data_error` if a
    /// bit behind the last code is set.
    [[nodiscard]] static any_qtensor from_packed(quantal::qparams params, const extents& dims,
                                                 std::vector<std::uint8_t> packed) {
        check(params, dims, "a quantized tensor");
        const std::size_t count = dims.count();
        const int bits = params.spec.bits;
        // A code has a bit at least, so no count that passes lets the size overflow.
        if (count / 8 > packed.size() || packed.size() != arith::packed_size(count, bits))
            detail::fail<shape_error>(count, " codes of \"", params.spec, "\" do not fill ",
                                      packed.size(), " bytes");
        any_qtensor result;
        result.params_ = std::move(params);
        result.shape_ = dims;
        result.packed_ = std::move(packed);
        if (bits <= 8)
            result.for_each_block([&](std::size_t first, const std::uint8_t* bytes, std::size_t n) {
                result.check_bytes(first, bytes, n);
            });
        else
            for (std::size_t i = 0; i < count; ++i)
                result.check_code(i, result.code(i));
        const std::size_t used = count % 8 * static_cast<std::size_t>(bits) % 8;
        if (used != 0 && result.packed_.back() >> used != 0)
            detail::fail<data_error>("a bit behind the last packed code is set");
        return result;
    }

    [[nodiscard]] qspec spec() const { return params_.spec; }
    [[nodiscard]] const quantal::qparams& params() const { return params_; }
    [[nodiscard]] const extents& shape() const { return shape_; }
    [[nodiscard]] std::size_t size() const { return shape_.count(); }
    [[nodiscard]] std::span<const std::uint8_t> packed() const { return packed_; }

    /// Code i in row-major order.
    [[nodiscard]] std::int32_t code(std::size_t i) const {
        return arith::unpack_code(packed_.data(), i, spec().bits, spec().is_signed());
    }

    /// All codes, unpacked.
    [[nodiscard]] tensor<std::int32_t> codes() const {
        tensor<std::int32_t> result(shape_);
        if (spec().bits <= 8) {
            const std::int32_t lowest = arith::lowest_code(spec().bits, spec().is_signed());
            for_each_block([&](std::size_t first, const std::uint8_t* bytes, std::size_t count) {
                for (std::size_t i = 0; i < count; ++i)
                    result[first + i] = bytes[i] + lowest;
            });
        } else
            for (std::size_t i = 0; i < size(); ++i)
                result[i] = code(i);
        return result;
    }

    /// Calls `f(first, bytes, count)` for blocks of codes of at most 8 bits, in order, unpacked to
    /// bytes (arith::unpack_bytes).
    template <class F>
    void for_each_block(F&& f) const {
        std::uint8_t bytes[1024];
        for (std::size_t first = 0; first < size(); first += sizeof bytes) {
            const std::size_t count = std::min(size() - first, sizeof bytes);
            arith::unpack_bytes(packed_.data(), first, spec().bits, spec().is_signed(), bytes,
                                count);
            f(first, static_cast<const std::uint8_t*>(bytes), count);
        }
    }

    friend bool operator==(const any_qtensor&, const any_qtensor&) = default;

private:
    void check_size(std::size_t codes) const {
        if (codes != shape_.count())
            detail::fail<shape_error>("a quantized tensor of shape ", shape_, " needs ",
                                      shape_.count(), " codes, ", codes, " were given");
    }
    void check_bytes(std::size_t first, const std::uint8_t* bytes, std::size_t count) const {
        const std::int32_t lowest = arith::lowest_code(spec().bits, spec().is_signed());
        const auto lo = static_cast<std::uint8_t>(spec().qmin() - lowest);
        const auto hi = static_cast<std::uint8_t>(spec().qmax() - lowest);
        bool outside = false;
        for (std::size_t i = 0; i < count; ++i)
            outside |= bytes[i] < lo || bytes[i] > hi;
        for (std::size_t i = 0; outside && i < count; ++i)
            check_code(first + i, bytes[i] + lowest);
    }
    void check_code(std::size_t i, std::int32_t code) const {
        if (code < spec().qmin() || code > spec().qmax())
            detail::fail<data_error>("the code ", code, " at element ", i, " is outside [",
                                     spec().qmin(), ", ", spec().qmax(), "], the codes of \"",
                                     spec(), '"');
    }

    quantal::qparams params_;
    extents shape_{0};
    std::vector<std::uint8_t> packed_;
};

/// A quantized tensor whose spec is part of its type.
template <qspec S>
requires supported_spec<S>
class qtensor : public any_qtensor {
public:
    static constexpr qspec static_spec = S;

    qtensor() = default;
    /// Throws `spec_error` if `codes` have another spec.
    explicit qtensor(any_qtensor codes) : any_qtensor(std::move(codes)) {
        if (spec() != S)
            detail::fail<spec_error>("codes of \"", spec(), "\" were given for \"", S, '"');
    }
};

} // namespace v0
} // namespace quantal

#endif
