// SPDX-License-Identifier: Apache-2.0
#include <quantal/runtime/parallel.hpp>

#include <boost/test/unit_test.hpp>

#include <stdexcept>

using namespace quantal;

BOOST_AUTO_TEST_SUITE(parallel_suite)

BOOST_AUTO_TEST_CASE(threads_are_as_many_as_asked_and_no_more_than_the_work) {
    BOOST_TEST(thread_count(3, 100) == 3u);
    BOOST_TEST(thread_count(3, 2) == 2u);
    BOOST_TEST(thread_count(3, 0) == 1u);
    BOOST_TEST(thread_count(0, 100) >= 1u);
}

BOOST_AUTO_TEST_CASE(every_index_is_called_once_and_every_worker_works_alone) {
    for (const std::size_t workers : {1u, 2u, 5u})
        for (const std::size_t count : {0u, 1u, 4u, 1000u}) {
            std::vector<int> calls(count), calls_of(workers);
            parallel_for(count, workers, [&](std::size_t i, std::size_t worker) {
                ++calls.at(i);
                ++calls_of.at(worker);
            });
            BOOST_TEST(calls == std::vector<int>(count, 1), boost::test_tools::per_element());
            int all = 0;
            for (const int n : calls_of)
                all += n;
            BOOST_TEST(all == static_cast<int>(count));
        }
}

BOOST_AUTO_TEST_CASE(an_exception_comes_out_and_ends_the_work) {
    for (const std::size_t workers : {1u, 4u}) {
        std::atomic<std::size_t> calls{0};
        const auto work = [&](std::size_t i, std::size_t) {
            ++calls;
            if (i == 5) throw std::out_of_range("5");
        };
        BOOST_CHECK_EXCEPTION(parallel_for(100, workers, work), std::out_of_range,
                              [](const auto& e) { return std::string_view(e.what()) == "5"; });
        if (workers == 1) BOOST_TEST(calls == 6u); // others may be at work meanwhile
    }
}

BOOST_AUTO_TEST_SUITE_END()
