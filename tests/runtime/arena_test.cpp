// SPDX-License-Identifier: Apache-2.0
#include <quantal/runtime/arena.hpp>

#include "support/random.hpp"

#include <boost/test/unit_test.hpp>

using namespace quantal;

namespace {

bool overlap(const arena_plan& plan, std::span<const lifetime> values, std::size_t a,
             std::size_t b) {
    return plan.offsets[a] < plan.offsets[b] + values[b].bytes &&
           plan.offsets[b] < plan.offsets[a] + values[a].bytes;
}

} // namespace

BOOST_AUTO_TEST_SUITE(arena_suite)

BOOST_AUTO_TEST_CASE(a_chain_needs_two_neighbours) {
    const lifetime chain[] = {{100, 0, 1}, {200, 1, 2}, {300, 2, 3}, {50, 3, 4}};
    const arena_plan plan = plan_arena(chain);
    BOOST_TEST(plan.bytes == 320u + 256u); // the largest two that meet, in whole lines
    BOOST_TEST(plan.offsets == (std::vector<std::size_t>{0, 320, 0, 320}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_residual_stays_while_it_is_needed) {
    const lifetime block[] = {{64, 0, 3}, {64, 1, 2}, {64, 2, 3}};
    BOOST_TEST(plan_arena(block).bytes == 3u * 64u);
}

BOOST_AUTO_TEST_CASE(values_of_no_bytes_take_none) {
    BOOST_TEST(plan_arena({}).bytes == 0u);
    const lifetime empty[] = {{0, 0, 5}, {0, 0, 5}};
    BOOST_TEST(plan_arena(empty).bytes == 0u);
}

BOOST_AUTO_TEST_CASE(values_that_meet_in_time_never_meet_in_memory) {
    auto g = support::generator();
    for (int repeat = 0; repeat < 300; ++repeat) {
        std::vector<lifetime> values(1 + g() % 40);
        for (lifetime& v : values) {
            v.bytes = g() % 1000;
            v.first = g() % 30;
            v.last = v.first + g() % 10;
        }
        const arena_plan plan = plan_arena(values);
        std::size_t all = 0;
        for (std::size_t a = 0; a < values.size(); ++a) {
            all += (values[a].bytes + 63) / 64 * 64;
            BOOST_TEST(plan.offsets[a] % arena_alignment == 0u);
            BOOST_TEST(plan.offsets[a] + values[a].bytes <= plan.bytes);
            for (std::size_t b = 0; b < a; ++b)
                if (values[a].meets(values[b])) BOOST_TEST(!overlap(plan, values, a, b));
        }
        BOOST_TEST(plan.bytes <= all);
    }
}

BOOST_AUTO_TEST_CASE(memory_is_aligned) {
    const arena memory(1);
    BOOST_TEST(reinterpret_cast<std::uintptr_t>(memory.data()) % arena_alignment == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
