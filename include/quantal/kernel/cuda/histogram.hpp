// SPDX-License-Identifier: Apache-2.0
/// How often values were seen, in the bins of `observe::sketch`: 4096 a side, as wide as a power of
/// two, and zeros by themselves. Sums of integers alone, and bins by the bits of a float: the
/// counts are the CPU's, whatever the order of threads.
#ifndef QUANTAL_CUDA_HISTOGRAM_HPP
#define QUANTAL_CUDA_HISTOGRAM_HPP

#include <quantal/kernel/cuda/atomic.hpp>
#include <quantal/kernel/cuda/min_max.hpp>

namespace quantal {
inline namespace v0 {
namespace cuda {

/// Where counts are: bin i at `bins_a_side + i`, from the lowest to the highest, then the zeros.
inline constexpr std::int32_t bins_a_side = 4096, place_of_zeros = 2 * bins_a_side,
                              places_of_counts = place_of_zeros + 1;
/// The exponent of a histogram that has seen nothing but zeros.
inline constexpr std::int32_t no_exponent = -1000;

/// `|x| = digits * 2^exponent`.
struct magnitude {
    std::uint32_t digits;
    std::int32_t exponent;
};
[[nodiscard]] QUANTAL_DEVICE magnitude magnitude_of(float x) {
    const auto bits = __builtin_bit_cast(std::uint32_t, x);
    const std::uint32_t fraction = bits & 0x7fffffu, biased = bits >> 23 & 0xffu;
    if (biased == 0) return {fraction, -149};
    return {fraction | 0x800000u, static_cast<std::int32_t>(biased) - 150};
}

/// The least `e` by which `|x| < bins_a_side * 2^e`.
[[nodiscard]] QUANTAL_DEVICE std::int32_t exponent_for(float x) {
    const auto [digits, exponent] = magnitude_of(x);
    if (digits == 0) return no_exponent;
    std::int32_t width = 0;
    while (digits >> width != 0)
        ++width;
    constexpr std::int32_t log2_of_bins = 12;
    static_assert(bins_a_side == 1 << log2_of_bins);
    return width + exponent - log2_of_bins;
}

/// Where `x` counts if bins are `2^exponent` wide, and none is too large for them.
[[nodiscard]] QUANTAL_DEVICE std::int32_t place_of(float x, std::int32_t exponent) {
    const magnitude m = magnitude_of(x);
    if (m.digits == 0) return place_of_zeros;
    const std::int32_t shift = exponent - m.exponent;
    const std::uint32_t bin = shift >= 32 ? 0 : shift >= 0 ? m.digits >> shift : m.digits << -shift;
    const auto from_zero = static_cast<std::int32_t>(bin);
    return bins_a_side + (x < 0.0f ? ~from_zero : from_zero);
}

/// Adds `count` values, none of them NaN or too large for bins of `2^*exponent`, to `counts`. Any
/// grid of one dimension in which a block has fewer than 2^32 values.
struct histogram_kernel {
    static constexpr const char* name = "histogram";
    static constexpr int threads = 256;
    struct shared {
        std::uint32_t counts[places_of_counts];
    };

    const float* x;
    std::int64_t count;
    const std::int32_t* exponent;
    std::uint64_t* counts;

    QUANTAL_DEVICE void operator()() const {
        auto& s = shared_memory<shared>();
        for (int place = thread_index(); place < places_of_counts; place += threads)
            store(s.counts + place, std::uint32_t{0});
        sync_threads();
        const std::int32_t width = load(exponent);
        const std::int64_t first = std::int64_t{threads} * block_index().x + thread_index();
        for (std::int64_t i = first; i < count; i += std::int64_t{threads} * grid_size().x)
            add_atomic(s.counts + place_of(load(x + i), width), 1);
        sync_threads();
        for (int place = thread_index(); place < places_of_counts; place += threads)
            if (const std::uint32_t seen = load(s.counts + place); seen != 0)
                add_atomic(counts + place, seen);
    }
};

/// The counts `from` in bins that are wide enough for the values of `seen` too: where a bin
/// doubles, two become one. Any grid of one dimension.
struct widen_kernel {
    static constexpr const char* name = "widen";
    static constexpr int threads = 256;
    using shared = no_shared_memory;

    const std::uint64_t* from;
    const std::int32_t* from_exponent;
    const extent* seen;
    std::uint64_t* to;
    std::int32_t* to_exponent;

    QUANTAL_DEVICE void operator()() const {
        const std::int32_t before = load(from_exponent);
        const extent values = load(seen);
        const float largest = -values[0] > values[1] ? -values[0] : values[1];
        const std::int32_t needed = exponent_for(largest);
        const std::int32_t after = needed > before ? needed : before;
        const std::int32_t doublings = after - before < 31 ? after - before : 31;
        const int first = threads * block_index().x + thread_index();
        for (int place = first; place < places_of_counts; place += threads * grid_size().x)
            store(to + place, place == place_of_zeros ? load(from + place)
                                                      : sum_of(place - bins_a_side, doublings));
        if (first == 0) store(to_exponent, after);
    }

private:
    /// Of the bins that become `bin`.
    [[nodiscard]] QUANTAL_DEVICE std::uint64_t sum_of(std::int32_t bin,
                                                      std::int32_t doublings) const {
        const std::int64_t width = std::int64_t{1} << doublings;
        const std::int64_t begin = bin * width, end = begin + width;
        const std::int64_t low = begin > -bins_a_side ? begin : -bins_a_side;
        const std::int64_t high = end < bins_a_side ? end : bins_a_side;
        std::uint64_t sum = 0;
        for (std::int64_t i = low; i < high; ++i)
            sum += load(from + bins_a_side + i);
        return sum;
    }
};

} // namespace cuda
} // namespace v0
} // namespace quantal

#endif
