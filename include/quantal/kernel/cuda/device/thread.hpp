// SPDX-License-Identifier: Apache-2.0
/// Where a thread is, its loads and stores, and how it meets others: on a device.
#ifndef QUANTAL_CUDA_DEVICE_THREAD_HPP
#define QUANTAL_CUDA_DEVICE_THREAD_HPP

#if defined(__CUDACC__)

#include <quantal/kernel/cuda/grid.hpp>
#include <quantal/kernel/cuda/pack.hpp>

namespace quantal {
inline namespace v0 {
namespace cuda {

[[nodiscard]] QUANTAL_DEVICE int thread_index() {
    return static_cast<int>(threadIdx.x);
}
[[nodiscard]] QUANTAL_DEVICE grid_index block_index() {
    return {static_cast<int>(blockIdx.x), static_cast<int>(blockIdx.y)};
}
[[nodiscard]] QUANTAL_DEVICE grid_index grid_size() {
    return {static_cast<int>(gridDim.x), static_cast<int>(gridDim.y)};
}

template <class T>
[[nodiscard]] QUANTAL_DEVICE T load(const T* from) {
    return *from;
}
template <int Count, class T>
[[nodiscard]] QUANTAL_DEVICE pack<T, Count> load_pack(const T* from) {
    return *reinterpret_cast<const pack<T, Count>*>(from);
}
template <class T>
QUANTAL_DEVICE void store(T* to, T value) {
    *to = value;
}
template <class T, int Count>
QUANTAL_DEVICE void store_pack(T* to, const pack<T, Count>& values) {
    *reinterpret_cast<pack<T, Count>*>(to) = values;
}

/// The block's shared memory.
template <class Shared>
[[nodiscard]] QUANTAL_DEVICE Shared& shared_memory() {
    extern __shared__ __align__(16) unsigned char quantal_shared_memory[];
    return *reinterpret_cast<Shared*>(quantal_shared_memory);
}

QUANTAL_DEVICE void sync_threads() {
    __syncthreads();
}

template <class T>
[[nodiscard]] QUANTAL_DEVICE T shuffle_down(T value, int lanes) {
    return __shfl_down_sync(0xffffffffu, value, static_cast<unsigned>(lanes));
}

} // namespace cuda
} // namespace v0
} // namespace quantal

#endif
#endif
