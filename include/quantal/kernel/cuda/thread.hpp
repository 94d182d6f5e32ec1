// SPDX-License-Identifier: Apache-2.0
/// What the source of a kernel may call: `thread_index`, `load`, `sync_threads`, `shuffle_down`,
/// `copy_async`, `mma` and the like. nvcc takes them from device/, every other compiler from the
/// host runner in host/, which executes the same kernel with fibers and checks what it does.
#ifndef QUANTAL_CUDA_THREAD_HPP
#define QUANTAL_CUDA_THREAD_HPP

#if defined(__CUDACC__)
#include <quantal/kernel/cuda/device/bytes.hpp>
#include <quantal/kernel/cuda/device/copy.hpp>
#include <quantal/kernel/cuda/device/half.hpp>
#include <quantal/kernel/cuda/device/matrix.hpp>
#include <quantal/kernel/cuda/device/thread.hpp>
#else
#include <quantal/kernel/cuda/host/bytes.hpp>
#include <quantal/kernel/cuda/host/copy.hpp>
#include <quantal/kernel/cuda/host/matrix.hpp>
#include <quantal/kernel/cuda/host/thread.hpp>
#endif

#endif
