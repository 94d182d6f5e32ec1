// SPDX-License-Identifier: Apache-2.0
/// What the tensors of an ONNX graph are while it is read: constants, or values of the network.
#ifndef QUANTAL_ONNX_PORT_HPP
#define QUANTAL_ONNX_PORT_HPP

#include <quantal/graph/graph.hpp>
#include <quantal/onnx/constant.hpp>
#include <quantal/tensor/qparams.hpp>

#include <optional>
#include <string>
#include <variant>

namespace quantal {
inline namespace v0 {
namespace onnx {

/// A value of the network as ONNX sees it. Strides and padding wait for an operator that takes them
/// as its own.
struct port {
    value v;
    extents shape; ///< with the batch, in the order of ONNX's axes
    /// Of an image: its axes are [N, height, width, channels].
    bool channels_last = false;
    /// Of features: the image that they are, read with its channels last; otherwise with its
    /// channels first.
    std::optional<extents> flattened{};
    /// Rows and columns to skip, channels of zeros to add, and the node that said so.
    op::shortcut moved{};
    std::string moved_by{};
    quantal::padding padding = 0;
    /// What the value was brought to: by QuantizeLinear, whose output is codes, or by that and
    /// DequantizeLinear, whose output is the reals that they stand for.
    std::optional<qparams> codes{};
    bool holds_codes = false;
    bool is_dynamic = false; ///< codes of DynamicQuantizeLinear: those that a layer makes itself

    [[nodiscard]] bool is_image() const { return shape.rank() == 4; }
    /// The axis of its channels or features.
    [[nodiscard]] int channel_axis() const { return channels_last ? 3 : 1; }
    [[nodiscard]] bool waits() const {
        return moved != op::shortcut{} || padding != quantal::padding(0);
    }
};

using operand = std::variant<constant, port>;

} // namespace onnx
} // namespace v0
} // namespace quantal

#endif
