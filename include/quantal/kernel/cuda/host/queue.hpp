// SPDX-License-Identifier: Apache-2.0
/// Memory and order of a device: in the host runner, where everything is done when it is asked for.
#ifndef QUANTAL_CUDA_HOST_QUEUE_HPP
#define QUANTAL_CUDA_HOST_QUEUE_HPP

#include <quantal/kernel/cuda/error.hpp>
#include <quantal/kernel/cuda/host/run.hpp>
#include <quantal/kernel/cuda/pack.hpp>

#include <functional>
#include <utility>

namespace quantal {
inline namespace v0 {
namespace cuda {

/// Whether devices are the host runner.
inline constexpr bool is_host_runner = true;

/// Throws `device_error` for any device but 0.
[[nodiscard]] inline std::string name_of_device(int device) {
    if (device != 0)
        quantal::detail::fail<device_error>("cuda: there is no device ", device,
                                            "; the host runner is device 0");
    return "host runner";
}

/// Bytes on a device, not initialized there.
class device_memory {
public:
    device_memory(int device, std::size_t bytes) : chunks_((bytes + 15) / 16) {
        (void)name_of_device(device);
    }
    [[nodiscard]] std::byte* data() { return reinterpret_cast<std::byte*>(chunks_.data()); }

private:
    std::vector<pack<std::byte, 16>> chunks_;
};

/// Bytes of the host that a device copies from and to by itself.
class pinned_memory {
public:
    pinned_memory(int device, std::size_t bytes) : memory_(device, bytes) {}
    [[nodiscard]] std::byte* data() { return memory_.data(); }

private:
    device_memory memory_;
};

/// What a queue has recorded.
using recording = std::function<void()>;

/// Does one thing after the other. As on a device, copies are made at some time until `wait`: what
/// goes down arrives as late as that, and what goes up must not change before.
class queue {
public:
    explicit queue(int) {}
    /// In the order of a stream of others.
    queue(int, void* /*stream*/) {}

    /// Those that a launch wants to fill: an H100's.
    [[nodiscard]] static int multiprocessors() { return 132; }

    /// The kernel may access `arrays` only; its threads run in another order at each launch.
    template <kernel Kernel>
    void launch(const Kernel& body, grid_index grid, const std::vector<host::array>& arrays) {
        host::run(body, grid, arrays, ++launches_);
    }
    /// `from` may change, and `to` of `download` has its values, after `wait`.
    void upload(std::span<const std::byte> from, std::byte* to) {
        std::copy(from.begin(), from.end(), to);
        up_.push_back({from, {from.begin(), from.end()}});
    }
    void download(const std::byte* from, std::span<std::byte> to) {
        down_.push_back({to, {from, from + to.size()}});
    }
    /// Throws `device_error` if what was to be copied has changed since.
    void wait() {
        for (const auto& [from, bytes] : std::exchange(up_, {}))
            if (!std::equal(from.begin(), from.end(), bytes.begin()))
                quantal::detail::fail<device_error>("cuda: ", from.size(),
                                                    " bytes changed after upload and before wait");
        for (const auto& [to, bytes] : std::exchange(down_, {}))
            std::copy(bytes.begin(), bytes.end(), to.begin());
    }

    /// What `f` asks of this queue, to be replayed as often as wanted.
    [[nodiscard]] recording record(const std::function<void()>& f) { return f; }
    void replay(const recording& r) { r(); }

private:
    /// A copy on its way, and the bytes as they were when it was asked for.
    template <class Byte>
    struct pending {
        std::span<Byte> place;
        std::vector<std::byte> bytes;
    };

    unsigned launches_ = 0;
    std::vector<pending<const std::byte>> up_;
    std::vector<pending<std::byte>> down_;
};

} // namespace cuda
} // namespace v0
} // namespace quantal

#endif
