// SPDX-License-Identifier: Apache-2.0
/// Memory of a device and the order of what it does. nvcc takes it from device/, every other
/// compiler from the host runner in host/, which does the same in the memory of the host. A program
/// may name a header of its own in QUANTAL_CUDA_QUEUE, as benchmarks/gpu does to list launches.
#ifndef QUANTAL_CUDA_QUEUE_HPP
#define QUANTAL_CUDA_QUEUE_HPP

#if defined(QUANTAL_CUDA_QUEUE)
#include QUANTAL_CUDA_QUEUE
#elif defined(__CUDACC__)
#include <quantal/kernel/cuda/device/queue.hpp>
#else
#include <quantal/kernel/cuda/host/queue.hpp>
#endif

#endif
