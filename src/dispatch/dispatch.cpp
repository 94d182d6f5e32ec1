// SPDX-License-Identifier: Apache-2.0
#include <quantal/error.hpp>
#include <quantal/kernel/cpu/dispatch.hpp>

#include <cstdlib>
#include <string>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace quantal {
inline namespace v0 {
namespace cpu {

/// Of arch.cpp.
template <class A>
const kernel_set& dispatched();

namespace {

#if defined(__x86_64__)

/// The registers of one leaf of cpuid; zeros where it has none.
struct leaf {
    unsigned a = 0, b = 0, c = 0, d = 0;
    explicit leaf(unsigned number, unsigned part = 0) {
        __get_cpuid_count(number, part, &a, &b, &c, &d);
    }
};

constexpr bool has(unsigned word, std::initializer_list<int> bits) {
    for (const int bit : bits)
        if ((word >> bit & 1) == 0) return false;
    return true;
}

/// Whether the operating system saves the registers of these bits of XCR0.
bool saved(unsigned wanted) {
    if (!has(leaf(1).c, {27})) return false;
    unsigned low = 0, high = 0;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (low & wanted) == wanted;
}

/// What the CPU and the operating system must have: Intel 64 and IA-32 Architectures Software
/// Developer's Manual, volume 2, CPUID.
[[maybe_unused]] bool runs(generic) {
    return true;
}
[[maybe_unused]] bool runs(sse2) {
    return has(leaf(1).d, {26});
}
[[maybe_unused]] bool runs(sse4_1) {
    return has(leaf(1).c, {9, 19});
}
[[maybe_unused]] bool runs(avx2) {
    return has(leaf(1).c, {28}) && saved(0x6) && has(leaf(7).b, {5});
}
[[maybe_unused]] bool runs(avx_vnni) {
    return runs(avx2{}) && has(leaf(7, 1).a, {4});
}
[[maybe_unused]] bool runs(avx512_vnni) {
    return runs(avx2{}) && saved(0xe6) && has(leaf(7).b, {16, 17, 30, 31}) && has(leaf(7).c, {11});
}

#else

[[maybe_unused]] bool runs(generic) {
    return true;
}

#endif

/// Those that were compiled, the best first.
using dispatched_archs = arch_list<QUANTAL_DISPATCH_ARCHS>;

} // namespace

std::vector<const kernel_set*> runnable_kernels() {
    std::vector<const kernel_set*> result;
    dispatched_archs::for_each([&]<class A>() {
        if (runs(A{})) result.push_back(&dispatched<A>());
    });
    return result;
}

const kernel_set& kernels_named(const char* arch) {
    const std::string wanted = arch;
    const std::vector<const kernel_set*> runnable = runnable_kernels();
    if (wanted.empty()) return *runnable.front();
    std::string names;
    bool known = false;
    dispatched_archs::for_each([&]<class A>() { known = known || wanted == A::name(); });
    for (const kernel_set* kernels : runnable) {
        if (wanted == kernels->name) return *kernels;
        names += names.empty() ? kernels->name : std::string(", ") + kernels->name;
    }
    quantal::detail::fail<spec_error>("the kernels \"", wanted, "\" are ",
                                      known ? "not for this CPU" : "unknown", "; it can run ",
                                      names);
}

const kernel_set& default_kernels() {
    static const kernel_set& chosen = [&]() -> const kernel_set& {
        const char* arch = std::getenv("QUANTAL_ARCH");
        return kernels_named(arch ? arch : "");
    }();
    return chosen;
}

} // namespace cpu
} // namespace v0
} // namespace quantal
