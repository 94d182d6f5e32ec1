// SPDX-License-Identifier: Apache-2.0
#include <quantal/kernel/cpu/task_grid.hpp>

#include <boost/test/unit_test.hpp>

#include <map>

using quantal::cpu::task_grid;

namespace {

/// When the last of `workers` threads ends, in products of all rows with all panels.
double end(const task_grid& g, std::int64_t workers, double preparing) {
    const auto blocks = static_cast<double>(g.blocks), ranges = static_cast<double>(g.ranges);
    const std::int64_t turns = (g.blocks * g.ranges + workers - 1) / workers;
    return static_cast<double>(turns) * (preparing + 1.0 / ranges) / blocks;
}

} // namespace

BOOST_AUTO_TEST_SUITE(kernel_cpu_task_grid)

BOOST_AUTO_TEST_CASE(one_thread_prepares_rows_once) {
    for (std::int64_t least = 0; least < 20; ++least)
        for (std::int64_t panels = 1; panels < 20; ++panels) {
            const task_grid g = task_grid::make(least, panels, 1, 0.05);
            BOOST_TEST(g.blocks == least);
            BOOST_TEST(g.ranges == 1);
        }
}

BOOST_AUTO_TEST_CASE(by_hand) {
    const auto tasks = [](std::int64_t least, std::int64_t panels, std::int64_t workers) {
        const task_grid g = task_grid::make(least, panels, workers, 0.25);
        return std::pair(g.blocks, g.ranges);
    };
    BOOST_TEST((tasks(0, 4, 2) == std::pair<std::int64_t, std::int64_t>(0, 1)));   // no rows
    BOOST_TEST((tasks(1, 4, 2) == std::pair<std::int64_t, std::int64_t>(1, 2)));   // half each
    BOOST_TEST((tasks(1, 1, 2) == std::pair<std::int64_t, std::int64_t>(1, 1)));   // one panel
    BOOST_TEST((tasks(3, 4, 2) == std::pair<std::int64_t, std::int64_t>(4, 1)));   // two each
    BOOST_TEST((tasks(2, 8, 4) == std::pair<std::int64_t, std::int64_t>(4, 1)));   // one each
    BOOST_TEST((tasks(17, 4, 2) == std::pair<std::int64_t, std::int64_t>(17, 1))); // many
}

BOOST_AUTO_TEST_CASE(no_number_of_ranges_ends_much_earlier) {
    for (const double preparing : {0.0, 0.05, 0.25})
        for (std::int64_t workers = 1; workers < 9; ++workers)
            for (std::int64_t least = 1; least < 40; ++least)
                for (std::int64_t panels = 1; panels < 20; ++panels) {
                    const task_grid g = task_grid::make(least, panels, workers, preparing);
                    BOOST_TEST_REQUIRE(g.blocks >= least);
                    BOOST_TEST_REQUIRE(g.blocks < least + workers);
                    BOOST_TEST_REQUIRE(g.ranges <= panels);
                    for (std::int64_t r = 1; r <= std::min(panels, 4 * workers); ++r)
                        BOOST_TEST_REQUIRE(end(g, workers, preparing) <=
                                           1.02 * end({g.blocks, r}, workers, preparing));
                }
}

BOOST_AUTO_TEST_CASE(tasks_have_each_panel_of_each_block_once) {
    for (std::int64_t blocks = 1; blocks < 5; ++blocks)
        for (std::int64_t panels = 1; panels < 12; ++panels)
            for (std::int64_t ranges = 1; ranges <= panels; ++ranges) {
                const task_grid g{blocks, ranges};
                std::map<std::pair<std::int64_t, std::int64_t>, int> seen;
                for (std::size_t task = 0; task < g.count(); ++task) {
                    const auto part = g.part_of(task, panels);
                    BOOST_TEST(part.panel < part.end);
                    for (std::int64_t panel = part.panel; panel < part.end; ++panel)
                        ++seen[{part.block, panel}];
                }
                BOOST_TEST(seen.size() == static_cast<std::size_t>(blocks * panels));
                BOOST_TEST((seen.begin()->first == std::pair(std::int64_t{0}, std::int64_t{0})));
                BOOST_TEST((seen.rbegin()->first == std::pair(blocks - 1, panels - 1)));
                for (const auto& [place, times] : seen)
                    BOOST_TEST(times == 1);
            }
}

BOOST_AUTO_TEST_SUITE_END()
