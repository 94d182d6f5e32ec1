// SPDX-License-Identifier: Apache-2.0
/// A network in integers as launches of CUDA's kernels.
#ifndef QUANTAL_RUNTIME_CUDA_LOWERING_HPP
#define QUANTAL_RUNTIME_CUDA_LOWERING_HPP

#include <quantal/kernel/cuda/codes.hpp>
#include <quantal/kernel/cuda/moves.hpp>
#include <quantal/kernel/reference/function.hpp>
#include <quantal/kernel/reference/pool.hpp>
#include <quantal/runtime/cuda/weighted_lowering.hpp>

namespace quantal {
inline namespace v0 {
namespace cuda {

/// The step of one node, by its operator.
class lowering {
    using byte = std::uint8_t;
    using code_table = std::array<byte, 256>;

public:
    lowering(builder& b, value v) : b_(b), v_(v), node_(b.plan().at(v)) {}

    [[nodiscard]] launches operator()(const op::input&) const {
        const slot& to = slot_of(v_);
        const auto y = b_.codes(v_);
        const read_images shape{nullptr,   nullptr, pixels(v_),   channels(v_),
                                pitch(v_), y.scale, y.zero_point, y.hi};
        return [=, v = v_, images = b_.slots().size(),
                count = to.shape.pixels() * to.shape.channels](const frame& at) {
            read_images f = shape;
            f.x = at.at<const float>(images).data();
            f.y = at.at<byte>(v).data();
            launch_each(at, at.images * count, f, {at.at<const float>(images), at.at<byte>(v)});
        };
    }
    [[nodiscard]] launches operator()(const op::conv2d& o) const {
        return weighted_lowering(b_, v_)(o);
    }
    /// A convolution of one pixel.
    [[nodiscard]] launches operator()(const op::linear& o) const {
        return weighted_lowering(b_, v_)({.out_channels = o.out_features});
    }
    [[nodiscard]] launches operator()(const op::add&) const {
        const value a = node_.inputs[0], c = node_.inputs[1];
        const auto first = b_.codes(a), second = b_.codes(c), y = b_.output_codes(v_);
        const add_codes f{nullptr,           first.scale,  second.scale, y.scale, first.zero_point,
                          second.zero_point, y.zero_point, y.lo,         y.hi};
        return with_other(f, c);
    }
    [[nodiscard]] launches operator()(const op::multiply&) const {
        const value a = node_.inputs[0], c = node_.inputs[1];
        const auto first = b_.codes(a), second = b_.codes(c), y = b_.output_codes(v_);
        const bool by_channel = pixels(a) != pixels(c);
        const multiply_codes f{nullptr,
                               by_channel ? slot_of(a).elements() : 1,
                               by_channel ? slot_of(c).elements() : 1,
                               arith::requantize_multiplier(first.scale, second.scale, y.scale),
                               first.zero_point,
                               second.zero_point,
                               y.zero_point,
                               y.lo,
                               y.hi};
        return with_other(f, c);
    }
    /// A table, or one a channel.
    [[nodiscard]] launches operator()(const op::function& o) const {
        const auto* parameter = b_.plan().net.find_parameter(node_, "weight");
        const auto alphas =
            reference::alphas_of(o, parameter ? parameter->values() : std::span<const float>());
        std::vector<code_table> tables;
        tables.reserve(alphas.size());
        for (const float alpha : alphas)
            tables.push_back(
                table(x(), [&](float real) { return reference::apply(o, alpha, real); }));
        return through(std::move(tables));
    }
    [[nodiscard]] launches operator()(const op::clip& o) const {
        const qparams& p = *slot_of(v_).codes;
        code_table clipped{};
        for (std::int32_t q = 0; q < 256; ++q)
            clipped[static_cast<std::size_t>(q)] = static_cast<byte>(arith::clamp(
                q, p.quantize(o.lo) - p.spec.qmin(), p.quantize(o.hi) - p.spec.qmin()));
        return through({clipped});
    }
    [[nodiscard]] launches operator()(const op::concat&) const {
        std::vector<launches> parts;
        std::int64_t first = 0;
        for (const value from : node_.inputs) {
            const code_table codes = table(from, [](float real) { return real; });
            const auto t = b_.constant_of(std::vector<byte>(codes.begin(), codes.end()));
            parts.emplace_back(
                [=, v = v_,
                 f = join_channels{nullptr, nullptr, nullptr, channels(from), pitch(from),
                                   pitch(v_)},
                 count = slot_of(from).shape.pixels() * channels(from)](const frame& at) {
                    join_channels g = f;
                    g.x = at.at<const byte>(from).data();
                    g.table = t.data();
                    g.y = at.at<byte>(v).data() + first;
                    launch_each(at, at.images * count, g,
                                {at.at<const byte>(from), t.array(), at.at<byte>(v)});
                });
            first += channels(from);
        }
        return [parts](const frame& at) {
            for (const launches& part : parts)
                part(at);
        };
    }
    [[nodiscard]] launches operator()(const op::average_pool& o) const {
        const auto win = reference::window_of(o, slot_of(x()).shape, slot_of(v_).shape);
        const auto y = b_.output_codes(v_);
        std::vector<float> multipliers;
        for (std::int64_t position = 0; position < pixels(v_); ++position)
            multipliers.push_back(arith::average_multiplier(
                b_.codes(x()).scale, y.scale,
                static_cast<std::int32_t>(reference::divisor(o, win, position))));
        const auto m = b_.constant_of(multipliers);
        return pooled(
            o, window_sum{},
            [=, pixels = pixels(v_)](const output<byte>& to) {
                return means_out{to, m.data(), pixels, y.zero_point, y.lo, y.hi};
            },
            m.array());
    }
    [[nodiscard]] launches operator()(const op::max_pool& o) const {
        return pooled(
            o, window_max{}, [](const output<byte>& to) { return bytes_out{to}; },
            std::span<const byte>());
    }
    [[nodiscard]] launches operator()(const op::shortcut& o) const {
        const op::max_pool every{.kernel = 1, .stride = o.stride};
        const short_cut shape{
            {},           nullptr,  static_cast<std::int32_t>(o.channels_before), channels(x()),
            channels(v_), pitch(v_)};
        return [=, v = v_, from = x(), rows_of = b_.rows(every, x(), v_),
                count = std::int64_t{pixels(v_)} * channels(v_)](const frame& at) mutable {
            short_cut f = shape;
            f.x = rows_of(at);
            f.y = at.at<byte>(v).data();
            launch_each(at, at.images * count, f, {at.at<const byte>(from), at.at<byte>(v)});
        };
    }
    [[nodiscard]] launches operator()(const op::flatten&) const {
        const flatten shape{nullptr, nullptr, pixels(x()), channels(x()), pitch(x()), pitch(v_)};
        return [=, v = v_, from = x()](const frame& at) {
            flatten f = shape;
            f.x = at.at<const byte>(from).data();
            f.y = at.at<byte>(v).data();
            launch_each(at, std::int64_t{at.images} * f.pixels * f.channels, f,
                        {at.at<const byte>(from), at.at<byte>(v)});
        };
    }
    template <class Op>
    [[nodiscard]] launches operator()(const Op& o) const {
        quantal::detail::fail<graph_error>("layer \"", node_.name, "\": a ", op::name(o),
                                           " cannot run in integers");
    }

private:
    [[nodiscard]] value x() const { return node_.inputs[0]; }
    [[nodiscard]] const slot& slot_of(value v) const { return b_.slots()[v]; }
    [[nodiscard]] std::int32_t pixels(value v) const {
        return static_cast<std::int32_t>(slot_of(v).shape.pixels());
    }
    [[nodiscard]] std::int32_t channels(value v) const {
        return static_cast<std::int32_t>(slot_of(v).shape.channels);
    }
    [[nodiscard]] std::int32_t pitch(value v) const {
        return static_cast<std::int32_t>(slot_of(v).pitch);
    }

    /// What becomes of each byte of value `i`: the output's code of `f` of its real value.
    template <class F>
    [[nodiscard]] code_table table(value i, F f) const {
        const auto from = b_.codes(i), y = b_.output_codes(v_);
        code_table result{};
        for (std::int32_t q = 0; q <= from.hi; ++q)
            result[static_cast<std::size_t>(q)] = static_cast<byte>(
                arith::quantize(f(arith::dequantize(q, from.scale, from.zero_point)), y.scale,
                                y.zero_point, y.lo, y.hi));
        return result;
    }
    /// One table for all, or one for each channel up to the pitch.
    [[nodiscard]] launches through(std::vector<code_table> tables) const {
        const std::int64_t slices = tables.size() == 1 ? 1 : slot_of(v_).pitch;
        tables.resize(static_cast<std::size_t>(slices));
        std::vector<byte> all;
        for (const code_table& t : tables)
            all.insert(all.end(), t.begin(), t.end());
        const auto t = b_.constant_of(all);
        return elementwise(
            [=](const frame&) {
                return look_up{t.data(), {1, slices}};
            },
            [=](const frame&) { return t.array(); });
    }
    /// `f` of the first input and `other`.
    template <class F>
    [[nodiscard]] launches with_other(F f, value other) const {
        return elementwise(
            [=](const frame& at) mutable {
                f.other = at.at<const byte>(other).data();
                return f;
            },
            [=](const frame& at) -> host::array { return at.at<const byte>(other); });
    }
    /// `f_of(frame)` of every code of the first input; `array_of(frame)` is what else it reads.
    template <class F, class A>
    [[nodiscard]] launches elementwise(F f_of, A array_of) const {
        return [=, v = v_, from = x()](const frame& at) mutable {
            const auto to = at.at<byte>(v);
            using body = code_kernel<decltype(f_of(at))>;
            const auto count = static_cast<std::int64_t>(to.size());
            at.on.launch(body{at.at<const byte>(from).data(), to.data(), count, f_of(at)},
                         shared_grid(count, 4 * body::threads),
                         {at.at<const byte>(from), array_of(at), to});
        };
    }
    template <class Op, class Reduce, class Finish>
    [[nodiscard]] launches pooled(const Op& o, Reduce reduce, Finish finish_of,
                                  host::array other) const {
        return [=, v = v_, from = x(), rows_of = b_.rows(o, x(), v_), columns = channels(v_),
                pitch = slot_of(v_).pitch,
                count = std::int64_t{pixels(v_)} * channels(v_)](const frame& at) mutable {
            const auto to = at.at<byte>(v);
            const auto finish = finish_of(output<byte>{to.data(), pitch});
            launch_each(at, at.images * count,
                        windows<Reduce, std::remove_cv_t<decltype(finish)>>{rows_of(at), columns,
                                                                            reduce, finish},
                        {at.at<const byte>(from), other, to});
        };
    }

    builder& b_;
    value v_;
    const node& node_;
};

/// Slots and steps for all nodes, of the kernels that suit a compute capability. Throws
/// `graph_error` for a node that the kernels do not take.
[[nodiscard]] inline network lower_network(const integer_network& n, int device,
                                           int compute_capability) {
    const plan& p = n.plan();
    builder b(n, device, compute_capability);
    network net{device, b.slots()};
    const image_shape in = p.net.input_shape();
    net.slots.push_back({in, in.channels, sizeof(float), {}});
    net.last_readers.resize(net.slots.size());
    for (value v = 0; v < p.net.size(); ++v) {
        net.steps.push_back(std::visit(lowering(b, v), p.at(v).op));
        net.last_readers[v] = v;
        for (const value x : p.at(v).inputs)
            net.last_readers[x] = v;
    }
    net.kernels = b.kernels();
    return net;
}

} // namespace cuda
} // namespace v0
} // namespace quantal

#endif
