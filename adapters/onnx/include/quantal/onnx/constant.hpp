// SPDX-License-Identifier: Apache-2.0
/// Tensors whose elements are known while a model is read.
#ifndef QUANTAL_ONNX_CONSTANT_HPP
#define QUANTAL_ONNX_CONSTANT_HPP

#include <quantal/onnx/element_type.hpp>
#include <quantal/tensor/tensor.hpp>

#include <memory>
#include <utility>
#include <variant>
#include <vector>

namespace quantal {
inline namespace v0 {
namespace onnx {

/// How many elements all constants of a model may have together: a file of a kilobyte can ask for
/// as many as it likes.
class allowance {
public:
    explicit allowance(std::size_t elements) : all_(elements), left_(elements) {}

    /// The elements of such a shape, taken from what is left; throws `data_error` if it is less.
    std::size_t take(const extents& shape) {
        const std::size_t count = shape.count();
        if (count > left_)
            quantal::detail::fail<data_error>("a constant of shape ", shape,
                                              " would be made; all constants of a model have at "
                                              "most ",
                                              all_, " elements");
        left_ -= count;
        return count;
    }

private:
    std::size_t all_, left_;
};

struct dequantization;

/// A tensor of ONNX with its elements: floats and codes of up to 16 bits in float32, which holds
/// them exactly; wider integers and booleans in int64. Copies share the elements.
class constant {
public:
    using reals = std::vector<float>;
    using integers = std::vector<std::int64_t>;

    constant(element type, const extents& shape, reals values)
        : type_(type), shape_(shape), values_(std::make_shared<const reals>(std::move(values))) {}
    constant(element type, const extents& shape, integers values)
        : type_(type), shape_(shape), values_(std::make_shared<const integers>(std::move(values))) {
    }
    /// A list of numbers, as shapes are. (Braces: its size is asked for before it moves.)
    explicit constant(integers values)
        : constant{element::i64, {std::ssize(values)}, std::move(values)} {}

    [[nodiscard]] element type() const { return type_; }
    [[nodiscard]] const extents& shape() const { return shape_; }
    [[nodiscard]] std::size_t size() const { return shape_.count(); }

    /// The same elements in another shape of as many.
    [[nodiscard]] constant reshaped(const extents& shape) const {
        if (shape.count() != size())
            quantal::detail::fail<shape_error>("a constant of shape ", shape_,
                                               " cannot become one of shape ", shape);
        constant result = *this;
        result.shape_ = shape;
        result.origin_ = nullptr;
        return result;
    }
    /// What these floats were dequantized from, or nullptr.
    [[nodiscard]] const dequantization* origin() const { return origin_.get(); }
    [[nodiscard]] constant made_from(dequantization origin) const;

    /// Throw `data_error` for the other kind.
    [[nodiscard]] const reals& as_reals() const { return values<reals>(); }
    [[nodiscard]] const integers& as_integers() const { return values<integers>(); }
    template <class Values>
    [[nodiscard]] const Values& values() const {
        if (const auto* held = std::get_if<std::shared_ptr<const Values>>(&values_)) return **held;
        quantal::detail::fail<data_error>("a constant of ", info_of(type_).name, " stands where ",
                                          std::is_same_v<Values, reals> ? "floats" : "integers",
                                          " are needed");
    }
    /// Calls `f` with the vector of elements.
    template <class F>
    decltype(auto) visit(F&& f) const {
        return std::visit([&](const auto& values) -> decltype(auto) { return f(*values); },
                          values_);
    }
    [[nodiscard]] tensor<float> as_tensor() const { return {shape_, as_reals()}; }

private:
    element type_;
    extents shape_;
    std::variant<std::shared_ptr<const reals>, std::shared_ptr<const integers>> values_;
    std::shared_ptr<const dequantization> origin_{};
};

/// Codes with one scale and zero point, one for each index of an axis, or one for each `block` of
/// indices at each place of the other axes.
struct dequantization {
    constant codes;
    std::vector<float> scales;
    std::vector<std::int32_t> zero_points; ///< as many
    int axis;
    std::int64_t block; ///< 0: none
};

inline constant constant::made_from(dequantization origin) const {
    constant result = *this;
    result.origin_ = std::make_shared<const dequantization>(std::move(origin));
    return result;
}

} // namespace onnx
} // namespace v0
} // namespace quantal

#endif
