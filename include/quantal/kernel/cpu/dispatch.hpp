// SPDX-License-Identifier: Apache-2.0
/// Which kernels run where none are named. Header-only: those of the compiler's flags. Linked with
/// `quantal::dispatch`: the best that this CPU has, or what the environment variable QUANTAL_ARCH
/// names.
#ifndef QUANTAL_KERNEL_CPU_DISPATCH_HPP
#define QUANTAL_KERNEL_CPU_DISPATCH_HPP

#include <quantal/kernel/cpu/kernels.hpp>

#include <vector>

namespace quantal {
inline namespace v0 {
namespace cpu {

#if defined(QUANTAL_DISPATCH)

/// The kernels of `quantal::dispatch` that this CPU can run, the best first.
[[nodiscard]] std::vector<const kernel_set*> runnable_kernels();

/// The kernels named `arch`, or the best if it is empty. Throws `spec_error` if there are none of
/// this name, or the CPU cannot run them.
[[nodiscard]] const kernel_set& kernels_named(const char* arch);

/// `kernels_named` the value of QUANTAL_ARCH, read at the first call.
[[nodiscard]] const kernel_set& default_kernels();

#else

/// (A template, so that no kernel is compiled where nothing runs.)
template <class A = best_arch>
[[nodiscard]] inline const kernel_set& default_kernels() {
    return kernels_of<A>;
}

#endif

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
