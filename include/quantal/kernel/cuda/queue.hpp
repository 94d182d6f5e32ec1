// SPDX-License-Identifier: Apache-2.0
/// Memory of a device and the order of what it does. nvcc takes it from device/, every other
/// compiler from the host runner in host/, which does the same in the memory of the host.
#ifndef QUANTAL_CUDA_QUEUE_HPP
#define QUANTAL_CUDA_QUEUE_HPP

#if defined(__CUDACC__)
#include <quantal/kernel/cuda/device/queue.hpp>
#else
#include <quantal/kernel/cuda/host/queue.hpp>
#endif

#endif
