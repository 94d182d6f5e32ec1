// SPDX-License-Identifier: Apache-2.0
/// Memory of a device to run a network in, and the order of its launches.
#ifndef QUANTAL_RUNTIME_CUDA_CONTEXT_HPP
#define QUANTAL_RUNTIME_CUDA_CONTEXT_HPP

#include <quantal/runtime/arena.hpp>
#include <quantal/runtime/batch.hpp>
#include <quantal/runtime/cuda/frame.hpp>

#include <limits>
#include <map>

namespace quantal {
inline namespace v0 {
namespace cuda {

/// Runs one network on batches of up to `batch` images, as often as wanted. One run at a time:
/// threads that run the same network at once have a context each.
class context {
public:
    /// Throws `shape_error` for a batch below 0 or one of more pixels than 32 bits count.
    context(std::shared_ptr<const network> net, std::int64_t batch)
        : net_(std::move(net)), batch_(checked(batch)), plan_(plan()),
          memory_(net_->device, plan_.bytes), images_(staging(net_->images())),
          result_(staging(net_->output())), on_(net_->device) {}
    context(const context&) = delete; // recordings refer to it
    context& operator=(const context&) = delete;

    [[nodiscard]] std::int64_t batch() const { return batch_; }
    /// Bytes of values.
    [[nodiscard]] std::size_t bytes() const { return plan_.bytes; }

    /// From images [n, channels, height, width] to the output [n, ...], n at most `batch()`. The
    /// launches of each n are recorded once, with the copies before and behind them: all between
    /// pinned memory and the result there is one call. Throws `shape_error` for other sizes.
    void run(std::span<const float> images, std::span<float> result) {
        const std::int64_t count = take(images, result);
        if (count == 0) return;
        auto found = recordings_.find(count);
        if (found == recordings_.end()) {
            const auto all = [this, count] {
                upload(count);
                for_each_step(count, [](std::size_t) {});
                download(count);
            };
            found = recordings_.emplace(count, on_.record(all)).first;
        }
        on_.replay(found->second);
        give(count, result);
    }
    /// The same; after each step `seen(v, codes)` gets what node `v` put out: bytes as they lie in
    /// its slot, none if it is real.
    template <class F>
    void run(std::span<const float> images, std::span<float> result, F&& seen) {
        const std::int64_t count = take(images, result);
        if (count == 0) return;
        upload(count);
        for_each_step(count, [&](std::size_t v) {
            if (net_->slots[v].codes) seen(v, values<std::uint8_t>(v, count));
        });
        download(count);
        give(count, result);
    }

private:
    [[nodiscard]] std::int64_t checked(std::int64_t batch) const {
        for (const slot& s : net_->slots)
            if (batch < 0 || batch > std::numeric_limits<std::int32_t>::max() / s.shape.pixels())
                quantal::detail::fail<shape_error>(
                    "a context for ", batch, " images of ", s.shape.pixels(),
                    " pixels; it is for 0 or more images, of at most 2147483647 pixels in all");
        return batch;
    }
    /// A value is there from its own step to the last that reads it, the output to the end.
    [[nodiscard]] arena_plan plan() const {
        std::vector<lifetime> lives;
        for (std::size_t v = 0; v < net_->slots.size(); ++v)
            lives.push_back({net_->slots[v].bytes() * static_cast<std::size_t>(batch_),
                             v == net_->images() ? 0 : v, net_->last_readers[v]});
        return plan_arena(lives);
    }
    [[nodiscard]] std::span<std::byte> at(std::size_t slot, std::int64_t images) {
        return {memory_.data() + plan_.offsets[slot],
                net_->slots[slot].bytes() * static_cast<std::size_t>(images)};
    }
    template <class F>
    void for_each_step(std::int64_t images, F&& seen) {
        std::vector<std::span<std::byte>> slots;
        for (std::size_t s = 0; s < net_->slots.size(); ++s)
            slots.push_back(at(s, images));
        const frame f{on_, static_cast<std::int32_t>(images), slots};
        for (std::size_t v = 0; v < net_->steps.size(); ++v) {
            net_->steps[v](f);
            seen(v);
        }
    }
    [[nodiscard]] pinned_memory staging(std::size_t slot) const {
        return {net_->device, net_->slots[slot].bytes() * static_cast<std::size_t>(batch_)};
    }
    /// Images to pinned memory; how many they are.
    std::int64_t take(std::span<const float> images, std::span<float> result) {
        const auto image = net_->slots[net_->images()].shape;
        const auto output = net_->slots[net_->output()].shape;
        const auto each = static_cast<std::size_t>(image.pixels() * image.channels);
        const auto gives = static_cast<std::size_t>(output.pixels() * output.channels);
        const std::int64_t count =
            quantal::detail::count_images(images, each, result, gives, batch_);
        const auto bytes = std::as_bytes(images);
        std::copy(bytes.begin(), bytes.end(), images_.data());
        return count;
    }
    void upload(std::int64_t images) {
        const auto to = at(net_->images(), images);
        on_.upload({images_.data(), to.size()}, to.data());
    }
    void download(std::int64_t images) {
        const auto from = at(net_->output(), images);
        on_.download(from.data(), {result_.data(), from.size()});
    }
    /// What has been asked for, the output from pinned memory as reals, channels first.
    void give(std::int64_t images, std::span<float> result) {
        on_.wait();
        const slot& s = net_->slots[net_->output()];
        const auto count = static_cast<std::size_t>(images * s.elements());
        if (!s.codes)
            return to_planes(
                s, std::span(reinterpret_cast<const float*>(result_.data()), count),
                [](float x) { return x; }, result);
        const auto real = [&p = *s.codes](std::uint8_t q) {
            return p.dequantize(q + p.spec.qmin());
        };
        to_planes(s, std::span(reinterpret_cast<const std::uint8_t*>(result_.data()), count), real,
                  result);
    }
    template <class T>
    [[nodiscard]] std::vector<T> values(std::size_t slot, std::int64_t images) {
        const auto from = at(slot, images);
        std::vector<T> to(from.size() / sizeof(T));
        on_.download(from.data(), std::as_writable_bytes(std::span(to)));
        on_.wait();
        return to;
    }

    std::shared_ptr<const network> net_;
    std::int64_t batch_;
    arena_plan plan_;
    device_memory memory_;
    pinned_memory images_, result_; ///< as they go up and come down
    queue on_;
    std::map<std::int64_t, recording> recordings_;
};

} // namespace cuda
} // namespace v0
} // namespace quantal

#endif
