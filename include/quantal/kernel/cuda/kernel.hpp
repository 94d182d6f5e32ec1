// SPDX-License-Identifier: Apache-2.0
/// What a kernel is: an object whose members are its arguments and whose call is one thread's work.
/// A device calls it through device/run.hpp, the host runner through host/run.hpp.
#ifndef QUANTAL_CUDA_KERNEL_HPP
#define QUANTAL_CUDA_KERNEL_HPP

#include <quantal/kernel/cuda/grid.hpp>

#include <type_traits>

namespace quantal {
inline namespace v0 {
namespace cuda {

/// The `shared` of a kernel that uses no shared memory.
struct no_shared_memory {};

/// Has a name, the number of threads of a block (whole warps) and the type of its shared memory.
template <class K>
concept kernel = std::is_trivially_copyable_v<K> &&
                 std::is_trivially_copyable_v<typename K::shared> && K::threads >
0 && K::threads % warp_size == 0 && K::threads <= 1024 && requires {
    K::name;
};

/// Bytes of shared memory of a block.
template <kernel K>
inline constexpr std::size_t shared_bytes = std::is_empty_v<typename K::shared>
                                                ? 0
                                                : sizeof(typename K::shared);

} // namespace cuda
} // namespace v0
} // namespace quantal

#endif
