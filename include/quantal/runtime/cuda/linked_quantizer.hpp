// SPDX-License-Identifier: Apache-2.0
/// Fake quantizers of training on arrays that lie on a device, by the library `quantal::cuda` (see
/// linked.hpp). They are put into a stream of the caller's: nothing is copied, or waited for.
#ifndef QUANTAL_RUNTIME_CUDA_LINKED_QUANTIZER_HPP
#define QUANTAL_RUNTIME_CUDA_LINKED_QUANTIZER_HPP

#include <cstddef>
#include <cstdint>
#include <span>

namespace quantal {
inline namespace v0 {
namespace cuda::linked {

/// A device and a stream of it (a cudaStream_t). The host runner has no streams, and arrays of the
/// host.
struct stream {
    int device = 0;
    void* handle = nullptr;
};

/// The codes of rows of one length: a scale and a zero point each, on the device, and bounds.
struct row_codes {
    std::span<const float> scales;
    std::span<const std::int32_t> zero_points;
    std::int32_t lo, hi;
};

/// The sums of a block (`cpu::gradient_sums`): of `g * (r - t)` inside, of `g * r` outside, of `g`
/// outside.
struct block_sums {
    double rounding, steps, clipped;
};

/// `train::fake_quantize`; x and y are aligned to 16 bytes.
void fake_quantize(std::span<const float> x, const row_codes& codes, std::span<float> y, stream on);

/// `train::fake_quantize_gradient`; `parts` are the sums of the blocks of `train::block_size`
/// elements, or what is left of a row, in their order.
void fake_quantize_gradient(std::span<const float> x, std::span<const float> gy,
                            const row_codes& codes, std::span<float> gx,
                            std::span<block_sums> parts, stream on);

} // namespace cuda::linked
} // namespace v0
} // namespace quantal

#endif
