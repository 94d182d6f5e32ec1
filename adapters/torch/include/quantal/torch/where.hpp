// SPDX-License-Identifier: Apache-2.0
/// Where fake quantizers run: on LibTorch's threads, or, for tensors on a CUDA device, on the
/// kernels of `quantal::cuda` in LibTorch's own stream. That takes a program that links
/// `quantal::cuda` and a LibTorch that was built with CUDA.
#ifndef QUANTAL_TORCH_WHERE_HPP
#define QUANTAL_TORCH_WHERE_HPP

#include <quantal/runtime/cuda/linked_quantizer.hpp>
#include <quantal/torch/tensor.hpp>
#include <quantal/train/dorefa.hpp>

#include <ATen/Parallel.h>

#if defined(QUANTAL_LINKED_CUDA) && __has_include(<c10/cuda/impl/cuda_cmake_macros.h>)
#include <c10/cuda/CUDAStream.h>
#endif

namespace quantal {
inline namespace v0 {
namespace torch {

/// LibTorch's threads, as many as at::get_num_threads() says, as a `parallel_policy`.
struct libtorch_threads {
    [[nodiscard]] std::size_t workers() const {
        return static_cast<std::size_t>(at::get_num_threads());
    }
    void run(std::size_t count, task_ref task) {
        at::parallel_for(0, static_cast<std::int64_t>(count), 1,
                         [&](std::int64_t begin, std::int64_t end) {
                             const auto worker = static_cast<std::size_t>(at::get_thread_num());
                             for (std::int64_t i = begin; i < end; ++i)
                                 task(static_cast<std::size_t>(i), worker);
                         });
    }
};

namespace detail {

/// The elements of a dense tensor; throws `shape_error` if there are none.
template <class T = float>
[[nodiscard]] std::span<T> values_of(const at::Tensor& t) {
    if (t.numel() == 0)
        quantal::detail::fail<shape_error>("a fake quantizer got a tensor without elements");
    return {t.data_ptr<T>(), static_cast<std::size_t>(t.numel())};
}
/// Those of one on the CPU; throws `data_error` for another type or device.
[[nodiscard]] inline std::span<float> dense_values(const at::Tensor& t) {
    (void)as_view(t);
    return values_of(t);
}

/// What `train` does to tensors on the CPU.
struct on_threads {
    static void check(const at::Tensor& t) { (void)as_view(t); }
    void fake_quantize(const at::Tensor& x, const qparams& p, const at::Tensor& y) const {
        libtorch_threads threads;
        train::fake_quantize(dense_values(x), p, dense_values(y), threads);
    }
    [[nodiscard]] std::vector<train::gradient_sums>
    fake_quantize_gradient(const at::Tensor& x, const at::Tensor& gy, const qparams& p,
                           const at::Tensor& gx) const {
        libtorch_threads threads;
        return train::fake_quantize_gradient(dense_values(x), dense_values(gy), p, dense_values(gx),
                                             threads);
    }
    void dorefa(const at::Tensor& t, const qparams& p, const at::Tensor& y) const {
        libtorch_threads threads;
        train::dorefa(dense_values(t), p, dense_values(y), threads);
    }
    void dorefa_gradient(const at::Tensor& t, const at::Tensor& gy, const at::Tensor& gw) const {
        libtorch_threads threads;
        train::dorefa_gradient(dense_values(t), dense_values(gy), dense_values(gw), threads);
    }
};

#if defined(QUANTAL_LINKED_CUDA)

/// The same on a CUDA device. The sums of blocks are added on the host, in the order of the CPU:
/// the same bits, except for DoReFa's, which LibTorch computes.
struct on_cuda {
    cuda::linked::stream stream;

    static void check(const at::Tensor& t) {
        if (t.scalar_type() != at::kFloat || t.layout() != at::kStrided || t.is_neg())
            quantal::detail::fail<data_error>("a LibTorch tensor of type ", t.toString(),
                                              t.is_neg() ? ", negated on reading" : "",
                                              "; fake quantizers take strided float32 tensors");
    }
    void fake_quantize(const at::Tensor& x, const qparams& p, const at::Tensor& y) const {
        check(x);
        const rows codes(p, x.device());
        const bool is_aligned = reinterpret_cast<std::uintptr_t>(x.data_ptr()) % 16 == 0;
        const at::Tensor from = is_aligned ? x : x.clone();
        cuda::linked::fake_quantize(values_of(from), codes.of(p.spec), values_of(y), stream);
    }
    [[nodiscard]] std::vector<train::gradient_sums>
    fake_quantize_gradient(const at::Tensor& x, const at::Tensor& gy, const qparams& p,
                           const at::Tensor& gx) const {
        const std::int64_t count = x.numel(), n = std::ssize(p.scales);
        constexpr auto block = static_cast<std::int64_t>(train::block_size);
        const std::int64_t of_row = (count / n + block - 1) / block;
        const rows codes(p, x.device());
        const at::Tensor parts = at::empty({n * of_row, 3}, x.options().dtype(at::kDouble));
        const std::span sums(reinterpret_cast<cuda::linked::block_sums*>(parts.data_ptr()),
                             static_cast<std::size_t>(n * of_row));
        cuda::linked::fake_quantize_gradient(values_of(x), values_of(gy), codes.of(p.spec),
                                             values_of(gx), sums, stream);
        return added(parts.cpu(), static_cast<std::size_t>(n), of_row);
    }
    void dorefa(const at::Tensor& t, const qparams& p, const at::Tensor& y) const {
        fake_quantize(t / divisor(t), p, y);
    }
    void dorefa_gradient(const at::Tensor& t, const at::Tensor& gy, const at::Tensor& gw) const {
        const at::Tensor real = t.to(at::kDouble), g = gy.to(at::kDouble);
        const at::Tensor slope = (1 - real * real) / divisor(t).to(at::kDouble);
        gw.copy_(slope * g);
        const std::int64_t top = t.abs().argmax().item<std::int64_t>();
        const at::Tensor largest = real.flatten()[top];
        if (largest.item<double>() == 0.0) return;
        gw.flatten()[top].copy_(slope.flatten()[top] *
                                (g.flatten()[top] - (g * real).sum() / largest));
    }

private:
    /// Scales and zero points on the device.
    struct rows {
        at::Tensor scales, zero_points;

        rows(const qparams& p, at::Device device)
            : scales(at::tensor(p.scales, at::kFloat).to(device)),
              zero_points(zeros(p).to(device)) {}
        [[nodiscard]] static at::Tensor zeros(const qparams& p) {
            std::vector<std::int32_t> all;
            for (std::size_t row = 0; row < p.scales.size(); ++row)
                all.push_back(p.zero_point(row));
            return at::tensor(all, at::kInt);
        }
        [[nodiscard]] cuda::linked::row_codes of(qspec s) const {
            return {values_of(scales), values_of<std::int32_t>(zero_points), s.qmin(), s.qmax()};
        }
    };

    /// `train::divisor`, on the device.
    [[nodiscard]] static at::Tensor divisor(const at::Tensor& t) {
        const at::Tensor size = t.abs().max();
        return at::where(size > 0, size, at::ones_like(size));
    }
    [[nodiscard]] static std::vector<train::gradient_sums>
    added(const at::Tensor& parts, std::size_t rows, std::int64_t of_row) {
        std::vector<train::gradient_sums> sums(rows);
        const double* part = parts.data_ptr<double>();
        for (train::gradient_sums& row : sums)
            for (std::int64_t block = 0; block < of_row; ++block, part += 3)
                row += {part[0], part[1], part[2]};
        return sums;
    }
};

#endif

/// By the device of a tensor.
struct by_device {
    /// `f(where)` for where `t` is; `on_threads` refuses what is on devices that are not for us.
    template <class F>
    static auto run([[maybe_unused]] const at::Tensor& t, const F& f) {
#if defined(QUANTAL_LINKED_CUDA) && __has_include(<c10/cuda/impl/cuda_cmake_macros.h>)
        if (t.is_cuda()) {
            const auto device = t.device().index();
            return f(on_cuda{{device, c10::cuda::getCurrentCUDAStream(device).stream()}});
        }
#endif
        return f(on_threads{});
    }
};

} // namespace detail
} // namespace torch
} // namespace v0
} // namespace quantal

#endif
