// SPDX-License-Identifier: Apache-2.0
#include "kernel/cuda/integer_layer.hpp"

#include <quantal/kernel/cuda/product.hpp>

#include <boost/test/unit_test.hpp>

using namespace quantal;
using namespace quantal::cuda;

namespace {

/// m rows of k codes and n rows of k weights. What lies beyond must not count.
support::integer_layer matrices(std::mt19937& g, int m, int n, int k, int weight_bits) {
    const reference::window win{{m, 1}, {m, 1}, 1, 1, 1, 0, 0};
    return {g, {win, 1, k, n, weight_bits}, 0x5a};
}

support::array<float> multipliers(int count) {
    support::array<float> m(static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < m.size(); ++i)
        m[i] = 0.001f + 0.0001f * static_cast<float>(i);
    return m;
}

template <product_tile T, class Finish>
void multiply(const support::integer_layer& l, const Finish& finish, std::span<const float> factors,
              host::array result, unsigned seed) {
    using kernel = product_kernel<T, matrix_rows, Finish>;
    const auto depth = static_cast<std::int32_t>(l.in);
    support::launch(
        kernel{{l.x.data(), l.x.pitch, l.rows(), depth},
               {l.w.data(), l.w.pitch, l.columns(), depth},
               l.rows(),
               l.start.data(),
               finish},
        kernel::grid(l.rows(), l.columns()),
        {std::span(l.x.chunks), std::span(l.w.chunks), std::span(l.start), factors, result}, seed);
}

template <product_tile T>
void compare_codes(const support::integer_layer& l, unsigned seed) {
    const auto factors = multipliers(l.columns());
    support::array<std::uint8_t> codes(l.expected.size());
    const codes_out finish{{codes.data(), l.out}, factors.data(), 128, 3, 250};
    multiply<T>(l, finish, factors, std::span(codes), seed);
    for (std::size_t i = 0; i < codes.size(); ++i) {
        const float factor = factors[i % factors.size()];
        BOOST_REQUIRE_EQUAL(int{codes[i]}, arith::requantize(l.expected[i], factor, 128, 3, 250));
    }
}

/// One 16 x 32 by 32 x 8 product of a warp; Swapped takes two registers of a for each other.
template <bool Swapped>
struct mma_kernel {
    static constexpr const char* name = "mma";
    static constexpr int threads = 32;
    using shared = no_shared_memory;
    const std::uint8_t* a;
    const std::uint8_t* b; ///< by columns
    std::int32_t* c;

    QUANTAL_DEVICE void operator()() const {
        const int row = thread_index() / 4;
        const int k = thread_index() % 4 * 4;
        const auto word = [](const std::uint8_t* from) {
            const auto bytes = load_pack<4>(from);
            std::uint32_t w = 0;
            for (int i = 0; i < 4; ++i)
                w |= std::uint32_t{bytes[i]} << (8 * i);
            return w;
        };
        const int upper = Swapped ? 16 : 8 * 32;
        const int right = Swapped ? 8 * 32 : 16;
        const std::uint8_t* mine = a + row * 32 + k;
        pack<std::int32_t, 4> sums{};
        mma(sums, {{word(mine), word(mine + upper), word(mine + right), word(mine + 8 * 32 + 16)}},
            {{word(b + row * 32 + k), word(b + row * 32 + k + 16)}});
        for (int i = 0; i < 4; ++i)
            store(c + (row + i / 2 * 8) * 8 + thread_index() % 4 * 2 + i % 2, sums[i]);
    }
};

template <bool Swapped>
int differing_sums(std::mt19937& g) {
    support::byte_rows a(16, 32, 0), b(8, 32, 0);
    std::uniform_int_distribution<int> byte(0, 255);
    for (int i = 0; i < 16 * 32; ++i)
        a.at(0, i) = static_cast<std::uint8_t>(byte(g));
    for (int i = 0; i < 8 * 32; ++i)
        b.at(0, i) = static_cast<std::uint8_t>(byte(g));
    support::array<std::int32_t> c(16 * 8);
    support::launch(mma_kernel<Swapped>{a.data(), b.data(), c.data()}, {1, 1},
                    {std::span(a.chunks), std::span(b.chunks), std::span(c)}, 1);
    int differing = 0;
    for (int i = 0; i < 16 * 8; ++i) {
        std::int32_t sum = 0;
        for (int k = 0; k < 32; ++k)
            sum += a.at(i / 8, k) * static_cast<std::int8_t>(b.at(i % 8, k));
        differing += c[static_cast<std::size_t>(i)] != sum;
    }
    return differing;
}

} // namespace

BOOST_AUTO_TEST_SUITE(cuda_product)

BOOST_AUTO_TEST_CASE(fragments_are_those_of_the_documentation) {
    auto g = support::generator();
    BOOST_TEST(differing_sums<false>(g) == 0);
    BOOST_TEST(differing_sums<true>(g) > 100); // a wrong fragment is seen
}

BOOST_AUTO_TEST_CASE(codes_equal_the_reference_at_any_size) {
    auto g = support::generator();
    unsigned seed = 0;
    for (const int n : {1, 31, 32, 33, 67})
        for (const int k : {1, 15, 64, 65, 211})
            compare_codes<small_tile>(matrices(g, 1 + (n + k) % 37, n, k, 2 + (n + k) % 7), ++seed);
    for (const int m : {1, 31, 32, 33})
        compare_codes<small_tile>(matrices(g, m, 35, 130, 8), ++seed);
}

BOOST_AUTO_TEST_CASE(codes_equal_the_reference_at_any_depth) {
    auto g = support::generator();
    unsigned seed = 0;
    for (const int steps : {4, 5, 6, 7, 8, 9}) // of which three at a time are unrolled
        for (const int rest : {-1, 0, 16})
            compare_codes<small_tile>(matrices(g, 33, 17, 64 * steps + rest, 3), ++seed);
}

BOOST_AUTO_TEST_CASE(codes_equal_the_reference_in_larger_tiles) {
    auto g = support::generator();
    compare_codes<large_tile>(matrices(g, 131, 129, 67, 8), 1);
    compare_codes<large_tile>(matrices(g, 70, 80, 64 * 8 + 3, 3), 2);
    compare_codes<narrow_tile>(matrices(g, 131, 63, 64 * 5, 3), 3);
}

BOOST_AUTO_TEST_CASE(tiles_fill_the_device) {
    constexpr int multiprocessors = 100;
    BOOST_TEST((tile_for(128 * 50, 256, multiprocessors) == large_tile));
    BOOST_TEST((tile_for(128 * 50 - 128, 256, multiprocessors) == narrow_tile)); // 98 blocks; 196
    BOOST_TEST((tile_for(128 * 100, 64, multiprocessors) == narrow_tile));
    BOOST_TEST((tile_for(128 * 100, 65, multiprocessors) == large_tile));
    BOOST_TEST((tile_for(128 * 100, 32, multiprocessors) == small_tile));
    BOOST_TEST((tile_for(49, 512, multiprocessors) == small_tile));
}

BOOST_AUTO_TEST_CASE(the_last_layer_gives_reals) {
    auto g = support::generator();
    const auto l = matrices(g, 5, 10, 70, 4);
    const auto factors = multipliers(l.columns());
    support::array<float> reals(l.expected.size());
    multiply<small_tile>(l, reals_out{{reals.data(), l.out}, factors.data()}, factors,
                         std::span(reals), 1);
    for (std::size_t i = 0; i < reals.size(); ++i)
        BOOST_TEST(reals[i] == static_cast<float>(l.expected[i]) * factors[i % factors.size()]);
}

BOOST_AUTO_TEST_SUITE_END()
