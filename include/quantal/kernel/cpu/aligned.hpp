// SPDX-License-Identifier: Apache-2.0
/// Memory that starts at a cache line, so that no register of a packed panel straddles two.
#ifndef QUANTAL_KERNEL_CPU_ALIGNED_HPP
#define QUANTAL_KERNEL_CPU_ALIGNED_HPP

#include <cstddef>
#include <cstdint>
#include <new>
#include <vector>

namespace quantal {
inline namespace v0 {
namespace cpu {

/// Bytes of a cache line, and of the widest register.
inline constexpr std::size_t cache_line = 64;

/// `ceil(a / b)`, and the next multiple of b.
[[nodiscard]] constexpr std::int64_t divided_up(std::int64_t a, std::int64_t b) {
    return (a + b - 1) / b;
}
[[nodiscard]] constexpr std::int64_t rounded_up(std::int64_t a, std::int64_t b) {
    return divided_up(a, b) * b;
}

/// `bytes` up to the next multiple of a cache line.
[[nodiscard]] constexpr std::size_t whole_lines(std::size_t bytes) {
    return (bytes + cache_line - 1) / cache_line * cache_line;
}

template <class T>
struct aligned_allocator {
    using value_type = T;

    aligned_allocator() = default;
    template <class U>
    constexpr aligned_allocator(const aligned_allocator<U>&) {}

    [[nodiscard]] T* allocate(std::size_t count) {
        return static_cast<T*>(::operator new (count * sizeof(T), std::align_val_t{cache_line}));
    }
    void deallocate(T* p, std::size_t) { ::operator delete (p, std::align_val_t{cache_line}); }

    friend bool operator==(const aligned_allocator&, const aligned_allocator&) = default;
};

template <class T>
using aligned_vector = std::vector<T, aligned_allocator<T>>;

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
