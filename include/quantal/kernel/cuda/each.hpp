// SPDX-License-Identifier: Apache-2.0
/// One thread for each element of an output.
#ifndef QUANTAL_CUDA_EACH_HPP
#define QUANTAL_CUDA_EACH_HPP

#include <quantal/kernel/cuda/kernel.hpp>
#include <quantal/kernel/cuda/thread.hpp>

namespace quantal {
inline namespace v0 {
namespace cuda {

/// `f(i)` for all `i` below `count`. Any grid of one dimension will do.
template <class F>
struct each_kernel {
    static constexpr const char* name = F::name;
    static constexpr int threads = 128;
    using shared = no_shared_memory;

    std::int64_t count;
    F f;

    QUANTAL_DEVICE void operator()() const {
        const std::int64_t step = std::int64_t{threads} * grid_size().x;
        std::int64_t i = std::int64_t{threads} * block_index().x + thread_index();
        for (; i < count; i += step)
            f(i);
    }
};

} // namespace cuda
} // namespace v0
} // namespace quantal

#endif
