// SPDX-License-Identifier: Apache-2.0
#include <quantal/runtime/thread_pool.hpp>

#include <boost/test/unit_test.hpp>

using namespace quantal;

namespace {

/// A thread of a system that has no more than two.
struct scarce_thread {
    static inline std::atomic<int> alive{0};

    template <class F>
    explicit scarce_thread(F f) {
        if (alive == 2) throw std::system_error(EAGAIN, std::generic_category());
        ++alive;
        thread = std::jthread([f] {
            f();
            --alive;
        });
    }
    std::jthread thread;
};

/// A thread that begins when it is let.
struct late_thread {
    static inline std::atomic<bool> may_begin{false};

    template <class F>
    explicit late_thread(F f)
        : thread([f] {
              may_begin.wait(false);
              f();
          }) {}
    std::jthread thread;
};

} // namespace

BOOST_AUTO_TEST_SUITE(thread_pool_suite)

BOOST_AUTO_TEST_CASE(every_task_runs_once_on_a_worker_of_its_own) {
    for (const std::size_t workers : {1u, 2u, 3u, 5u}) {
        thread_pool pool(workers);
        BOOST_TEST(pool.workers() == workers);
        for (const std::size_t count : {0u, 1u, 2u, 7u, 1000u}) {
            std::vector<int> runs(count);
            std::vector<std::atomic<int>> busy(workers);
            std::atomic<bool> shared{false};
            auto task = [&](std::size_t i, std::size_t worker) {
                if (busy.at(worker)++ != 0) shared = true;
                ++runs[i];
                --busy[worker];
            };
            for (int repeat = 1; repeat <= 20; ++repeat) {
                pool.run(count, task);
                BOOST_TEST(
                    std::all_of(runs.begin(), runs.end(), [&](int n) { return n == repeat; }));
            }
            BOOST_TEST(!shared);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_pool_that_never_ran_ends) {
    const thread_pool pool(4);
    BOOST_TEST(pool.workers() == 4u);
}

BOOST_AUTO_TEST_CASE(a_pool_whose_threads_cannot_start_throws_and_ends_the_others) {
    BOOST_CHECK_THROW(basic_thread_pool<scarce_thread>(4), std::system_error);
    BOOST_TEST(scarce_thread::alive == 0);
    const basic_thread_pool<scarce_thread> enough(3);
    BOOST_TEST(enough.workers() == 3u);
}

BOOST_AUTO_TEST_CASE(sleeping_workers_wake_up) {
    thread_pool pool(3);
    std::atomic<int> runs{0};
    auto task = [&](std::size_t, std::size_t) { ++runs; };
    for (int repeat = 0; repeat < 3; ++repeat) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5)); // far longer than they look
        pool.run(10, task);
    }
    BOOST_TEST(runs == 30);
}

BOOST_AUTO_TEST_CASE(who_comes_late_is_not_waited_for) {
    basic_thread_pool<late_thread> pool(3);
    std::atomic<int> runs{0}, of_others{0};
    auto task = [&](std::size_t, std::size_t worker) {
        ++(worker == 0 ? runs : of_others);
        std::this_thread::yield();
    };
    pool.run(10, task);
    BOOST_TEST(runs == 10);
    late_thread::may_begin = true;
    late_thread::may_begin.notify_all();
    while (of_others == 0) // they find the runs that come later
        pool.run(10, task);
}

BOOST_AUTO_TEST_CASE(what_one_run_wrote_the_next_sees) {
    thread_pool pool(4);
    std::vector<int> values(64, 0); // no atomics: a run ends before the next begins
    for (int repeat = 0; repeat < 5000; ++repeat) {
        auto task = [&](std::size_t i, std::size_t) { values[i] = values[i] + 1; };
        pool.run(values.size(), task);
    }
    for (const int v : values)
        BOOST_TEST(v == 5000);
}

BOOST_AUTO_TEST_SUITE_END()
