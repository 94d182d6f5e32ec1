// SPDX-License-Identifier: Apache-2.0
/// Convolutions and linear layers as launches: on tensor cores, or channel by channel where they
/// are in groups.
#ifndef QUANTAL_RUNTIME_CUDA_WEIGHTED_LOWERING_HPP
#define QUANTAL_RUNTIME_CUDA_WEIGHTED_LOWERING_HPP

#include <quantal/kernel/cuda/depthwise.hpp>
#include <quantal/kernel/cuda/packed_rows.hpp>
#include <quantal/kernel/cuda/product.hpp>
#include <quantal/kernel/cuda/product_kind.hpp>
#include <quantal/kernel/cuda/windows.hpp>
#include <quantal/runtime/cuda/builder.hpp>

namespace quantal {
inline namespace v0 {
namespace cuda {

/// The step of one layer with weights.
class weighted_lowering {
public:
    weighted_lowering(builder& b, value v)
        : b_(b), v_(v), from_(b.plan().at(v).inputs[0]), layer_(b.source().layer(v)) {
        const extents shape = weight_shape(b.plan(), v);
        out_ = shape[0];
        in_ = shape[1];
        positions_ = static_cast<std::int64_t>(shape.count()) / out_ / in_;
        for (std::size_t i = 0; i < shape.count(); ++i)
            if (const auto w = layer_.centred_weight(i); w < -128 || w > 127)
                quantal::detail::fail<graph_error>("layer \"", b.plan().at(v).name,
                                                   "\" has a weight of ", w,
                                                   " steps; CUDA's kernels take -128 to 127");
    }
    [[nodiscard]] launches operator()(const op::conv2d& o) const {
        return o.groups > 1 ? grouped(o) : whole(o);
    }

private:
    /// `f(output channel, position, input channel, weight)` for each weight.
    template <class F>
    void for_each_weight(F f) const {
        for (std::int64_t i = 0; i < out_ * in_ * positions_; ++i)
            f(i / positions_ / in_, i % positions_, i / positions_ % in_,
              layer_.centred_weight(static_cast<std::size_t>(i)));
    }
    [[nodiscard]] layer_facts facts(const op::conv2d& o) const {
        const auto win = reference::window_of(o, b_.slots()[from_].shape, b_.slots()[v_].shape);
        const auto pitch = b_.slots()[from_].pitch;
        std::int32_t least = 0, most = 0;
        std::vector<std::int64_t> magnitudes(static_cast<std::size_t>(out_));
        for_each_weight([&](auto c, auto, auto, std::int32_t w) {
            least = std::min(least, w);
            most = std::max(most, w);
            magnitudes[static_cast<std::size_t>(c)] += w < 0 ? -w : w;
        });
        const auto holds = [&](int bits) {
            return least >= -(1 << (bits - 1)) && most < 1 << (bits - 1);
        };
        const int code_bits = b_.slots()[from_].codes->spec.bits;
        return {code_bits,
                holds(2)   ? 2
                : holds(4) ? 4
                           : 8,
                *std::max_element(magnitudes.begin(), magnitudes.end()) * ((1 << code_bits) - 1),
                rows_of(win, nullptr, 1, pitch, 0).is_matrix()};
    }
    [[nodiscard]] launches whole(const op::conv2d& o) const {
        const auto kind = product_kind_of(facts(o), b_.compute_capability());
        return with_operands(kind, [&]<class Operands>() { return product<Operands>(o); });
    }
    template <class Operands>
    [[nodiscard]] launches product(const op::conv2d& o) const {
        b_.took(v_, std::string("product ") + Operands::name);
        const auto pitch = b_.slots()[from_].pitch, depth = positions_ * pitch;
        std::vector<std::uint8_t> w(static_cast<std::size_t>(out_ * depth));
        std::vector<std::uint32_t> sums(static_cast<std::size_t>(out_));
        for_each_weight([&](auto c, auto position, auto k, std::int32_t value) {
            w[static_cast<std::size_t>(c * depth + position * pitch + k)] =
                static_cast<std::uint8_t>(value);
            sums[static_cast<std::size_t>(c)] += static_cast<std::uint32_t>(value);
        });
        constexpr int packed = Operands::tiles.large.packed;
        if (packed > 1) w = pack_rows(w, static_cast<std::size_t>(depth), packed);
        const auto zero = static_cast<std::uint32_t>(b_.codes(from_).zero_point);
        std::vector<std::int32_t> start(layer_.bias);
        for (std::size_t c = 0; c < start.size(); ++c)
            start[c] =
                static_cast<std::int32_t>(static_cast<std::uint32_t>(start[c]) - zero * sums[c]);
        const std::vector<std::uint8_t> outside(static_cast<std::size_t>(pitch),
                                                static_cast<std::uint8_t>(zero));
        return finished([=, from = from_, rows_of = b_.rows(o, from_, v_),
                         w_pitch = std::ssize(w) / out_, w = b_.constant_of(w),
                         start = b_.constant_of(start), outside = b_.constant_of(outside),
                         columns = static_cast<std::int32_t>(out_)](
                            const frame& at, const auto& finish, host::array m, host::array y) {
            image_rows x = rows_of(at);
            x.outside = outside.data();
            const std::int32_t rows = at.images * x.output.h * x.output.w;
            const matrix_rows matrix{w.data(), w_pitch, columns,
                                     static_cast<std::int32_t>(w_pitch)};
            const auto launch = [&]<class Body>(const Body& body) {
                at.on.launch(body, Body::grid(rows, columns),
                             {at.at<const std::uint8_t>(from), outside.array(), w.array(),
                              start.array(), m, y});
            };
            const auto multiply = [&]<class Rows>(const Rows& of) {
                using finish_type = std::remove_cvref_t<decltype(finish)>;
                const auto tile = tile_for(Operands::tiles, rows, columns, at.on.multiprocessors());
                with_tile<Operands::tiles>(tile, [&]<product_tile T>() {
                    launch(product_kernel<T, Operands, Rows, finish_type>{
                        of, matrix, static_cast<std::int32_t>(depth), rows, start.data(), finish});
                });
            };
            if (Operands::only_matrices || x.is_matrix())
                multiply(matrix_rows{x.data, x.channels, rows, x.channels});
            else if constexpr (!Operands::only_matrices)
                multiply(x);
        });
    }
    /// Whether the kernel of windows of 3 x 3 pixels takes it.
    [[nodiscard]] bool is_depthwise(const op::conv2d& o) const {
        return in_ == 1 && out_ == o.groups && o.kernel == hw(3) && o.dilation == hw(1) &&
               (o.stride == hw(1) || o.stride == hw(2)) && b_.plan().roles[v_].output;
    }
    template <int Stride>
    [[nodiscard]] launches depthwise(const op::conv2d& o) const {
        b_.took(v_, "depthwise 3 x 3");
        const auto pitch = static_cast<std::size_t>(b_.slots()[v_].pitch);
        const auto zero = static_cast<std::uint32_t>(b_.codes(from_).zero_point);
        std::vector<std::int8_t> w;
        std::vector<std::int32_t> start(layer_.bias);
        start.resize(pitch);
        for_each_weight([&](auto c, auto, auto, std::int32_t value) {
            w.push_back(static_cast<std::int8_t>(value));
            auto& s = start[static_cast<std::size_t>(c)];
            s = static_cast<std::int32_t>(static_cast<std::uint32_t>(s) -
                                          zero * static_cast<std::uint32_t>(value));
        });
        return finished([=, from = from_, rows_of = b_.rows(o, from_, v_),
                         w = b_.constant_of(depthwise_weights(w, pitch)),
                         start = b_.constant_of(start)](const frame& at, const auto& finish,
                                                        host::array m, host::array y) {
            using body = depthwise_kernel<Stride>;
            if constexpr (std::is_same_v<std::remove_cvref_t<decltype(finish)>, codes_out>) {
                const image_rows x = rows_of(at);
                at.on.launch(body{x, w.data(), start.data(), finish}, body::grid(x),
                             {at.at<const std::uint8_t>(from), w.array(), start.array(), m, y});
            }
        });
    }
    [[nodiscard]] launches grouped(const op::conv2d& o) const {
        if (is_depthwise(o)) return o.stride.h == 1 ? depthwise<1>(o) : depthwise<2>(o);
        std::vector<std::int8_t> w(static_cast<std::size_t>(positions_ * in_ * out_));
        for_each_weight([&](auto c, auto position, auto k, std::int32_t value) {
            w[static_cast<std::size_t>((position * in_ + k) * out_ + c)] =
                static_cast<std::int8_t>(value);
        });
        const grouped_sum shape{nullptr, nullptr, static_cast<std::int32_t>(in_),
                                static_cast<std::int32_t>(out_ / o.groups),
                                static_cast<std::int32_t>(out_)};
        return finished([=, from = from_, rows_of = b_.rows(o, from_, v_), w = b_.constant_of(w),
                         bias = b_.constant_of(layer_.bias)](const frame& at, const auto& finish,
                                                             host::array m, host::array y) {
            grouped_sum sum = shape;
            sum.w = w.data();
            sum.bias = bias.data();
            const image_rows x = rows_of(at);
            launch_each(at, std::int64_t{at.images} * x.output.h * x.output.w * sum.columns,
                        windows<grouped_sum, std::remove_cvref_t<decltype(finish)>>{x, sum.columns,
                                                                                    sum, finish},
                        {at.at<const std::uint8_t>(from), w.array(), bias.array(), m, y});
        });
    }
    /// The step that calls `launch(frame, finish, multipliers, output)`.
    template <class Launch>
    [[nodiscard]] launches finished(const Launch& launch) const {
        const std::int64_t pitch = b_.slots()[v_].pitch;
        auto multipliers = layer_.multipliers;
        multipliers.resize(static_cast<std::size_t>(pitch));
        const auto m = b_.constant_of(multipliers);
        if (!b_.plan().roles[v_].output)
            return [=, v = v_](const frame& at) {
                const auto y = at.at<float>(v);
                launch(at, reals_out{{y.data(), pitch}, m.data()}, m.array(), y);
            };
        return [=, v = v_, codes = b_.output_codes(v_)](const frame& at) {
            const auto y = at.at<std::uint8_t>(v);
            launch(at, codes_out{{y.data(), pitch}, m.data(), codes.zero_point, codes.lo, codes.hi},
                   m.array(), y);
        };
    }

    builder& b_;
    value v_, from_;
    const integer_layer& layer_;
    std::int64_t out_, in_, positions_; ///< channels out, channels in of a group, kernel positions
};

} // namespace cuda
} // namespace v0
} // namespace quantal

#endif
