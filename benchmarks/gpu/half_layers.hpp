// SPDX-License-Identifier: Apache-2.0
/// What a network's products would be in float16, by the same kernel: to compare with.
#ifndef QUANTAL_BENCHMARKS_GPU_HALF_LAYERS_HPP
#define QUANTAL_BENCHMARKS_GPU_HALF_LAYERS_HPP

#include <quantal/runtime/cuda/lowering.hpp>

namespace benchmarks {

/// A convolution of one group or a linear layer of `plan`, and memory for it: of random numbers,
/// because what is multiplied may decide about a device's clock.
class half_layer {
public:
    /// Whether node `v` is one.
    [[nodiscard]] static bool is_one(const quantal::plan& p, quantal::value v) {
        const auto* convolution = std::get_if<quantal::op::conv2d>(&p.at(v).op);
        return convolution ? convolution->groups == 1
                           : std::holds_alternative<quantal::op::linear>(p.at(v).op);
    }

    half_layer(const quantal::plan& p, quantal::value v, std::int32_t images, int device)
        : window_(window_of(p, v)), images_(images),
          columns_(static_cast<std::int32_t>(shape_of(p, v).channels)),
          channels_(chunks(shape_of(p, p.at(v).inputs[0]).channels)), x_(device, bytes_of_x()),
          w_(device, static_cast<std::size_t>(columns_ * depth())),
          outside_(device, static_cast<std::size_t>(channels_)),
          start_(device, 4 * static_cast<std::size_t>(columns_)),
          y_(device,
             static_cast<std::size_t>(rows()) * static_cast<std::size_t>(chunks(columns_))) {}

    void fill(quantal::cuda::queue& on) {
        std::vector<std::uint16_t> random(1 << 19);
        std::uint32_t state = 20261130;
        for (auto& half : random) { // from 1 to 2, or from -2 to -1
            state = state * 1664525u + 1013904223u;
            half = static_cast<std::uint16_t>(0x3c00u | (state >> 16 & 0x83ffu));
        }
        const auto bytes = std::as_bytes(std::span(random));
        const auto fill_all = [&](quantal::cuda::device_memory& to, std::size_t size) {
            for (std::size_t first = 0; first < size; first += bytes.size())
                on.upload(bytes.first(std::min(bytes.size(), size - first)), to.data() + first);
        };
        fill_all(x_, bytes_of_x());
        fill_all(w_, static_cast<std::size_t>(columns_ * depth()));
        const std::vector<std::byte> zeros(
            static_cast<std::size_t>(std::max<std::int64_t>(channels_, 4 * columns_)));
        on.upload(std::span(zeros).first(static_cast<std::size_t>(channels_)), outside_.data());
        on.upload(std::span(zeros).first(4 * static_cast<std::size_t>(columns_)), start_.data());
        on.wait();
    }

    void launch(quantal::cuda::queue& on) {
        using namespace quantal::cuda;
        const image_rows x = rows_of(window_, as<std::uint8_t>(x_), images_, channels_, 0,
                                     as<std::uint8_t>(outside_));
        const auto bytes = static_cast<std::int32_t>(depth());
        const matrix_rows w{as<std::uint8_t>(w_), bytes, columns_, bytes};
        const halves_out finish{{as<std::uint16_t>(y_), chunks(columns_) / 2}, 0.0f, 6.0f};
        const auto multiply = [&]<class Rows>(const Rows& of) {
            with_tile<halves_by_halves::tiles>(
                tile_for(halves_by_halves::tiles, rows(), columns_, on.multiprocessors()),
                [&]<product_tile T>() {
                    using body = product_kernel<T, halves_by_halves, Rows, halves_out>;
                    on.launch(body{of, w, bytes, rows(), as<float>(start_), finish},
                              body::grid(rows(), columns_), arrays());
                });
        };
        if (x.is_matrix())
            multiply(matrix_rows{x.data, x.channels, rows(), x.channels});
        else
            multiply(x);
    }

private:
    /// Bytes of so many halves, as whole chunks.
    [[nodiscard]] static std::int64_t chunks(std::int64_t halves) { return (halves + 7) / 8 * 16; }
    [[nodiscard]] static quantal::reference::image_shape shape_of(const quantal::plan& p,
                                                                  quantal::value v) {
        return p.at(v).shape;
    }
    [[nodiscard]] static quantal::reference::window window_of(const quantal::plan& p,
                                                              quantal::value v) {
        const auto* convolution = std::get_if<quantal::op::conv2d>(&p.at(v).op);
        return quantal::reference::window_of(convolution ? *convolution : quantal::op::conv2d{},
                                             shape_of(p, p.at(v).inputs[0]), shape_of(p, v));
    }
    template <class T>
    [[nodiscard]] static T* as(quantal::cuda::device_memory& m) {
        return reinterpret_cast<T*>(m.data());
    }
    [[nodiscard]] std::int64_t depth() const {
        return window_.kernel.h * window_.kernel.w * channels_;
    }
    [[nodiscard]] std::int32_t rows() const {
        return static_cast<std::int32_t>(images_ * window_.out.h * window_.out.w);
    }
    [[nodiscard]] std::size_t bytes_of_x() const {
        return static_cast<std::size_t>(images_ * window_.in.h * window_.in.w * channels_);
    }
    [[nodiscard]] std::vector<quantal::cuda::host::array> arrays() {
        const auto array = [](auto* data, std::size_t bytes) {
            return std::span(data, bytes / sizeof(*data));
        };
        return {array(as<const std::uint8_t>(x_), bytes_of_x()),
                array(as<const std::uint8_t>(w_), static_cast<std::size_t>(columns_ * depth())),
                array(as<std::uint8_t>(y_), static_cast<std::size_t>(rows() * chunks(columns_)))};
    }

    quantal::reference::window window_;
    std::int32_t images_, columns_;
    std::int64_t channels_; ///< bytes of a pixel
    quantal::cuda::device_memory x_, w_, outside_, start_, y_;
};

} // namespace benchmarks

#endif
