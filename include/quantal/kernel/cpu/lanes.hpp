// SPDX-License-Identifier: Apache-2.0
/// Registers as values, for every instruction set: vectors of the compiler, which has operators for
/// them at any width. What depends on an instruction that operators cannot name is in dot.hpp.
/// Everything here takes the tag as an argument and is always inlined, so that no function that was
/// compiled for one instruction set can be linked into the code for another.
#ifndef QUANTAL_KERNEL_CPU_LANES_HPP
#define QUANTAL_KERNEL_CPU_LANES_HPP

#include <quantal/kernel/cpu/arch.hpp>

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace quantal {
inline namespace v0 {
namespace cpu {

namespace detail {

template <class T, int Bytes>
struct vector {
    using type __attribute__((vector_size(Bytes))) = T;
};

} // namespace detail

/// One register of T.
template <class A, class T>
using lanes = typename detail::vector<T, A::width>::type;

/// How many int32 or float lanes a register has.
template <class A>
inline constexpr int lane_count = A::width / 4;

/// As many bytes (or int16) as a register has int32 lanes.
template <class A, class T>
using narrow = typename detail::vector<T, lane_count<A>* int{sizeof(T)}>::type;

template <class V>
QUANTAL_INLINE V load(const void* from) {
    V v;
    __builtin_memcpy(&v, from, sizeof(V));
    return v;
}

template <class V>
QUANTAL_INLINE void store(void* to, V v) {
    __builtin_memcpy(to, &v, sizeof(V));
}

/// Calls `f(i)` with i = 0 ... Count-1 as constants: a loop that is unrolled before optimization,
/// so that an array of registers stays in registers.
template <int Count, class F>
QUANTAL_INLINE void repeat(F&& f) {
    [&]<int... I>(std::integer_sequence<int, I...>) QUANTAL_INLINE_LAMBDA {
        (f(std::integral_constant<int, I>{}), ...);
    }
    (std::make_integer_sequence<int, Count>{});
}

/// Copies `bytes` of fewer than Size by powers of two. (g++ turns a loop into a call of memcpy,
/// which took a quarter of a layer's time.)
template <int Size>
QUANTAL_INLINE void copy_part(const void* from, std::size_t bytes, void* to) {
    static_assert(Size <= 64);
    const auto* source = static_cast<const unsigned char*>(from);
    auto* target = static_cast<unsigned char*>(to);
    repeat<6>([&](auto i) QUANTAL_INLINE_LAMBDA {
        constexpr int part = 32 >> i;
        if constexpr (part < Size)
            if (bytes & part) {
                __builtin_memcpy(target, source, part);
                source += part;
                target += part;
            }
    });
}

/// The first `bytes` of a register, not all of them, the rest untouched.
template <class V>
QUANTAL_INLINE void store_part(void* to, V v, std::size_t bytes) {
    copy_part<sizeof(V)>(&v, bytes, to);
}

template <class V>
QUANTAL_INLINE V load_part(const void* from, std::size_t bytes) {
    V v{};
    copy_part<sizeof(V)>(from, bytes, &v);
    return v;
}

/// `value` in every lane.
template <class A, class T>
QUANTAL_INLINE lanes<A, T> fill(T value) {
    return value - lanes<A, T>{}; // not a sum, which would turn -0 into 0
}

/// The four bytes at `from` in every int32 lane.
template <class A>
QUANTAL_INLINE lanes<A, std::int32_t> broadcast(const void* from) {
    return fill<A>(load<std::int32_t>(from));
}

/// Makes `v` complete and in a register (in memory, where no register is wide enough): a barrier
/// like arith::rounded. It keeps a product out of a fused multiply-add, and an accumulator in
/// place.
template <class A, class V>
QUANTAL_INLINE void settle(V& v) {
    if constexpr (is_emulated<A>)
        __asm__("" : "+m"(v));
    else
#if defined(__x86_64__) || defined(__i386__)
        __asm__("" : "+v"(v));
#elif defined(__aarch64__)
        __asm__("" : "+w"(v));
#else
        __asm__("" : "+m"(v));
#endif
}

/// arith::rounded of a register.
template <class A>
QUANTAL_INLINE lanes<A, float> rounded(lanes<A, float> v) {
    settle<A>(v);
    return v;
}

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
