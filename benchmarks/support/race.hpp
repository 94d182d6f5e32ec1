// SPDX-License-Identifier: Apache-2.0
/// Implementations of one task against each other: round after round, each in turn, so that what
/// disturbs the machine disturbs all of them; compared by the ratios within a round.
#ifndef QUANTAL_BENCHMARKS_SUPPORT_RACE_HPP
#define QUANTAL_BENCHMARKS_SUPPORT_RACE_HPP

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <functional>
#include <limits>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace benchmarks {

/// One implementation, ready to run.
struct contender {
    std::string name;
    std::function<void()> run;
};

/// Figures of one contender over all rounds.
struct result {
    std::string name;
    double seconds;             ///< median of a run
    double ratio, least, most;  ///< of the speed to the first contender's: median and range
    std::vector<double> rounds; ///< seconds of a run in each
};

/// Processor time of this process where one thread works (it leaves out what other processes
/// take), wall time otherwise.
inline double now(int threads) {
    timespec t{};
    clock_gettime(threads == 1 ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &t);
    return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

/// Seconds of a run.
struct times {
    double mean, least;
};

/// Runs for at least `budget` seconds. Threads that another contender left waiting for work go to
/// sleep first: OpenMP's look for it in a busy loop, on an Intel Xeon for 70 ms. Then those of this
/// one wake up and get a processor each, for which those of a virtual machine took up to 12 ms.
inline times time_of(const contender& c, int threads, double budget) {
    if (threads > 1) {
        std::this_thread::sleep_for(std::chrono::milliseconds(150));
        for (const double start = now(threads); now(threads) - start < 0.02;)
            c.run();
    }
    const double start = now(threads);
    double end = start, least = std::numeric_limits<double>::infinity();
    int runs = 0;
    for (; end - start < budget; ++runs) {
        c.run();
        const double before = std::exchange(end, now(threads));
        least = std::min(least, end - before);
    }
    return {(end - start) / runs, least};
}

inline double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

/// The speed of one contender as a multiple of another's in the same round, sorted.
inline std::vector<double> speed_ratios(const std::vector<double>& seconds,
                                        const std::vector<double>& others) {
    std::vector<double> ratios;
    for (std::size_t round = 0; round < seconds.size(); ++round)
        ratios.push_back(others[round] / seconds[round]);
    std::sort(ratios.begin(), ratios.end());
    return ratios;
}

inline std::vector<result> race(const std::vector<contender>& contenders, int threads = 1,
                                int rounds = 9, double budget = 0.02) {
    std::vector<std::vector<double>> seconds(contenders.size());
    for (const contender& c : contenders)
        c.run(); // warms caches and lazy initialization
    for (int round = 0; round < rounds; ++round)
        for (std::size_t i = 0; i < contenders.size(); ++i)
            seconds[i].push_back(time_of(contenders[i], threads, budget).mean);
    std::vector<result> results;
    for (std::size_t i = 0; i < contenders.size(); ++i) {
        const std::vector<double> ratios = speed_ratios(seconds[i], seconds[0]);
        results.push_back({contenders[i].name, median(seconds[i]), median(ratios), ratios.front(),
                           ratios.back(), seconds[i]});
    }
    return results;
}

} // namespace benchmarks

#endif
