// SPDX-License-Identifier: Apache-2.0
/// The moving average of extrema, update after update, as `observe::moving_average`.
#ifndef QUANTAL_CUDA_MOVING_AVERAGE_HPP
#define QUANTAL_CUDA_MOVING_AVERAGE_HPP

#include <quantal/arith/affine.hpp>
#include <quantal/kernel/cuda/min_max.hpp>

namespace quantal {
inline namespace v0 {
namespace cuda {

/// `*result = *result * (1 - a) + new * a` from the first of `count` updates on, which is where it
/// starts. One block: a thread for the minimum and one for the maximum, since an average has to be
/// taken in order.
struct moving_average_kernel {
    static constexpr const char* name = "moving_average";
    static constexpr int threads = warp_size;
    using shared = no_shared_memory;

    const extent* updates;
    std::int64_t count;
    float weight_of_new;
    extent* result;

    QUANTAL_DEVICE void operator()() const {
        const int side = thread_index();
        if (side >= 2) return;
        float value = load(updates->values + side);
        for (std::int64_t i = 1; i < count; ++i)
            value = arith::moving_average(value, load(updates[i].values + side), weight_of_new);
        store(result->values + side, value);
    }
};

} // namespace cuda
} // namespace v0
} // namespace quantal

#endif
