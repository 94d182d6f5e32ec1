// SPDX-License-Identifier: Apache-2.0
/// Additions that threads may make to the same place at once: in the host runner. The line that a
/// function is called from is named in errors.
#ifndef QUANTAL_CUDA_HOST_ATOMIC_HPP
#define QUANTAL_CUDA_HOST_ATOMIC_HPP

#include <quantal/kernel/cuda/host/machine.hpp>

#include <concepts>

namespace quantal {
inline namespace v0 {
namespace cuda {

template <std::unsigned_integral T>
void add_atomic(T* to, std::type_identity_t<T> value, int line = __builtin_LINE()) {
    host::machine::running().check({to, sizeof(T), true, true}, alignof(T), line);
    *to += value;
}

} // namespace cuda
} // namespace v0
} // namespace quantal

#endif
