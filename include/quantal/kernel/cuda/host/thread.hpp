// SPDX-License-Identifier: Apache-2.0
/// Where a thread is, its loads and stores, and how it meets others: in the host runner. The line
/// that a function is called from is named in errors.
#ifndef QUANTAL_CUDA_HOST_THREAD_HPP
#define QUANTAL_CUDA_HOST_THREAD_HPP

#include <quantal/kernel/cuda/host/machine.hpp>
#include <quantal/kernel/cuda/pack.hpp>

namespace quantal {
inline namespace v0 {
namespace cuda {

[[nodiscard]] inline int thread_index() {
    return host::machine::running().self().index;
}
[[nodiscard]] inline grid_index block_index() {
    return host::machine::running().block();
}
[[nodiscard]] inline grid_index grid_size() {
    return host::machine::running().grid();
}

template <class T>
[[nodiscard]] T load(const T* from, int line = __builtin_LINE()) {
    host::machine::running().check({from, sizeof(T), false}, alignof(T), line);
    return *from;
}
template <int Count, class T>
[[nodiscard]] pack<T, Count> load_pack(const T* from, int line = __builtin_LINE()) {
    using values = pack<T, Count>;
    host::machine::running().check({from, sizeof(values), false}, alignof(values), line);
    values v;
    std::memcpy(&v, from, sizeof(v));
    return v;
}
template <class T>
void store(T* to, T value, int line = __builtin_LINE()) {
    host::machine::running().check({to, sizeof(T), true}, alignof(T), line);
    *to = value;
}
template <class T, int Count>
void store_pack(T* to, const pack<T, Count>& v, int line = __builtin_LINE()) {
    host::machine::running().check({to, sizeof(v), true}, alignof(pack<T, Count>), line);
    std::memcpy(to, &v, sizeof(v));
}

/// The block's shared memory.
template <class Shared>
[[nodiscard]] Shared& shared_memory() {
    return *reinterpret_cast<Shared*>(host::machine::running().shared().data());
}

inline void sync_threads(int line = __builtin_LINE()) {
    host::machine::running().meet({"sync_threads", line, true});
}

/// The value of the lane `lanes` further on; one's own where there is none.
template <class T>
[[nodiscard]] T shuffle_down(T value, int lanes, int line = __builtin_LINE()) {
    const auto all = host::machine::running().exchange(value, "shuffle_down", line);
    const int lane = thread_index() % warp_size;
    return all[static_cast<std::size_t>(lane + lanes < warp_size ? lane + lanes : lane)];
}

} // namespace cuda
} // namespace v0
} // namespace quantal

#endif
