// SPDX-License-Identifier: Apache-2.0
/// The entry of every kernel on the host.
#ifndef QUANTAL_CUDA_HOST_RUN_HPP
#define QUANTAL_CUDA_HOST_RUN_HPP

#include <quantal/kernel/cuda/host/machine.hpp>
#include <quantal/kernel/cuda/kernel.hpp>

namespace quantal {
inline namespace v0 {
namespace cuda::host {

/// Executes `body` on a grid of blocks. `arrays` are all that it may access beside shared memory;
/// `seed` draws the order of blocks and threads. Throws `kernel_error`, for a grid that a device
/// would not take too.
template <kernel Kernel>
void run(const Kernel& body, grid_index grid, std::vector<array> arrays, unsigned seed) {
    constexpr int most_y = 65535; // x may be any int
    if (grid.x < 1 || grid.y < 1 || grid.y > most_y)
        quantal::detail::fail<kernel_error>("kernel ", Kernel::name, ": a grid of ", grid.x, " x ",
                                            grid.y, " blocks; there is at least one, and at most ",
                                            most_y, " along y");
    const launch l{Kernel::name, Kernel::threads, shared_bytes<Kernel>, grid, seed};
    machine(l, std::move(arrays), [&] { body(); }).run();
}

} // namespace cuda::host
} // namespace v0
} // namespace quantal

#endif
