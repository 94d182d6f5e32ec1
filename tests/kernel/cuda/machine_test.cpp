// SPDX-License-Identifier: Apache-2.0
#include <quantal/kernel/cuda/atomic.hpp>
#include <quantal/kernel/cuda/host/run.hpp>
#include <quantal/kernel/cuda/thread.hpp>

#include <boost/test/unit_test.hpp>

#include <string_view>

using namespace quantal;
using namespace quantal::cuda;

namespace {

enum class fault {
    none,
    no_barrier,
    part_barrier,
    no_wait,
    past_end,
    misaligned,
    read_only,
    shared_end,
    no_zero,
    no_atomic
};

/// Each thread hands 16 bytes of x through shared memory to its neighbour in the next warp.
template <fault F>
struct hand_over_kernel {
    static constexpr const char* name = "hand_over";
    static constexpr int threads = 64;
    struct shared {
        alignas(16) std::uint8_t bytes[threads * 16];
    };
    const std::uint8_t* x;
    std::uint8_t* y;

    void operator()() const {
        auto& s = shared_memory<shared>();
        const int t = thread_index();
        const int block = threads * block_index().x;
        const int to = F == fault::shared_end ? t + 1 : t;
        copy_async(s.bytes + 16 * to, x + 16 * (block + t), 16);
        commit_copies();
        if constexpr (F != fault::no_wait) wait_copies<0>();
        if (F == fault::part_barrier && t == 5) return;
        if constexpr (F != fault::no_barrier) sync_threads();
        const auto bytes = load_pack<16>(s.bytes + 16 * ((t + 32) % threads));
        std::uint8_t* target = y + 16 * (block + t);
        if constexpr (F == fault::past_end) target += 16;
        if constexpr (F == fault::misaligned) target += 1;
        if constexpr (F == fault::read_only) target = const_cast<std::uint8_t*>(x);
        store_pack(target, bytes);
    }
};

template <fault F>
std::vector<std::uint8_t> hand_over(unsigned seed) {
    std::vector<std::uint8_t> x(3 * 64 * 16), y(x.size());
    for (std::size_t i = 0; i < x.size(); ++i)
        x[i] = static_cast<std::uint8_t>(i / 16);
    host::run(hand_over_kernel<F>{x.data(), y.data()}, {3, 1},
              {std::span<const std::uint8_t>(x), std::span(y)}, seed);
    return y;
}

/// `counts[x[t]] += 1` by all threads at once; each of them hands its own out at the end.
template <fault F>
struct count_kernel {
    static constexpr const char* name = "count";
    static constexpr int threads = 64;
    struct shared {
        std::uint32_t counts[threads];
    };
    const std::uint8_t* x;
    std::uint32_t* counts;

    void operator()() const {
        auto& s = shared_memory<shared>();
        const int t = thread_index();
        if constexpr (F != fault::no_zero) store(s.counts + t, 0u);
        sync_threads();
        std::uint32_t* const place = s.counts + load(x + t);
        if (F == fault::no_atomic && t == 3)
            store(place, load(place) + 1);
        else
            add_atomic(place, 1);
        if constexpr (F != fault::no_barrier) sync_threads();
        store(counts + t, load(s.counts + t));
    }
};

template <fault F>
std::vector<std::uint32_t> count(unsigned seed) {
    std::vector<std::uint8_t> x(64);
    for (std::size_t i = 0; i < x.size(); ++i)
        x[i] = static_cast<std::uint8_t>(i * i % 5);
    std::vector<std::uint32_t> counts(x.size());
    host::run(count_kernel<F>{x.data(), counts.data()}, {1, 1},
              {std::span<const std::uint8_t>(x), std::span(counts)}, seed);
    return counts;
}

/// `sums[w]`: the sum of the indices of warp w's threads.
struct sum_kernel {
    static constexpr const char* name = "sum";
    static constexpr int threads = 64;
    using shared = no_shared_memory;
    int* sums;
    bool diverges;

