// SPDX-License-Identifier: Apache-2.0
/// Nodes that run in integers, as steps on bytes.
#ifndef QUANTAL_RUNTIME_CPU_INTEGER_LOWERING_HPP
#define QUANTAL_RUNTIME_CPU_INTEGER_LOWERING_HPP

#include <quantal/kernel/reference/pool.hpp>
#include <quantal/runtime/cpu/builder.hpp>

#include <array>
#include <functional>

namespace quantal {
inline namespace v0 {
namespace cpu {

/// Adds the steps of one node, by its operator.
class integer_lowering {
    using byte = std::uint8_t;

public:
    integer_lowering(builder& b, value v)
        : b_(b), v_(v), node_(b.plan().at(v)), in_(b.shape(node_.inputs.at(0))), out_(b.shape(v)) {}

    /// A convolution that an add finishes waits for it.
    void operator()(const op::conv2d&) const { weighted(); }
    void operator()(const op::linear&) const { weighted(); }
    void operator()(const op::add&) const {
        const value a = node_.inputs[0], c = node_.inputs[1];
        if (b_.is_left_for_add(a)) return convolve_and_add(a, c);
        if (b_.is_left_for_add(c)) return convolve_and_add(c, a);
        const auto add = [r = sum_of(a, c), f = b_.arrays().add_codes](const byte* x, const byte* z,
                                                                       std::size_t count, byte* y) {
            f(x, z, count, r, y);
        };
        const slot_index y = b_.add_codes(v_);
        b_.add(v_, elements_step<byte, byte, byte>("add", b_.net(), y, add, b_.code_slot(a),
                                                   b_.code_slot(c)));
    }
    /// The bytes of each input through a table of the output's.
    void operator()(const op::concat&) const {
        std::vector<slot_index> x;
        std::vector<code_table> tables;
        for (const value i : node_.inputs) {
            x.push_back(b_.code_slot(i));
            tables.push_back(table(i, std::identity()));
        }
        const auto convert = [tables](std::size_t i, const byte* from, std::int64_t count,
                                      byte* to) {
            for (std::int64_t c = 0; c < count; ++c)
                to[c] = tables[i][from[c]];
        };
        const slot_index to = b_.add_codes(v_);
        b_.add(v_, concat_step<byte>("concat", b_.net(), x, to, convert));
    }
    void operator()(const op::multiply&) const {
        const value a = node_.inputs[0], c = node_.inputs[1];
        const value_codes first = b_.codes(a), second = b_.codes(c), y = b_.output_codes(v_);
        const code_product p{arith::requantize_multiplier(first.scale, second.scale, y.scale),
                             first.bytes.zero_point, second.bytes.zero_point, y.bytes};
        const auto multiply = [p, f = b_.arrays().multiply_codes](const byte* x, const byte* z,
                                                                  std::size_t count, byte* to) {
            f(x, z, count, p, to);
        };
        const slot_index to = b_.add_codes(v_);
        b_.add(v_, factors_step<byte>("multiply", b_.net(), to, multiply, b_.code_slot(a),
                                      b_.code_slot(c)));
    }
    /// A table, or one a channel.
    void operator()(const op::function& o) const {
        std::vector<code_table> tables;
        for (const float alpha : b_.alphas(v_, o))
            tables.push_back(table(node_.inputs[0],
                                   [&](float real) { return reference::apply(o, alpha, real); }));
        if (tables.size() == 1) {
            const slot_index y = b_.add_codes(v_);
            const auto look_up = [t = tables[0]](const byte* from, std::size_t count, byte* to) {
                for (std::size_t i = 0; i < count; ++i)
                    to[i] = t[from[i]];
            };
            return b_.add(v_, elements_step<byte, byte>("table", b_.net(), y, look_up, x()));
        }
        rows("table", [tables, width = out_.width](const byte* image, std::int64_t row, byte* y) {
            const std::size_t channels = tables.size();
            const std::size_t count = static_cast<std::size_t>(width) * channels;
            const std::size_t first = static_cast<std::size_t>(row) * count;
            for (std::size_t i = 0; i < count; ++i)
                y[first + i] = tables[i % channels][image[first + i]];
        });
    }
    void operator()(const op::clip& o) const {
        const qparams& p = activation_params(b_.plan(), b_.source().table(), v_);
        const std::int32_t qmin = p.spec.qmin();
        const auto clip = [lo = static_cast<byte>(p.quantize(o.lo) - qmin),
                           hi = static_cast<byte>(p.quantize(o.hi) - qmin),
                           f = b_.arrays().clamp_codes](const byte* x, std::size_t count, byte* y) {
            f(x, count, lo, hi, y);
        };
        const slot_index y = b_.add_codes(v_);
        b_.add(v_, elements_step<byte, byte>("clip", b_.net(), y, clip, x()));
    }
    void operator()(const op::average_pool& o) const {
        const value_codes from = b_.codes(node_.inputs[0]), to = b_.output_codes(v_);
        const window win = reference::window_of(o, in_, out_);
        std::vector<float> multipliers;
        for (std::int64_t position = 0; position < out_.pixels(); ++position)
            multipliers.push_back(arith::average_multiplier(
                from.scale, to.scale,
                static_cast<std::int32_t>(reference::divisor(o, win, position))));
        rows("average pool", [=, c = in_.channels, f = b_.arrays().average_pool_codes](
                                 const byte* x, std::int64_t row, byte* y) {
            f(win, c, from.bytes.zero_point, multipliers.data() + row * win.out.w, to.bytes, x, row,
              y);
        });
    }
    void operator()(const op::max_pool& o) const {
        rows("max pool", [win = reference::window_of(o, in_, out_), c = in_.channels,
                          f = b_.arrays().max_pool_codes](const byte* x, std::int64_t row,
                                                          byte* y) { f(win, c, x, row, y); });
    }
    void operator()(const op::shortcut& o) const {
        const auto zero = static_cast<byte>(b_.codes(v_).bytes.zero_point);
        rows("shortcut", [=, in = in_, out = out_](const byte* x, std::int64_t row, byte* y) {
            shortcut_row(o, in, out, row, zero, x, y);
        });
    }
    void operator()(const op::flatten&) const {
        const slot_index y = b_.add_codes(v_);
        b_.add(v_, planes_step<byte>("flatten", b_.net(), x(), y));
    }
    template <class Op>
    void operator()(const Op& o) const {
        quantal::detail::fail<graph_error>("layer \"", node_.name, "\": a ", op::name(o),
                                           " cannot run in integers");
    }

private:
    [[nodiscard]] slot_index x() const { return b_.code_slot(node_.inputs[0]); }

    using code_table = std::array<byte, 256>;

    /// What becomes of each byte of value `i`: the output's code of `f` of its real value.
    template <class F>
    [[nodiscard]] code_table table(value i, F f) const {
        const value_codes from = b_.codes(i), y = b_.output_codes(v_);
        code_table result{};
        for (std::int32_t q = 0; q <= from.bytes.hi; ++q)
            result[static_cast<std::size_t>(q)] = static_cast<byte>(
                arith::quantize(f(arith::dequantize(q, from.scale, from.bytes.zero_point)), y.scale,
                                y.bytes.zero_point, y.bytes.lo, y.bytes.hi));
        return result;
    }

    template <class F>
    void rows(const char* kernel, F f) const {
        const slot_index y = b_.add_codes(v_);
        b_.add(v_, rows_step<byte, byte>(kernel, b_.net(), x(), y, out_.height, f));
    }

    void weighted() const {
        if (b_.is_left_for_add(v_)) return;
        if (b_.plan().roles[v_].output) {
            const slot_index y = b_.add_codes(v_);
            const finish_rule rule{output_kind::codes, b_.output_codes(v_).bytes, {}};
            return b_.add(v_, convolution(v_, rule, y));
        }
        const slot_index y = b_.add_reals(v_);
        b_.add(v_, convolution(v_, {.kind = output_kind::reals}, y));
        b_.activate(v_);
    }
    /// The convolution of node `v` finished by the add of this node.
    void convolve_and_add(value v, value other) const {
        const slot_index y = b_.add_codes(v_);
        const finish_rule rule{output_kind::added_codes, b_.output_codes(v).bytes,
                               sum_of(v, other)};
        b_.add(v_, convolution(v, rule, y, b_.code_slot(other)));
    }
    [[nodiscard]] residual sum_of(value a, value c) const {
        const value_codes first = b_.codes(a), second = b_.codes(c), y = b_.output_codes(v_);
        return {first.scale, second.scale, y.scale, first.bytes.zero_point, second.bytes.zero_point,
                y.bytes};
    }

    [[nodiscard]] step convolution(value v, const finish_rule& rule, slot_index y,
                                   std::optional<slot_index> other = {}) const {
        const slot_index x = b_.code_slot(b_.plan().at(v).inputs[0]);
        const auto layer = b_.prepare(v, rule);
        const auto run = [=](const frame& at) {
            const conv_call call{at.images, at.at<const byte>(x), at.at<std::byte>(y),
                                 other ? at.at<const byte>(*other) : nullptr,
                                 static_cast<std::int64_t>(at.parallel.workers())};
            auto task = [&](std::size_t i, std::size_t worker) {
                layer->run_task(i, call, at.workspace(worker));
            };
            at.parallel.run(layer->task_count(call), task);
        };
        step s{.kernel = layer->describe() + (other ? " + add" : ""),
               .inputs = {x},
               .output = y,
               .run = run,
               .workspace = layer->workspace_bytes(),
               .weight_bytes = b_.source().layer(v).weights.packed().size(),
               .packed_bytes = layer->weight_bytes(),
               .operations = operations_of(b_.plan(), v)};
        if (other) s.inputs.push_back(*other);
        return s;
    }

    builder& b_;
    value v_;
    const node& node_;
    image_shape in_, out_;
};

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
