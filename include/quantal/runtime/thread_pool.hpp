// SPDX-License-Identifier: Apache-2.0
/// Work for all cores, without an allocation and without starting a thread: a pool, or whatever the
/// caller has.
#ifndef QUANTAL_RUNTIME_THREAD_POOL_HPP
#define QUANTAL_RUNTIME_THREAD_POOL_HPP

#include <quantal/runtime/parallel.hpp>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <memory>

namespace quantal {
inline namespace v0 {

/// A function `f(task, worker)` that somebody else owns and that outlives this reference.
class task_ref {
public:
    template <class F>
    requires std::invocable<F&, std::size_t, std::size_t> task_ref(F& f)
        : object_(std::addressof(f)), call_([](void* object, std::size_t task, std::size_t worker) {
              (*static_cast<F*>(object))(task, worker);
          }) {}

    void operator()(std::size_t task, std::size_t worker) const { call_(object_, task, worker); }

private:
    void* object_;
    void (*call_)(void*, std::size_t, std::size_t);
};

/// What runs tasks: `run(count, f)` calls `f(task, worker)` once for every task below `count`, with
/// `worker` below `workers()` and never the same one twice at a time, and returns when all are
/// done.
template <class P>
concept parallel_policy = requires(P& policy, const P& constant, std::size_t count, task_ref task) {
    { constant.workers() } -> std::same_as<std::size_t>;
    policy.run(count, task);
};

/// A `parallel_policy` that somebody else owns.
class parallel_ref {
public:
    template <parallel_policy P>
    requires(!std::same_as<P, parallel_ref>) parallel_ref(P& policy)
        : object_(std::addressof(policy)), workers_(policy.workers()),
          run_([](void* object, std::size_t count, task_ref task) {
              static_cast<P*>(object)->run(count, task);
          }) {}

    [[nodiscard]] std::size_t workers() const { return workers_; }
    void run(std::size_t count, task_ref task) const { run_(object_, count, task); }

private:
    void* object_;
    std::size_t workers_;
    void (*run_)(void*, std::size_t, task_ref);
};

/// The caller's thread alone.
struct serial {
    [[nodiscard]] std::size_t workers() const { return 1; }
    void run(std::size_t count, task_ref task) {
        for (std::size_t i = 0; i < count; ++i)
            task(i, 0);
    }
};

/// Threads that live as long as the pool and sleep between runs; the caller of `run` is worker 0.
/// One `run` at a time; tasks do not throw. Every worker begins with its own part of the tasks, the
/// same one in each run of as many, so that what it reads again is in its cache; then it helps the
/// others. `Thread` joins when it is destroyed.
template <class Thread>
class basic_thread_pool {
public:
    /// Throws what `Thread` throws if one of them cannot start (std::system_error).
    explicit basic_thread_pool(std::size_t workers = thread_count(0, SIZE_MAX))
        : parts_(std::max<std::size_t>(workers, 1)) {
        const std::exception_ptr problem = detail::caught([&] {
            for (std::size_t w = 1; w < workers; ++w)
                threads_.emplace_back([this, w] { serve(w); });
        });
        if (!problem) return;
        end();
        std::rethrow_exception(problem);
    }
    ~basic_thread_pool() { end(); }
    basic_thread_pool(const basic_thread_pool&) = delete;
    basic_thread_pool& operator=(const basic_thread_pool&) = delete;

    [[nodiscard]] std::size_t workers() const { return threads_.size() + 1; }

    void run(std::size_t count, task_ref task) {
        if (count <= 1 || threads_.empty()) return serial{}.run(count, task);
        task_ = &task;
        for (std::size_t w = 0; w < parts_.size(); ++w) {
            parts_[w].next.store(count * w / parts_.size(), std::memory_order_relaxed);
            parts_[w].end = count * (w + 1) / parts_.size();
        }
        inside_.store(open, std::memory_order_release);
        start();
        work(0);
        // No task is left for those who come now; they are not waited for.
        std::size_t left = inside_.fetch_sub(open, std::memory_order_acq_rel) - open;
        for (; left != 0; left = inside_.load(std::memory_order_acquire))
            pause_while(inside_, left);
    }

private:
    /// Tasks of one worker, in a cache line of its own.
    struct alignas(64) part {
        std::atomic<std::size_t> next{0};
        std::size_t end = 0;
    };

    /// `inside_`: whether threads may enter the run, and how many are in it.
    static constexpr std::size_t open = 1, one = 2;

    /// Longer than waking up takes, 130 to 200 us on a virtual machine: or the caller and a worker
    /// sleep in turn, each while the other wakes up. Zen 3, runs of 64, 330 and 1700 us after a
    /// rest, two threads to one, geometric means of 27 rounds: 1.58, 1.45 and 1.72; with 40 us
    /// 1.37, 1.52 and 1.27.
    static constexpr std::chrono::microseconds looking{200};

    void end() {
        is_ending_.store(true, std::memory_order_relaxed);
        start(); // those that have started return; nobody else would wake them
    }
    void start() {
        round_.fetch_add(1, std::memory_order_release);
        round_.notify_all();
    }
    void serve(std::size_t worker) {
        for (std::size_t seen = 0;;) {
            pause_while(round_, seen);
            seen = round_.load(std::memory_order_acquire);
            if (is_ending_.load(std::memory_order_relaxed)) return;
            if (!enter()) continue;
            work(worker);
            if (inside_.fetch_sub(one, std::memory_order_acq_rel) == one) inside_.notify_one();
        }
    }
    /// Into the run that is open, whichever it is.
    [[nodiscard]] bool enter() {
        std::size_t state = inside_.load(std::memory_order_relaxed);
        while ((state & open) != 0)
            if (inside_.compare_exchange_weak(state, state + one, std::memory_order_acquire,
                                              std::memory_order_relaxed))
                return true;
        return false;
    }
    void work(std::size_t worker) {
        for (std::size_t w = 0; w < parts_.size(); ++w) {
            part& p = parts_[(worker + w) % parts_.size()];
            for (std::size_t i; (i = p.next.fetch_add(1, std::memory_order_relaxed)) < p.end;)
                (*task_)(i, worker);
        }
    }
    /// Returns when `state` is no longer `old`: looks for a while, then sleeps.
    static void pause_while(const std::atomic<std::size_t>& state, std::size_t old) {
        using clock = std::chrono::steady_clock;
        const clock::time_point end = clock::now() + looking;
        do
            for (int i = 0; i < 32; ++i) {
                if (state.load(std::memory_order_acquire) != old) return;
#if defined(__x86_64__) || defined(__i386__)
                __builtin_ia32_pause();
#endif
            }
        while (clock::now() < end);
        state.wait(old, std::memory_order_acquire);
    }

    std::vector<part> parts_;
    const task_ref* task_ = nullptr;
    std::atomic<std::size_t> inside_{0}, round_{0};
    std::atomic<bool> is_ending_{false};
    std::vector<Thread> threads_; // last: joined first
};

using thread_pool = basic_thread_pool<std::jthread>;

static_assert(parallel_policy<thread_pool> && parallel_policy<serial>);

} // namespace v0
} // namespace quantal

#endif
