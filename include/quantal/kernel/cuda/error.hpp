// SPDX-License-Identifier: Apache-2.0
/// What goes wrong on a device.
#ifndef QUANTAL_CUDA_ERROR_HPP
#define QUANTAL_CUDA_ERROR_HPP

#include <quantal/error.hpp>

namespace quantal {
inline namespace v0 {
namespace cuda {

/// A call of CUDA failed: names the call.
struct device_error : error {
    using error::error;
};

} // namespace cuda
} // namespace v0
} // namespace quantal

#endif
