// SPDX-License-Identifier: Apache-2.0
/// The smallest and the largest value of an array, always compared in the same order: one pair a
/// block, then one of the pairs.
#ifndef QUANTAL_CUDA_MIN_MAX_HPP
#define QUANTAL_CUDA_MIN_MAX_HPP

#include <quantal/kernel/cuda/kernel.hpp>
#include <quantal/kernel/cuda/thread.hpp>

namespace quantal {
inline namespace v0 {
namespace cuda {

/// The smallest and the largest value; [inf, -inf] of none.
using extent = pack<float, 2>;

[[nodiscard]] QUANTAL_DEVICE extent none_seen() {
    return {{__builtin_inff(), -__builtin_inff()}};
}
[[nodiscard]] QUANTAL_DEVICE extent merged(extent a, extent b) {
    return {{b[0] < a[0] ? b[0] : a[0], b[1] > a[1] ? b[1] : a[1]}};
}
/// An element as an extent.
[[nodiscard]] QUANTAL_DEVICE extent extent_of(float x) {
    return {{x, x}};
}
[[nodiscard]] QUANTAL_DEVICE extent extent_of(extent e) {
    return e;
}

/// The extent of each block's share of `count` values, none of them NaN; rows of a grid are rows of
/// values, and of results. `X` is float, or `extent` to merge the results of another launch in a
/// single block of the row.
template <class X>
struct min_max_kernel {
    static constexpr const char* name = "min_max";
    static constexpr int threads = 256;
    struct shared {
        extent warps[threads / warp_size];
    };

    const X* x;
    std::int64_t count;
    extent* result;

    QUANTAL_DEVICE void operator()() const {
        auto& s = shared_memory<shared>();
        extent seen = none_seen();
        const grid_index block = block_index();
        const X* row = x + count * block.y;
        const std::int64_t first = std::int64_t{threads} * block.x + thread_index();
        for (std::int64_t i = first; i < count; i += std::int64_t{threads} * grid_size().x)
            seen = merged(seen, extent_of(load(row + i)));
        seen = of_warp(seen);
        if (thread_index() % warp_size == 0) store(s.warps + thread_index() / warp_size, seen);
        sync_threads();
        if (thread_index() != 0) return;
        for (int w = 1; w < threads / warp_size; ++w)
            seen = merged(seen, load(s.warps + w));
        store(result + std::int64_t{grid_size().x} * block.y + block.x, seen);
    }

private:
    /// In lane 0.
    [[nodiscard]] static QUANTAL_DEVICE extent of_warp(extent seen) {
        for (int lanes = warp_size / 2; lanes > 0; lanes /= 2)
            seen = merged(seen, {{shuffle_down(seen[0], lanes), shuffle_down(seen[1], lanes)}});
        return seen;
    }
};

} // namespace cuda
} // namespace v0
} // namespace quantal

#endif
