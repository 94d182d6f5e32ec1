// SPDX-License-Identifier: Apache-2.0
/// Additions that threads may make to the same place at once. Only of integers: their sum does not
/// depend on the order. nvcc takes them from device/, every other compiler from the host runner.
#ifndef QUANTAL_CUDA_ATOMIC_HPP
#define QUANTAL_CUDA_ATOMIC_HPP

#if defined(__CUDACC__)
#include <quantal/kernel/cuda/device/atomic.hpp>
#else
#include <quantal/kernel/cuda/host/atomic.hpp>
#endif

#endif
