// SPDX-License-Identifier: Apache-2.0
/// A queue that launches nothing: it notes what would be launched, and has no memory.
#ifndef QUANTAL_BENCHMARKS_GPU_LISTING_QUEUE_HPP
#define QUANTAL_BENCHMARKS_GPU_LISTING_QUEUE_HPP

#include "gpu/kernel_facts.hpp"

#include <quantal/kernel/cuda/error.hpp>
#include <quantal/kernel/cuda/host/memory.hpp>

#include <functional>
#include <span>
#include <vector>

namespace quantal {
inline namespace v0 {
namespace cuda {

/// Room for nothing; its address is never read.
class device_memory {
public:
    device_memory(int, std::size_t) {}
    [[nodiscard]] std::byte* data() { return &place_; }

private:
    std::byte place_{};
};

using recording = std::function<void()>;

/// For a device of so many multiprocessors.
class queue {
public:
    explicit queue(int multiprocessors) : multiprocessors_(multiprocessors) {}

    [[nodiscard]] int multiprocessors() const { return multiprocessors_; }

    template <kernel Kernel>
    void launch(const Kernel& body, grid_index grid, const std::vector<host::array>& arrays) {
        benchmarks::launch_facts facts = benchmarks::facts_of(body);
        facts.blocks = std::int64_t{grid.x} * grid.y;
        for (const host::array& a : arrays)
            (a.is_writable ? facts.written_bytes : facts.read_bytes) += a.bytes;
        launches.push_back(std::move(facts));
    }
    void upload(std::span<const std::byte>, std::byte*) {}
    void download(const std::byte*, std::span<std::byte>) {}
    void wait() {}
    [[nodiscard]] recording record(const std::function<void()>& f) { return f; }
    void replay(const recording& r) { r(); }

    std::vector<benchmarks::launch_facts> launches;

private:
    int multiprocessors_;
};

} // namespace cuda
} // namespace v0
} // namespace quantal

#endif