    void operator()() const {
        const int t = thread_index();
        if (diverges && t == 40) return;
        int sum = t;
        for (int lanes = warp_size / 2; lanes > 0; lanes /= 2)
            sum += shuffle_down(sum, lanes);
        if (t % warp_size == 0) store(sums + t / warp_size, sum);
    }
};

std::vector<int> sum_of_warps(bool diverges) {
    std::vector<int> sums(2);
    host::run(sum_kernel{sums.data(), diverges}, {1, 1}, {std::span(sums)}, 1);
    return sums;
}

/// A predicate of errors whose text holds all `parts`.
template <class... Parts>
auto says(Parts... parts) {
    return [=](const kernel_error& e) {
        BOOST_TEST_MESSAGE(e.what());
        const std::string_view text = e.what();
        return ((text.find(parts) != text.npos) && ...);
    };
}

} // namespace

BOOST_AUTO_TEST_SUITE(cuda_machine)

BOOST_AUTO_TEST_CASE(any_order_gives_the_same) {
    for (unsigned seed = 0; seed < 20; ++seed) {
        const auto y = hand_over<fault::none>(seed);
        for (std::size_t i = 0; i < y.size(); ++i) {
            const std::size_t thread = i / 16 % 64;
            BOOST_REQUIRE_EQUAL(y[i], i / 1024 * 64 + (thread + 32) % 64);
        }
    }
}

BOOST_AUTO_TEST_CASE(warps_shuffle) {
    const auto sums = sum_of_warps(false);
    BOOST_TEST(sums[0] == 31 * 32 / 2);
    BOOST_TEST(sums[1] == 32 * 32 + 31 * 32 / 2);
}

BOOST_AUTO_TEST_CASE(atomic_additions_are_no_race) {
    std::vector<std::uint32_t> expected(64); // of i * i % 5
    for (std::uint32_t i = 0; i < 64; ++i)
        ++expected[i * i % 5];
    for (unsigned seed = 0; seed < 5; ++seed) {
        BOOST_TEST((count<fault::none>(seed) == expected));
        BOOST_CHECK_EXCEPTION(count<fault::no_zero>(seed), kernel_error,
                              says("of shared memory, which nothing has written"));
        BOOST_CHECK_EXCEPTION(count<fault::no_atomic>(seed), kernel_error,
                              says("of shared memory, which", "no barrier in between"));
        BOOST_CHECK_EXCEPTION(count<fault::no_barrier>(seed), kernel_error,
                              says("of shared memory, which", "no barrier in between"));
    }
}

BOOST_AUTO_TEST_CASE(faults_are_named) {
    for (unsigned seed = 0; seed < 5; ++seed) {
        BOOST_CHECK_EXCEPTION(
            hand_over<fault::no_barrier>(seed), kernel_error,
            says("kernel hand_over, seed ", ", block (", "of shared memory, which"));
        BOOST_CHECK_EXCEPTION(hand_over<fault::part_barrier>(seed), kernel_error,
                              says("sync_threads is not reached by thread 5"));
        BOOST_CHECK_EXCEPTION(
            hand_over<fault::no_wait>(seed), kernel_error,
            says("of shared memory, to which a copy of thread", "is still on its way"));
        BOOST_CHECK_EXCEPTION(
            hand_over<fault::past_end>(seed), kernel_error,
            says("block (2, 0), thread 63", "byte 3072 of array 1, which has 3072 bytes"));
        BOOST_CHECK_EXCEPTION(hand_over<fault::misaligned>(seed), kernel_error,
                              says("which is not aligned to 16 bytes"));
        BOOST_CHECK_EXCEPTION(hand_over<fault::read_only>(seed), kernel_error,
                              says("byte 0 of array 0, which may only be read"));
        BOOST_CHECK_EXCEPTION(hand_over<fault::shared_end>(seed), kernel_error,
                              says("thread 63", "which is not in shared memory"));
    }
    for (const grid_index grid : {grid_index{0, 1}, grid_index{1, 0}, grid_index{1, 65536}})
        BOOST_CHECK_EXCEPTION(
            host::run(hand_over_kernel<fault::none>{nullptr, nullptr}, grid, {}, 1), kernel_error,
            says("hand_over: a grid of"));
    BOOST_CHECK_EXCEPTION(sum_of_warps(true), kernel_error,
                          says("shuffle_down is not reached by thread 40"));
}

BOOST_AUTO_TEST_SUITE_END()
