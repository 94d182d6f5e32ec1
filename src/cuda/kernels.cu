// SPDX-License-Identifier: Apache-2.0
/// Every kernel, for nvcc; with QUANTAL_CUDA_FAMILY (as in product_family) those of one family.
#include "families.hpp"

#include <quantal/kernel/cuda/device/run.hpp>

namespace quantal {
inline namespace v0 {
namespace cuda {

/// Where the entries of kernels are: whoever asks has them compiled.
template <class... K>
void add_entries(kernels<K...>, const void** to) {
    ((*to++ = reinterpret_cast<const void*>(&run<K>)), ...);
}

void add_all_entries(const void** to) {
#if defined(QUANTAL_CUDA_FAMILY)
    add_entries(QUANTAL_CUDA_FAMILY{}, to);
#else
    for_each_family([to](const char*, auto family) { add_entries(family, to); });
#endif
}

} // namespace cuda
} // namespace v0
} // namespace quantal
