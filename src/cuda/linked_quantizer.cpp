// SPDX-License-Identifier: Apache-2.0
/// The quantizers of the library `quantal::cuda`.
#include <quantal/kernel/cuda/elementwise.hpp>
#include <quantal/kernel/cuda/fake_quantize_gradient.hpp>
#include <quantal/kernel/cuda/queue.hpp>
#include <quantal/runtime/cuda/builder.hpp>
#include <quantal/runtime/cuda/linked_quantizer.hpp>
#include <quantal/train/fake_quantize.hpp>

namespace quantal {
inline namespace v0 {
namespace cuda::linked {

void fake_quantize(std::span<const float> x, const row_codes& codes, std::span<float> y,
                   stream on) {
    const auto rows = std::ssize(codes.scales), count = std::ssize(x);
    const code_grid grid{
        codes.scales.data(), codes.zero_points.data(), {count / rows, rows}, codes.lo, codes.hi};
    using body = fake_quantize_kernel;
    queue(on.device, on.handle)
        .launch(body{x.data(), y.data(), count, {grid}}, shared_grid(count, 4 * body::threads),
                {x, codes.scales, codes.zero_points, y});
}

void fake_quantize_gradient(std::span<const float> x, std::span<const float> gy,
                            const row_codes& codes, std::span<float> gx,
                            std::span<block_sums> parts, stream on) {
    static_assert(sizeof(block_sums) == sizeof(gradient_sums));
    using body = fake_quantize_gradient_kernel;
    constexpr int blocks_at_once = body::threads / body::lanes;
    const body kernel{x.data(),
                      gy.data(),
                      gx.data(),
                      codes.scales.data(),
                      codes.zero_points.data(),
                      std::ssize(x) / std::ssize(codes.scales),
                      static_cast<std::int64_t>(train::block_size),
                      std::ssize(parts),
                      codes.lo,
                      codes.hi,
                      reinterpret_cast<gradient_sums*>(parts.data())};
    const auto grid = (std::ssize(parts) + blocks_at_once - 1) / blocks_at_once;
    queue(on.device, on.handle)
        .launch(kernel, {static_cast<int>(grid), 1},
                {x, gy, gx, codes.scales, codes.zero_points, parts});
}

} // namespace cuda::linked
} // namespace v0
} // namespace quantal
