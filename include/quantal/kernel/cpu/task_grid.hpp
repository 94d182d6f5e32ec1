// SPDX-License-Identifier: Apache-2.0
/// How a layer is cut into tasks for so many threads.
#ifndef QUANTAL_KERNEL_CPU_TASK_GRID_HPP
#define QUANTAL_KERNEL_CPU_TASK_GRID_HPP

#include <quantal/kernel/cpu/aligned.hpp>

#include <algorithm>

namespace quantal {
inline namespace v0 {
namespace cpu {

/// Blocks of rows, and for each of them ranges of panels of columns: a task prepares the rows of
/// its block and multiplies them with the panels of its range.
struct task_grid {
    std::int64_t blocks, ranges;

    [[nodiscard]] std::size_t count() const { return static_cast<std::size_t>(blocks * ranges); }

    /// What one task has: its block, and its panels from `panel` to below `end`.
    struct part {
        std::int64_t block, panel, end;
    };
    [[nodiscard]] part part_of(std::size_t task, std::int64_t panels) const {
        const auto block = static_cast<std::int64_t>(task) / ranges;
        const auto range = static_cast<std::int64_t>(task) % ranges;
        return {block, panels * range / ranges, panels * (range + 1) / ranges};
    }

    /// At least `least` blocks (0: no tasks). Several become a multiple of the threads, as long as
    /// that makes them little smaller; then there are as many ranges as let all threads end first,
    /// if preparing the rows of a block takes the share `preparing` of multiplying them, and every
    /// range does it again.
    [[nodiscard]] static task_grid make(std::int64_t least, std::int64_t panels,
                                        std::int64_t workers, double preparing) {
        const bool is_few = least > 1 && least < 8 * workers;
        const std::int64_t blocks = is_few ? rounded_up(least, workers) : least;
        task_grid best{blocks, 1};
        const auto time_with = [&](std::int64_t each) {
            const std::int64_t turns = divided_up(blocks * each, workers);
            return static_cast<double>(turns) * (preparing + 1.0 / static_cast<double>(each));
        };
        for (std::int64_t each = 2; each <= std::min(panels, 4 * workers); ++each)
            if (time_with(each) < 0.99 * time_with(best.ranges)) best.ranges = each;
        return best;
    }
};

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
