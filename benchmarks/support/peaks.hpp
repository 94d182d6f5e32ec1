// SPDX-License-Identifier: Apache-2.0
/// What the machine can do at most, measured by loops that do nothing else.
#ifndef QUANTAL_BENCHMARKS_SUPPORT_PEAKS_HPP
#define QUANTAL_BENCHMARKS_SUPPORT_PEAKS_HPP

#include "support/peak_loops.hpp"

#include <quantal/kernel/cpu/aligned.hpp>
#include <quantal/kernel/cpu/lanes.hpp>
#include <quantal/runtime/parallel.hpp>

#include <chrono>
#include <string_view>
#include <utility>
#include <vector>

namespace benchmarks {

/// All bits of an array in one; its size is a multiple of 128 bytes.
[[nodiscard]] inline std::uint64_t read_all(const float* from, std::size_t count) {
    using word = quantal::cpu::lanes<quantal::cpu::generic, std::uint64_t>;
    word sums[8] = {};
    for (std::size_t i = 0; i < count; i += 8 * sizeof(word) / sizeof(float))
#pragma GCC unroll 8
        for (std::size_t k = 0; k < 8; ++k)
            sums[k] |= quantal::cpu::load<word>(from + i + k * (sizeof(word) / sizeof(float)));
    std::uint64_t all = 0;
    for (const word& sum : sums)
        all |= sum[0] | sum[1];
    return all;
}

/// Rates of all threads together, a second.
struct peaks {
    double byte_operations;  ///< products and additions of bytes, by the fastest instructions
    double float_operations; ///< of float32
    /// Bytes read from arrays of so many bytes (all threads' together), the smallest first.
    std::vector<std::pair<std::size_t, double>> reads;

    /// The bytes a second at which an array of this size is read again and again.
    [[nodiscard]] double read_rate(std::size_t bytes) const {
        for (const auto& [size, rate] : reads)
            if (bytes <= size) return rate;
        return reads.back().second;
    }
    /// From memory, past all caches.
    [[nodiscard]] double memory() const { return reads.back().second; }
};

/// The most that `work(worker)` on all threads at once reaches, of several rounds; `amount` is what
/// one thread does. Rounds go on for longer than another's threads wait in busy loops (race.hpp).
template <class Work>
[[nodiscard]] double peak_rate(std::size_t threads, double amount, Work work) {
    using clock = std::chrono::steady_clock;
    constexpr int rounds = 7;
    constexpr std::chrono::milliseconds least{200};
    double best = 0;
    const auto begin = clock::now();
    for (int round = 0; round < rounds || clock::now() - begin < least; ++round) {
        const auto start = clock::now();
        quantal::parallel_for(threads, threads, [&](std::size_t, std::size_t w) { work(w); });
        const std::chrono::duration<double> spent = clock::now() - start;
        best = std::max(best, static_cast<double>(threads) * amount / spent.count());
    }
    return best;
}

/// Of the instruction set that quantal names so.
[[nodiscard]] inline peaks measure_peaks(std::string_view arch, std::size_t threads) {
    constexpr std::int64_t repeats = 2'000'000;
    constexpr std::size_t largest = std::size_t{256} << 20, smallest = std::size_t{64} << 10;
    const auto rate_of = [&](const peak_loop& loop) {
        return peak_rate(threads, static_cast<double>(repeats) * loop.operations,
                         [&](std::size_t) { loop.run(repeats); });
    };
    peaks p{rate_of(byte_loop(arch)), rate_of(float_loop(arch)), {}};
    std::vector<quantal::cpu::aligned_vector<float>> arrays(threads);
    for (auto& array : arrays)
        array.assign(largest / threads / sizeof(float) / 32 * 32, 1.0f);
    for (std::size_t bytes = smallest; bytes <= largest; bytes *= 4) {
        const std::size_t count = bytes / threads / sizeof(float) / 32 * 32;
        const std::size_t times = largest / bytes;
        const auto amount = static_cast<double>(times * count * sizeof(float));
        p.reads.emplace_back(bytes, peak_rate(threads, amount, [&](std::size_t w) {
                                 for (std::size_t i = 0; i < times; ++i)
                                     keep(read_all(arrays[w].data(), count));
                             }));
    }
    return p;
}

} // namespace benchmarks

#endif
