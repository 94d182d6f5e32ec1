// SPDX-License-Identifier: Apache-2.0
/// Where the values of a running network lie: those of a batch, and those that an image needs only
/// while it runs through the first steps.
#ifndef QUANTAL_RUNTIME_CPU_SLOT_PLAN_HPP
#define QUANTAL_RUNTIME_CPU_SLOT_PLAN_HPP

#include <quantal/runtime/arena.hpp>
#include <quantal/runtime/cpu/step.hpp>

namespace quantal {
inline namespace v0 {
namespace cpu {

/// The first steps, as long as they touch more bytes of an image than of weights: an image runs
/// through all of them before its worker takes the next one, so that what it needs stays in cache
/// and workers need not wait for each other. Later ones run a batch at a time, so that their
/// weights stay there.
[[nodiscard]] inline std::size_t steps_by_image(const network& net) {
    const auto reads_values = [&](const step& s) {
        std::size_t bytes = net.slots[s.output].bytes();
        for (const slot_index x : s.inputs)
            bytes += net.slots[x].bytes();
        return s.weight_bytes < bytes;
    };
    const auto end = std::find_if_not(net.steps.begin(), net.steps.end(), reads_values);
    return static_cast<std::size_t>(end - net.steps.begin());
}

/// Places for the slots of a network that runs batches of up to `batch` images; the caller's two
/// take nothing. Slots that only steps by image touch are inner ones: as many images as there are
/// workers have them at a time.
class slot_plan {
public:
    slot_plan(const network& net, std::int64_t batch, std::size_t workers)
        : slots_(net.slots),
          width_(std::min(static_cast<std::size_t>(std::max<std::int64_t>(batch, 1)), workers)) {
        std::vector<lifetime> lives(slots_.size(), lifetime{0, net.steps.size(), 0});
        const auto touch = [&](slot_index s, std::size_t step) {
            lives[s].first = std::min(lives[s].first, step);
            lives[s].last = std::max(lives[s].last, step);
        };
        for (std::size_t i = 0; i < net.steps.size(); ++i) {
            for (const slot_index x : net.steps[i].inputs)
                touch(x, i);
            touch(net.steps[i].output, i);
        }
        std::vector<lifetime> inner(lives);
        is_inner_.resize(slots_.size());
        for (slot_index s = output_slot + 1; s < slots_.size(); ++s) {
            is_inner_[s] = lives[s].last < net.by_image;
            if (is_inner_[s])
                inner[s].bytes = slots_[s].bytes();
            else
                lives[s].bytes = slots_[s].bytes() * static_cast<std::size_t>(batch);
            if (lives[s].first < net.by_image) lives[s].first = 0; // of another image
        }
        inner_ = plan_arena(inner);
        lives.push_back({inner_.bytes * width_, 0, std::max<std::size_t>(net.by_image, 1) - 1});
        outer_ = plan_arena(lives);
    }

    /// Bytes of all values.
    [[nodiscard]] std::size_t bytes() const { return outer_.bytes; }
    /// The slots of image `image`, its inner ones at place `place` of the width, in memory that
    /// begins at `data`.
    void find(std::byte* data, std::int64_t image, std::size_t place,
              std::span<std::byte*> slots) const {
        find(data, image, place * inner_.bytes, 1, slots);
    }
    /// The slots of the images from `first` on together; inner ones are there for as many as the
    /// width.
    void find(std::byte* data, std::int64_t first, std::span<std::byte*> slots) const {
        find(data, first, 0, width_, slots);
    }

private:
    void find(std::byte* data, std::int64_t first, std::size_t begin, std::size_t images,
              std::span<std::byte*> slots) const {
        std::byte* region = data + outer_.offsets.back() + begin;
        for (slot_index s = output_slot + 1; s < slots_.size(); ++s)
            slots[s] = is_inner_[s] ? region + inner_.offsets[s] * images
                                    : data + outer_.offsets[s] +
                                          static_cast<std::size_t>(first) * slots_[s].bytes();
    }

    std::vector<slot> slots_;
    std::size_t width_;
    std::vector<bool> is_inner_;
    arena_plan outer_; ///< of a batch, the region of the inner slots last
    arena_plan inner_; ///< of one image
};

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
