// SPDX-License-Identifier: Apache-2.0
/// The kernels of one instruction set, compiled with its flags; QUANTAL_DISPATCH_ARCH names its
/// tag. Nothing but kernels may be included here: what is not tagged would leak into the other
/// archs.
#include <quantal/kernel/cpu/kernels.hpp>

namespace quantal {
inline namespace v0 {
namespace cpu {

template <class A>
const kernel_set& dispatched();

template <>
const kernel_set& dispatched<QUANTAL_DISPATCH_ARCH>() {
    return kernels_of<QUANTAL_DISPATCH_ARCH>;
}

} // namespace cpu
} // namespace v0
} // namespace quantal
