// SPDX-License-Identifier: Apache-2.0
/// Where the tests execute kernels: on a device if nvcc compiles them, else in the host runner.
#ifndef QUANTAL_TESTS_KERNEL_CUDA_LAUNCH_HPP
#define QUANTAL_TESTS_KERNEL_CUDA_LAUNCH_HPP

#include <vector>

#if defined(__CUDACC__)

#include <quantal/error.hpp>
#include <quantal/kernel/cuda/device/run.hpp>
#include <quantal/kernel/cuda/host/memory.hpp>

#include <cstdio>
#include <cstdlib>

namespace support {

/// Throws unless a call of the runtime went well. Where there is no device the test is skipped.
inline void check(cudaError_t result) {
    if (result == cudaSuccess) return;
    const char* what = cudaGetErrorString(result);
    if (result != cudaErrorNoDevice && result != cudaErrorInsufficientDriver)
        quantal::detail::fail<quantal::error>("CUDA: ", what);
    std::printf("skipped: there is no CUDA device (%s)\n", what);
    std::fflush(stdout);
    constexpr int skipped = 77;
    std::_Exit(skipped);
}

/// Memory that device and host share.
template <class T>
struct managed {
    using value_type = T;
    managed() = default;
    template <class U>
    managed(const managed<U>&) {}

    [[nodiscard]] T* allocate(std::size_t count) {
        void* memory = nullptr;
        check(cudaMallocManaged(&memory, count * sizeof(T)));
        return static_cast<T*>(memory);
    }
    void deallocate(T* memory, std::size_t) { cudaFree(memory); }
    friend bool operator==(const managed&, const managed&) = default;
};

template <class T>
using array = std::vector<T, managed<T>>;

/// Waits for the kernel. The arrays that it may access and the order's seed are the host runner's.
template <quantal::cuda::kernel Kernel>
void launch(const Kernel& body, quantal::cuda::grid_index grid,
            const std::vector<quantal::cuda::host::array>&, unsigned) {
    const dim3 blocks(static_cast<unsigned>(grid.x), static_cast<unsigned>(grid.y));
    void* arguments[] = {const_cast<Kernel*>(&body)};
    check(cudaLaunchKernel(&quantal::cuda::run<Kernel>, blocks, Kernel::threads, arguments,
                           quantal::cuda::shared_bytes<Kernel>, nullptr));
    check(cudaDeviceSynchronize());
}

} // namespace support

#else

#include <quantal/kernel/cuda/host/run.hpp>

namespace support {

template <class T>
using array = std::vector<T>;

template <quantal::cuda::kernel Kernel>
void launch(const Kernel& body, quantal::cuda::grid_index grid,
            std::vector<quantal::cuda::host::array> arrays, unsigned seed) {
    quantal::cuda::host::run(body, grid, std::move(arrays), seed);
}

} // namespace support

#endif
#endif
