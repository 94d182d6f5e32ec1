// SPDX-License-Identifier: Apache-2.0
/// For which architecture kernels are chosen.
#ifndef QUANTAL_CUDA_CAPABILITY_HPP
#define QUANTAL_CUDA_CAPABILITY_HPP

#include <quantal/kernel/cuda/queue.hpp>

namespace quantal {
inline namespace v0 {
namespace cuda {

/// As in 80 for sm_80. The host runner executes what it is told to; that is what an A100 has.
[[nodiscard]] inline int compute_capability_of(int device) {
    int major = 8, minor = 0;
#if defined(__CUDACC__)
    detail::check(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device),
                  "cudaDeviceGetAttribute");
    detail::check(cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, device),
                  "cudaDeviceGetAttribute");
#else
    static_cast<void>(device);
#endif
    return 10 * major + minor;
}

} // namespace cuda
} // namespace v0
} // namespace quantal

#endif
