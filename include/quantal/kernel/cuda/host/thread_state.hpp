// SPDX-License-Identifier: Apache-2.0
/// A thread of the block that is being executed: where it waits and what it has on its way.
#ifndef QUANTAL_CUDA_HOST_THREAD_STATE_HPP
#define QUANTAL_CUDA_HOST_THREAD_STATE_HPP

#include <quantal/kernel/cuda/host/fiber.hpp>

#include <array>
#include <cstdint>
#include <vector>

namespace quantal {
inline namespace v0 {
namespace cuda::host {

/// Where and for whom a thread waits.
struct meeting {
    const char* operation;
    int line;
    bool of_block; ///< otherwise of the warp

    friend bool operator==(const meeting&, const meeting&) = default;
};

/// An asynchronous copy on its way.
struct pending_copy {
    std::uint8_t* to;
    const std::uint8_t* from;
    int valid, group;
};

/// What a lane hands to the others of its warp.
using deposit = std::array<std::byte, 32>;

enum class thread_state { ready, waiting, finished };

struct thread {
    int index = 0;
    std::unique_ptr<fiber> run{};
    thread_state state = thread_state::finished;
    meeting at{};
    /// In turns: a lane is at most one exchange ahead of the others.
    std::array<deposit, 2> deposits{};
    std::size_t exchanges = 0;
    std::vector<pending_copy> copies{};
    int groups = 0; ///< of copies, committed

    [[nodiscard]] bool waits_at(const meeting& m) const {
        return state == thread_state::waiting && at == m;
    }
};

} // namespace cuda::host
} // namespace v0
} // namespace quantal

#endif
