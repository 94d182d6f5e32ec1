// SPDX-License-Identifier: Apache-2.0
/// Values that move together: what one instruction loads, stores or exchanges.
#ifndef QUANTAL_CUDA_PACK_HPP
#define QUANTAL_CUDA_PACK_HPP

#include <quantal/config.hpp>

#include <cstdint>

namespace quantal {
inline namespace v0 {
namespace cuda {

/// `Count` values (a power of two), aligned as one.
template <class T, int Count>
struct alignas(sizeof(T) * Count) pack {
    T values[Count];

    QUANTAL_HD constexpr T& operator[](int i) { return values[i]; }
    QUANTAL_HD constexpr const T& operator[](int i) const { return values[i]; }
};

} // namespace cuda
} // namespace v0
} // namespace quantal

#endif
