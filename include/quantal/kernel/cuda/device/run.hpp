// SPDX-License-Identifier: Apache-2.0
/// The entry of every kernel on a device.
#ifndef QUANTAL_CUDA_DEVICE_RUN_HPP
#define QUANTAL_CUDA_DEVICE_RUN_HPP

#if defined(__CUDACC__)

#include <quantal/kernel/cuda/kernel.hpp>

namespace quantal {
inline namespace v0 {
namespace cuda {

/// Launched with blocks of `Kernel::threads` threads and `shared_bytes<Kernel>` of dynamic shared
/// memory.
template <kernel Kernel>
__global__ void __launch_bounds__(Kernel::threads) run(const __grid_constant__ Kernel body) {
    body();
}

} // namespace cuda
} // namespace v0
} // namespace quantal

#endif
#endif
