// SPDX-License-Identifier: Apache-2.0
/// How threads are counted: warps, blocks and the grid of blocks.
#ifndef QUANTAL_CUDA_GRID_HPP
#define QUANTAL_CUDA_GRID_HPP

#include <quantal/config.hpp>

namespace quantal {
inline namespace v0 {
namespace cuda {

/// Threads of a warp.
inline constexpr int warp_size = 32;

/// Place of a block in its grid, or the grid's size.
struct grid_index {
    int x = 1, y = 1;
};

/// `ceil(count / step)`.
[[nodiscard]] QUANTAL_HD constexpr int blocks_of(int count, int step) {
    return (count + step - 1) / step;
}

} // namespace cuda
} // namespace v0
} // namespace quantal

#endif
