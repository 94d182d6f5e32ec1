// SPDX-License-Identifier: Apache-2.0
/// Memory and threads to run a network in.
#ifndef QUANTAL_RUNTIME_CPU_CONTEXT_HPP
#define QUANTAL_RUNTIME_CPU_CONTEXT_HPP

#include <quantal/runtime/arena.hpp>
#include <quantal/runtime/cpu/step.hpp>

#include <chrono>
#include <memory>

namespace quantal {
inline namespace v0 {
namespace cpu {

/// Where the slots of a network lie when it runs a batch of `images`; the caller's two take
/// nothing.
[[nodiscard]] inline arena_plan plan_slots(const network& net, std::int64_t images) {
    std::vector<lifetime> lives(net.slots.size(), lifetime{0, net.steps.size(), 0});
    const auto touch = [&](slot_index s, std::size_t step) {
        lives[s].first = std::min(lives[s].first, step);
        lives[s].last = std::max(lives[s].last, step);
    };
    for (std::size_t i = 0; i < net.steps.size(); ++i) {
        for (const slot_index x : net.steps[i].inputs)
            touch(x, i);
        touch(net.steps[i].output, i);
    }
    for (slot_index s = output_slot + 1; s < lives.size(); ++s)
        lives[s].bytes = net.slots[s].bytes() * static_cast<std::size_t>(images);
    return plan_arena(lives);
}

/// Runs one network on batches of up to `batch` images, as often as wanted, without allocating. One
/// run at a time: threads that run the same network at once have a context each.
class context {
public:
    /// With threads of its own (0: as many as the machine has).
    context(std::shared_ptr<const network> net, std::int64_t batch, int threads = 0)
        : context(std::move(net), batch,
                  std::make_unique<thread_pool>(thread_count(threads, SIZE_MAX))) {}
    /// With the caller's, which outlive it.
    context(std::shared_ptr<const network> net, std::int64_t batch, parallel_ref parallel)
        : net_(std::move(net)), batch_(batch), parallel_(parallel), plan_(plan_slots(*net_, batch)),
          values_(plan_.bytes), slots_(net_->slots.size()), workspace_bytes_(largest_workspace()),
          workspaces_(workspace_bytes_ * parallel.workers()), seconds_(net_->steps.size()) {
        for (std::size_t s = 0; s < slots_.size(); ++s)
            slots_[s] = values_.data() + plan_.offsets[s];
    }

    [[nodiscard]] std::int64_t batch() const { return batch_; }
    /// Bytes of values and scratch memory.
    [[nodiscard]] std::size_t bytes() const {
        return plan_.bytes + workspace_bytes_ * parallel_.workers();
    }

    /// From images [n, channels, height, width] to the output [n, ...], n at most `batch()`. After
    /// each step `seen(step, frame)` may look at what it wrote. Throws `shape_error` for other
    /// sizes.
    template <class F>
    void run(std::span<const float> images, std::span<float> output, F&& seen) {
        const auto image = static_cast<std::size_t>(net_->slots[images_slot].elements());
        const auto result = static_cast<std::size_t>(net_->slots[output_slot].elements());
        const std::size_t count = images.size() / image;
        if (count > static_cast<std::size_t>(batch_) || images.size() != count * image ||
            output.size() != count * result)
            quantal::detail::fail<shape_error>("a context for up to ", batch_, " images of ", image,
                                               " values takes ", images.size(), " values to ",
                                               output.size(), "; an image gives ", result);
        slots_[images_slot] =
            reinterpret_cast<std::byte*>(const_cast<float*>(images.data())); // only read
        slots_[output_slot] = reinterpret_cast<std::byte*>(output.data());
        const frame at{static_cast<std::int64_t>(count), slots_, parallel_, workspaces_.data(),
                       workspace_bytes_};
        for (std::size_t i = 0; i < net_->steps.size(); ++i) {
            const auto start = std::chrono::steady_clock::now();
            net_->steps[i].run(at);
            seconds_[i] +=
                std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
            seen(net_->steps[i], at);
        }
        images_ += at.images;
    }
    void run(std::span<const float> images, std::span<float> output) {
        run(images, output, [](const step&, const frame&) {});
    }

    /// What each step took so far, in all runs together, and for how many images.
    [[nodiscard]] std::span<const double> seconds() const { return seconds_; }
    [[nodiscard]] std::int64_t images() const { return images_; }
    /// Begins to count anew.
    void reset_seconds() {
        std::fill(seconds_.begin(), seconds_.end(), 0.0);
        images_ = 0;
    }

private:
    context(std::shared_ptr<const network> net, std::int64_t batch,
            std::unique_ptr<thread_pool> pool)
        : context(std::move(net), batch, parallel_ref(*pool)) {
        pool_ = std::move(pool);
    }

    [[nodiscard]] std::size_t largest_workspace() const {
        std::size_t most = 0;
        for (const step& s : net_->steps)
            most = std::max(most, s.workspace);
        return (most + arena_alignment - 1) / arena_alignment * arena_alignment;
    }

    std::shared_ptr<const network> net_;
    std::int64_t batch_;
    std::unique_ptr<thread_pool> pool_;
    parallel_ref parallel_;
    arena_plan plan_;
    arena values_;
    std::vector<std::byte*> slots_;
    std::size_t workspace_bytes_;
    arena workspaces_;
    std::vector<double> seconds_;
    std::int64_t images_ = 0;
};

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
