// SPDX-License-Identifier: Apache-2.0
/// Memory and threads to run a network in.
#ifndef QUANTAL_RUNTIME_CPU_CONTEXT_HPP
#define QUANTAL_RUNTIME_CPU_CONTEXT_HPP

#include <quantal/runtime/batch.hpp>
#include <quantal/runtime/cpu/slot_plan.hpp>

#include <array>
#include <chrono>
#include <memory>
#include <utility>

namespace quantal {
inline namespace v0 {
namespace cpu {

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
        : net_(std::move(net)), batch_(batch), parallel_(parallel),
          plan_(*net_, batch, parallel.workers()), values_(plan_.bytes()),
          slots_(net_->slots.size() * parallel.workers()), workspace_bytes_(largest_workspace()),
          workspaces_(workspace_bytes_ * parallel.workers()), seconds_(net_->steps.size()),
          worker_seconds_(seconds_.size() * parallel.workers()) {}

    [[nodiscard]] std::int64_t batch() const { return batch_; }
    /// Bytes of values and scratch memory.
    [[nodiscard]] std::size_t bytes() const {
        return plan_.bytes() + workspace_bytes_ * parallel_.workers();
    }

    /// From images [n, channels, height, width] to the output [n, ...], n at most `batch()`. After
    /// each step that runs a batch at a time `seen(step, frame)` may look at what it wrote. Throws
    /// `shape_error` for other sizes.
    template <class F>
    void run(std::span<const float> images, std::span<float> output, F&& seen) {
        const auto image = static_cast<std::size_t>(net_->slots[images_slot].elements());
        const auto result = static_cast<std::size_t>(net_->slots[output_slot].elements());
        const std::int64_t all =
            quantal::detail::count_images(images, image, output, result, batch_);
        caller_ = {reinterpret_cast<std::byte*>(const_cast<float*>(images.data())), // only read
                   reinterpret_cast<std::byte*>(output.data())};
        run_by_image(all);
        run_steps(net_->by_image, seconds_.size(), together(0, all), seconds_, seen);
        images_ += all;
    }
    void run(std::span<const float> images, std::span<float> output) {
        run(images, output, nothing);
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

    static void nothing(const step&, const frame&) {}

    /// All workers on the images from `first` on.
    [[nodiscard]] frame together(std::int64_t first, std::int64_t count) {
        const std::span slots = slots_of(0, first);
        plan_.find(values_.data(), first, slots);
        return {count, slots, parallel_, workspaces_.data(), workspace_bytes_};
    }
    /// One worker on one image.
    [[nodiscard]] frame alone(std::int64_t image, std::size_t worker) {
        const std::span slots = slots_of(worker, image);
        plan_.find(values_.data(), image, worker, slots);
        return {1, slots, serial_, workspaces_.data() + worker * workspace_bytes_,
                workspace_bytes_};
    }
    [[nodiscard]] std::span<std::byte*> slots_of(std::size_t worker, std::int64_t first) {
        const std::size_t count = net_->slots.size();
        const auto slots = std::span(slots_).subspan(worker * count, count);
        for (const slot_index s : {images_slot, output_slot})
            slots[s] = caller_[s] + static_cast<std::size_t>(first) * net_->slots[s].bytes();
        return slots;
    }

    /// The first steps: every worker takes images of its own, as long as there is one for each.
    void run_by_image(std::int64_t images) {
        if (net_->by_image == 0) return;
        const std::size_t workers = parallel_.workers(), steps = seconds_.size();
        const std::int64_t left = images % static_cast<std::int64_t>(workers);
        auto task = [&](std::size_t i, std::size_t worker) {
            const auto own = std::span(worker_seconds_).subspan(worker * steps, steps);
            run_steps(0, net_->by_image, alone(static_cast<std::int64_t>(i), worker), own, nothing);
        };
        parallel_.run(static_cast<std::size_t>(images - left), task);
        for (std::size_t i = 0; i < worker_seconds_.size(); ++i)
            seconds_[i % steps] +=
                std::exchange(worker_seconds_[i], 0.0) / static_cast<double>(workers);
        if (left > 0)
            run_steps(0, net_->by_image, together(images - left, left), seconds_, nothing);
    }
    template <class F>
    void run_steps(std::size_t begin, std::size_t end, const frame& at, std::span<double> seconds,
                   F&& seen) const {
        for (std::size_t i = begin; i < end; ++i) {
            const auto start = std::chrono::steady_clock::now();
            net_->steps[i].run(at);
            seconds[i] +=
                std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
            seen(net_->steps[i], at);
        }
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
    serial serial_;
    slot_plan plan_;
    arena values_;
    std::array<std::byte*, 2> caller_{}; ///< images and output
    std::vector<std::byte*> slots_;      ///< of every worker
    std::size_t workspace_bytes_;
    arena workspaces_;
    std::vector<double> seconds_, worker_seconds_;
    std::int64_t images_ = 0;
};

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
