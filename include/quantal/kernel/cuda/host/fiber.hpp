// SPDX-License-Identifier: Apache-2.0
/// A function with a stack of its own that can stop in the middle, announced to AddressSanitizer.
#ifndef QUANTAL_CUDA_HOST_FIBER_HPP
#define QUANTAL_CUDA_HOST_FIBER_HPP

#include <boost/context/fiber.hpp>
#include <boost/context/preallocated.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <utility>

#if defined(__SANITIZE_ADDRESS__)
#define QUANTAL_ASAN_FIBERS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define QUANTAL_ASAN_FIBERS 1
#endif
#endif
#if defined(QUANTAL_ASAN_FIBERS)
#include <sanitizer/common_interface_defs.h>
#endif

namespace quantal {
inline namespace v0 {
namespace cuda::host {

/// Runs `body`, which must not throw, whenever it is resumed and until it suspends itself. It has
/// to have ended before it is destroyed.
class fiber {
public:
    explicit fiber(std::function<void()> body)
        : body_(std::move(body)), stack_(std::make_unique_for_overwrite<std::byte[]>(stack_bytes)) {
        boost::context::stack_context place;
        place.size = stack_bytes;
        place.sp = stack_.get() + stack_bytes;
        inside_ = boost::context::fiber(
            std::allocator_arg, boost::context::preallocated(place.sp, place.size, place),
            kept_stack{},
            [this](boost::context::fiber&& caller) { return run(std::move(caller)); });
    }
    fiber(const fiber&) = delete;
    fiber& operator=(const fiber&) = delete;

    /// From outside: continues the body until it suspends itself or ends.
    void resume() {
        void* fake = nullptr;
        leave(&fake, stack_.get(), stack_bytes);
        inside_ = std::move(inside_).resume();
        arrive(fake, nullptr, nullptr);
    }
    /// From inside: goes back to where the fiber was resumed.
    void suspend() {
        void* fake = nullptr;
        leave(&fake, outside_stack_, outside_bytes_);
        outside_ = std::move(outside_).resume();
        arrive(fake, &outside_stack_, &outside_bytes_);
    }

private:
    static constexpr std::size_t stack_bytes = std::size_t{1} << 17;

    /// The stack belongs to the fiber object.
    struct kept_stack {
        void deallocate(boost::context::stack_context&) noexcept {}
    };

    boost::context::fiber run(boost::context::fiber&& caller) {
        arrive(nullptr, &outside_stack_, &outside_bytes_);
        outside_ = std::move(caller);
        body_();
        leave(nullptr, outside_stack_, outside_bytes_);
        return std::move(outside_);
    }

#if defined(QUANTAL_ASAN_FIBERS)
    static void leave(void** fake, const void* stack, std::size_t bytes) {
        __sanitizer_start_switch_fiber(fake, stack, bytes);
    }
    static void arrive(void* fake, const void** stack, std::size_t* bytes) {
        __sanitizer_finish_switch_fiber(fake, stack, bytes);
    }
#else
    static void leave(void**, const void*, std::size_t) {}
    static void arrive(void*, const void**, std::size_t*) {}
#endif

    std::function<void()> body_;
    std::unique_ptr<std::byte[]> stack_;
    boost::context::fiber inside_, outside_;
    const void* outside_stack_ = nullptr;
    std::size_t outside_bytes_ = 0;
};

} // namespace cuda::host
} // namespace v0
} // namespace quantal

#endif
