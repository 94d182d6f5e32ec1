// SPDX-License-Identifier: Apache-2.0
/// What a program on the CPU is made of: steps that hand tensors to each other in slots.
#ifndef QUANTAL_RUNTIME_CPU_STEP_HPP
#define QUANTAL_RUNTIME_CPU_STEP_HPP

#include <quantal/graph/graph.hpp>
#include <quantal/kernel/cpu/move.hpp>
#include <quantal/runtime/thread_pool.hpp>

#include <functional>
#include <span>
#include <string>
#include <vector>

namespace quantal {
inline namespace v0 {
namespace cpu {

using reference::image_shape;
using reference::window;

/// A tensor of a running network: images one after the other, each height x width x channels. Codes
/// are `q - qmin` in a byte, or in an int32 where they have more than 8 bits; reals are float32.
struct slot {
    image_shape shape;
    std::size_t element_bytes;

    [[nodiscard]] std::int64_t elements() const { return shape.pixels() * shape.channels; }
    /// Of one image.
    [[nodiscard]] std::size_t bytes() const {
        return static_cast<std::size_t>(elements()) * element_bytes;
    }
};

/// Where a slot is among those of its network.
using slot_index = std::size_t;

/// The slots that the caller owns: images and output, channels x height x width.
inline constexpr slot_index images_slot = 0;
inline constexpr slot_index output_slot = 1;

/// What a step sees while it runs.
struct frame {
    std::int64_t images;
    std::span<std::byte* const> slots;
    parallel_ref parallel;
    std::byte* workspaces; ///< one a worker
    std::size_t workspace_bytes;

    template <class T>
    [[nodiscard]] T* at(slot_index s) const {
        return reinterpret_cast<T*>(slots[s]);
    }
    [[nodiscard]] std::byte* workspace(std::size_t worker) const {
        return workspaces + worker * workspace_bytes;
    }
};

/// One kernel on its tensors.
struct step {
    std::string kernel; ///< what computes it
    std::vector<slot_index> inputs;
    slot_index output;
    std::function<void(const frame&)> run;
    std::size_t workspace = 0;    ///< bytes that each worker needs
    std::size_t weight_bytes = 0; ///< stored, and as the kernel reads them
    std::size_t packed_bytes = 0;
    std::int64_t operations = 0;      ///< of one image; a multiply-add counts as two
    std::string layer{};              ///< the name of the node that it is for
    std::optional<value> completes{}; ///< the node whose output is in `output` after it
};

/// The steps of a network, in order, and the slots that they use.
struct network {
    std::vector<slot> slots;
    std::vector<step> steps;
    std::size_t by_image = 0; ///< the first steps that run image by image (slot_plan.hpp)
};

/// Calls `f(begin, end)` for parts of [0, count) on all workers, each of `least` or more.
template <class F>
void split(parallel_ref parallel, std::int64_t count, std::int64_t least, F&& f) {
    const auto most = static_cast<std::int64_t>(4 * parallel.workers());
    const std::int64_t parts = std::clamp<std::int64_t>(count / least, 1, most);
    auto part = [&](std::size_t i, std::size_t) {
        const auto p = static_cast<std::int64_t>(i);
        f(count * p / parts, count * (p + 1) / parts);
    };
    parallel.run(static_cast<std::size_t>(parts), part);
}

/// A function `f(x..., count, y)` of elements, applied to all images.
template <class Y, class... X, class F, class... Slots>
[[nodiscard]] step elements_step(const std::string& kernel, const network& net, slot_index y, F f,
                                 Slots... x) {
    const std::int64_t count = net.slots[y].elements();
    const auto run = [=](const frame& at) {
        constexpr std::int64_t least = 16384; // a few microseconds
        split(at.parallel, at.images * count, least, [&](std::int64_t begin, std::int64_t end) {
            f(at.at<const X>(x) + begin..., static_cast<std::size_t>(end - begin),
              at.at<Y>(y) + begin);
        });
    };
    return {.kernel = kernel, .inputs = {x...}, .output = y, .run = run, .operations = count};
}

/// A function `f(image of x, row, image of y)` that makes one of `rows` parts of the output,
/// applied to all images.
template <class X, class Y, class F>
[[nodiscard]] step rows_step(const std::string& kernel, const network& net, slot_index x,
                             slot_index y, std::int64_t rows, F f) {
    const std::int64_t in = net.slots[x].elements();
    const std::int64_t out = net.slots[y].elements();
    const auto run = [=](const frame& at) {
        const std::int64_t least = 1 + 16384 * rows / (in + out);
        split(at.parallel, at.images * rows, least, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t row = begin; row < end; ++row)
                f(at.at<const X>(x) + row / rows * in, row % rows, at.at<Y>(y) + row / rows * out);
        });
    };
    return {.kernel = kernel, .inputs = {x}, .output = y, .run = run, .operations = out};
}

/// A function `f(x, z, count, y)` of elements, where `z` is as large as `x` or has one element a
/// channel.
template <class T, class F>
[[nodiscard]] step factors_step(const std::string& kernel, const network& net, slot_index y, F f,
                                slot_index x, slot_index z) {
    const std::int64_t count = net.slots[y].elements(), channels = net.slots[z].elements();
    if (channels == count) return elements_step<T, T, T>(kernel, net, y, f, x, z);
    const std::int64_t pixels = count / channels;
    const auto run = [=](const frame& at) {
        const std::int64_t least = 1 + 16384 / channels;
        split(at.parallel, at.images * pixels, least, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t pixel = begin; pixel < end; ++pixel)
                f(at.at<const T>(x) + pixel * channels,
                  at.at<const T>(z) + pixel / pixels * channels, static_cast<std::size_t>(channels),
                  at.at<T>(y) + pixel * channels);
        });
    };
    return {.kernel = kernel, .inputs = {x, z}, .output = y, .run = run, .operations = count};
}

/// The channels of all `x` of a pixel, one after the other: `convert(i, from, count, to)` copies
/// those of `x[i]`.
template <class T, class F>
[[nodiscard]] step concat_step(const std::string& kernel, const network& net,
                               const std::vector<slot_index>& x, slot_index y, F convert) {
    std::vector<std::int64_t> channels;
    channels.reserve(x.size());
    for (const slot_index from : x)
        channels.push_back(net.slots[from].shape.channels);
    const image_shape out = net.slots[y].shape;
    const auto run = [=](const frame& at) {
        const std::int64_t least = 1 + 16384 / out.channels;
        const std::int64_t pixels = at.images * out.pixels();
        split(at.parallel, pixels, least, [&](std::int64_t begin, std::int64_t end) {
            T* to = at.at<T>(y) + begin * out.channels;
            for (std::int64_t pixel = begin; pixel < end; ++pixel)
                for (std::size_t i = 0; i < x.size(); to += channels[i++])
                    convert(i, at.at<const T>(x[i]) + pixel * channels[i], channels[i], to);
        });
    };
    return {.kernel = kernel,
            .inputs = x,
            .output = y,
            .run = run,
            .operations = out.pixels() * out.channels};
}

/// From height x width x channels to channels x height x width.
template <class T>
[[nodiscard]] step planes_step(std::string kernel, const network& net, slot_index x, slot_index y) {
    const image_shape shape = net.slots[x].shape;
    const auto move = [=](const T* hwc, std::int64_t row, T* chw) {
        row_to_planes(shape, row, hwc, chw);
    };
    return rows_step<T, T>(std::move(kernel), net, x, y, shape.height, move);
}

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
