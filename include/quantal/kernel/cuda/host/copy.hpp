// SPDX-License-Identifier: Apache-2.0
/// Copies from global to shared memory that run beside the arithmetic: in the host runner, where a
/// copy happens when it is waited for and its bytes cannot be read before.
#ifndef QUANTAL_CUDA_HOST_COPY_HPP
#define QUANTAL_CUDA_HOST_COPY_HPP

#include <quantal/kernel/cuda/host/machine.hpp>

namespace quantal {
inline namespace v0 {
namespace cuda {

/// 16 bytes to shared memory: `valid` of them from global memory, then zeros. Both places are
/// aligned to 16 bytes; the bytes are there after `wait_copies`.
inline void copy_async(std::uint8_t* to, const std::uint8_t* from, int valid,
                       int line = __builtin_LINE()) {
    auto& m = host::machine::running();
    if (valid < 0 || valid > 16) m.fail(line, "copies ", valid, " bytes; 0 to 16 are possible");
    if (!m.shared().holds(to))
        m.fail(line, "copies to ", static_cast<const void*>(to), ", which is not in shared memory");
    if (valid > 0) m.check({from, static_cast<std::size_t>(valid), false}, 16, line);
    m.check({to, 16, true}, 16, line);
    m.shared().await(to, 16, m.self().index, true);
    m.self().copies.push_back({to, from, valid, m.self().groups});
}

/// Ends a group: the copies that this thread has asked for since the last one.
inline void commit_copies() {
    ++host::machine::running().self().groups;
}

/// Waits for all groups of this thread but the newest `Groups`.
template <int Groups>
void wait_copies(int line = __builtin_LINE()) {
    auto& m = host::machine::running();
    host::thread& self = m.self();
    std::erase_if(self.copies, [&](const host::pending_copy& c) {
        if (c.group >= self.groups - Groups) return false;
        m.shared().await(c.to, 16, self.index, false);
        m.check({c.to, 16, true}, 16, line);
        std::memset(c.to, 0, 16);
        if (c.valid > 0) std::memcpy(c.to, c.from, static_cast<std::size_t>(c.valid));
        return true;
    });
}

} // namespace cuda
} // namespace v0
} // namespace quantal

#endif
