// SPDX-License-Identifier: Apache-2.0
/// Memory and order of a device: in the host runner, where everything is done when it is asked for.
#ifndef QUANTAL_CUDA_HOST_QUEUE_HPP
#define QUANTAL_CUDA_HOST_QUEUE_HPP

#include <quantal/kernel/cuda/error.hpp>
#include <quantal/kernel/cuda/host/run.hpp>
#include <quantal/kernel/cuda/pack.hpp>

#include <functional>

namespace quantal {
inline namespace v0 {
namespace cuda {

/// Bytes on a device, not initialized there.
class device_memory {
public:
    device_memory(int device, std::size_t bytes) : chunks_((bytes + 15) / 16) {
        if (device != 0)
            quantal::detail::fail<device_error>("cuda: there is no device ", device,
                                                "; the host runner is device 0");
    }
    [[nodiscard]] std::byte* data() { return reinterpret_cast<std::byte*>(chunks_.data()); }

private:
    std::vector<pack<std::byte, 16>> chunks_;
};

/// What a queue has recorded.
using recording = std::function<void()>;

/// Does one thing after the other.
class queue {
public:
    explicit queue(int) {}

    /// Those that a launch wants to fill: an H100's.
    [[nodiscard]] static int multiprocessors() { return 132; }

    /// The kernel may access `arrays` only; its threads run in another order at each launch.
    template <kernel Kernel>
    void launch(const Kernel& body, grid_index grid, const std::vector<host::array>& arrays) {
        host::run(body, grid, arrays, ++launches_);
    }
    void upload(std::span<const std::byte> from, std::byte* to) {
        std::copy(from.begin(), from.end(), to);
    }
    void download(const std::byte* from, std::span<std::byte> to) {
        std::copy(from, from + to.size(), to.begin());
    }
    void wait() {}

    /// The launches of `f`, to be replayed as often as wanted.
    [[nodiscard]] recording record(const std::function<void()>& f) { return f; }
    void replay(const recording& r) { r(); }

private:
    unsigned launches_ = 0;
};

} // namespace cuda
} // namespace v0
} // namespace quantal

#endif
