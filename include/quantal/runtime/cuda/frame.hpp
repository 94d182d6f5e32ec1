// SPDX-License-Identifier: Apache-2.0
/// What a program on a device is made of: for each node a step, and a slot for what it puts out.
#ifndef QUANTAL_RUNTIME_CUDA_FRAME_HPP
#define QUANTAL_RUNTIME_CUDA_FRAME_HPP

#include <quantal/kernel/cuda/queue.hpp>
#include <quantal/kernel/reference/geometry.hpp>
#include <quantal/tensor/qparams.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace quantal {
inline namespace v0 {
namespace cuda {

using reference::image_shape;

/// A tensor of a running network: images one after the other, each height x width x channels, every
/// pixel at a multiple of `pitch` elements. Codes are bytes, `q - qmin`; reals are float32.
struct slot {
    image_shape shape;
    std::int64_t pitch;
    std::size_t element_bytes;
    std::optional<qparams> codes; ///< if it holds codes

    [[nodiscard]] std::int64_t elements() const { return shape.pixels() * pitch; }
    /// Of one image.
    [[nodiscard]] std::size_t bytes() const {
        return static_cast<std::size_t>(elements()) * element_bytes;
    }
};

/// From an array in a slot's layout to channels x height x width, image after image, each value
/// through `f`.
template <class From, class F, class To>
void to_planes(const slot& s, const From& from, F f, std::span<To> to) {
    const std::int64_t each = s.shape.pixels() * s.shape.channels;
    for (std::int64_t i = 0; i < std::ssize(to); ++i) {
        const std::int64_t pixel = i / each * s.shape.pixels() + i % s.shape.pixels();
        const std::int64_t channel = i % each / s.shape.pixels();
        to[static_cast<std::size_t>(i)] =
            f(from[static_cast<std::size_t>(pixel * s.pitch + channel)]);
    }
}

/// What a step sees while it runs.
struct frame {
    queue& on;
    std::int32_t images;
    std::span<const std::span<std::byte>> slots;

    template <class T>
    [[nodiscard]] std::span<T> at(std::size_t slot) const {
        return {reinterpret_cast<T*>(slots[slot].data()), slots[slot].size() / sizeof(T)};
    }
};

/// The launches of one node.
using launches = std::function<void(const frame&)>;

/// An array that steps read, on the device as long as one of them is there.
template <class T>
class constant {
public:
    constant(queue& on, int device, std::span<const T> values)
        : count_(values.size()),
          memory_(std::make_shared<device_memory>(device, values.size_bytes())) {
        on.upload(std::as_bytes(values), memory_->data());
        on.wait();
    }
    [[nodiscard]] const T* data() const { return reinterpret_cast<const T*>(memory_->data()); }
    [[nodiscard]] host::array array() const { return std::span(data(), count_); }

private:
    std::size_t count_;
    std::shared_ptr<device_memory> memory_;
};

/// Slot and step of each node by its number, and the last slot for the images as they come in.
struct network {
    int device;
    std::vector<slot> slots{};
    std::vector<launches> steps{};
    std::vector<std::string> kernels{};      ///< what each step launches
    std::vector<std::size_t> last_readers{}; ///< of each slot: the last step that touches it

    [[nodiscard]] std::size_t output() const { return steps.size() - 1; }
    [[nodiscard]] std::size_t images() const { return steps.size(); }
};

} // namespace cuda
} // namespace v0
} // namespace quantal

#endif
