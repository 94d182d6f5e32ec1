// SPDX-License-Identifier: Apache-2.0
/// Work for all cores.
#ifndef QUANTAL_RUNTIME_PARALLEL_HPP
#define QUANTAL_RUNTIME_PARALLEL_HPP

#include <quantal/error.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <mutex>
#include <thread>
#include <vector>

namespace quantal {
inline namespace v0 {

/// As many threads as asked, or as the machine has for 0, but no more than there is work for.
[[nodiscard]] inline std::size_t thread_count(int wanted, std::size_t work) {
    const std::size_t all = std::max(1u, std::thread::hardware_concurrency());
    const std::size_t threads = wanted > 0 ? static_cast<std::size_t>(wanted) : all;
    return std::max<std::size_t>(1, std::min(threads, work));
}

/// Calls `f(i, worker)` for every i below `count` on `workers` threads, each call once, in any
/// order; `worker` is below `workers`. The first exception is thrown again after all have stopped.
template <class F>
void parallel_for(std::size_t count, std::size_t workers, F&& f) {
    if (workers <= 1) {
        for (std::size_t i = 0; i < count; ++i)
            f(i, std::size_t{0});
        return;
    }
    std::atomic<std::size_t> next{0};
    std::exception_ptr failure;
    std::mutex guard;
    const auto work = [&](std::size_t worker) {
        const std::exception_ptr problem = detail::caught([&] {
            for (std::size_t i; (i = next.fetch_add(1)) < count;)
                f(i, worker);
        });
        if (!problem) return;
        next = count;
        const std::lock_guard lock(guard);
        if (!failure) failure = problem;
    };
    std::vector<std::jthread> threads;
    for (std::size_t w = 1; w < workers; ++w)
        threads.emplace_back(work, w);
    work(0);
    threads.clear(); // joins
    if (failure) std::rethrow_exception(failure);
}

} // namespace v0
} // namespace quantal

#endif
