// SPDX-License-Identifier: Apache-2.0
/// A convolution that is ready to run, whatever computes it: the seam between runtime and kernels.
#ifndef QUANTAL_KERNEL_CPU_CONV_LAYER_HPP
#define QUANTAL_KERNEL_CPU_CONV_LAYER_HPP

#include <cstddef>
#include <cstdint>
#include <string>

namespace quantal {
inline namespace v0 {
namespace cpu {

/// One run of a layer over a batch.
struct conv_call {
    std::int64_t batch;
    const std::uint8_t* x;               ///< [batch, height, width, channels], bytes `q - qmin`
    void* y;                             ///< [batch, height, width, out channels], by output_kind
    const std::uint8_t* other = nullptr; ///< shaped as y, for output_kind::added_codes
    std::int64_t workers = 1;            ///< threads among which its tasks are shared out
};

/// Weights packed for one instruction set, work cut into tasks. Immutable; any number of threads
/// may run tasks of it.
class conv_layer {
public:
    virtual ~conv_layer() = default;

    /// How it is computed, for people: `avx2 words`.
    [[nodiscard]] virtual std::string describe() const = 0;
    /// Bytes of weights as a run reads them.
    [[nodiscard]] virtual std::size_t weight_bytes() const = 0;
    /// Bytes of scratch memory that each running task needs, at a cache line's boundary.
    [[nodiscard]] virtual std::size_t workspace_bytes() const = 0;
    /// Tasks of one run; they are independent of each other.
    [[nodiscard]] virtual std::size_t task_count(const conv_call& call) const = 0;
    /// Runs one task; allocates nothing.
    virtual void run_task(std::size_t task, const conv_call& call,
                          std::byte* workspace) const noexcept = 0;

protected:
    conv_layer() = default;
    conv_layer(const conv_layer&) = default;
    conv_layer& operator=(const conv_layer&) = default;
};

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
