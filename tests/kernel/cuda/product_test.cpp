// SPDX-License-Identifier: Apache-2.0
#include "kernel/cuda/integer_layer.hpp"

#include <quantal/kernel/cuda/product.hpp>

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <tuple>

using namespace quantal;
using namespace quantal::cuda;

namespace {

/// m rows of k codes and n rows of k weights. What lies beyond must not count.
support::integer_layer matrices(std::mt19937& g, int m, int n, int k, int weight_bits,
                                int code_bits = 8) {
    const reference::window win{{m, 1}, {m, 1}, 1, 1, 1, 0, 0};
    return {g, {win, 1, k, n, weight_bits, code_bits}, 0x5a};
}

support::array<float> multipliers(int count) {
    support::array<float> m(static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < m.size(); ++i)
        m[i] = 0.001f + 0.0001f * static_cast<float>(i);
    return m;
}

template <product_tile T, class Operands, class Finish>
void multiply(const support::integer_layer& l, const Finish& finish, std::span<const float> factors,
              host::array result, unsigned seed) {
    using kernel = product_kernel<T, Operands, matrix_rows, Finish>;
    const auto depth = static_cast<std::int32_t>(l.in);
    const support::byte_rows w = support::packed(l.w, l.out, l.in, T.packed);
    const auto bytes = T.packed == 1 ? depth : static_cast<std::int32_t>(w.pitch);
    support::launch(
        kernel{{l.x.data(), l.x.pitch, l.rows(), depth},
               {w.data(), w.pitch, l.columns(), bytes},
               depth,
               l.rows(),
               l.start.data(),
               finish},
        kernel::grid(l.rows(), l.columns()),
        {std::span(l.x.chunks), std::span(w.chunks), std::span(l.start), factors, result}, seed);
}

template <product_tile T, class Operands>
void compare_codes(const support::integer_layer& l, unsigned seed) {
    const auto factors = multipliers(l.columns());
    support::byte_rows codes(l.rows(), l.columns(), 0);
    const codes_out finish{{codes.chunks.front().values, codes.pitch}, factors.data(), 128, 3, 250};
    multiply<T, Operands>(l, finish, factors, std::span(codes.chunks), seed);
    for (int row = 0; row < l.rows(); ++row)
        for (int column = 0; column < l.columns(); ++column) {
            const auto i = static_cast<std::size_t>(row * l.columns() + column);
            const float factor = factors[static_cast<std::size_t>(column)];
            BOOST_REQUIRE_EQUAL(int{codes.at(row, column)},
                                arith::requantize(l.expected[i], factor, 128, 3, 250));
        }
}

/// Products of one kind, whose weights and codes have so many bits.
template <class O, int WeightBits, int CodeBits>
struct product_of {
    using operands = O;
    static constexpr int weight_bits = WeightBits, code_bits = CodeBits;

    template <product_tile T>
    static void compare(std::mt19937& g, int m, int n, int k, unsigned seed) {
        compare_codes<T, O>(matrices(g, m, n, k, WeightBits, CodeBits), seed);
    }
};
using products =
    std::tuple<product_of<bytes_by_bytes, 8, 8>, product_of<bytes_by_bytes, 3, 5>,
               product_of<nibbles_by_nibbles, 4, 4>, product_of<nibbles_by_nibbles, 2, 3>,
               product_of<bytes_by_packed<4>, 4, 8>, product_of<bytes_by_packed<2>, 2, 8>>;

/// Sums leave through memory that all threads have just read, with a barrier in between or without.
template <bool Barrier>
struct reuse_memory_kernel {
    static constexpr product_tile tile = bytes_by_bytes::tiles.small;
    using output = product_output<tile, bytes_by_bytes, codes_out>;
    static constexpr const char* name = "reuse_memory";
    static constexpr int threads = tile.threads();
    using shared = output::staged;
    const std::int32_t* start;
    codes_out finish;

    QUANTAL_DEVICE void operator()() const {
        auto& s = shared_memory<shared>();
        store(&s.y[thread_index() / 32][thread_index() % 32], std::uint8_t{1});
        sync_threads();
        sums_of_warp<tile, std::int32_t> sums{};
        sums.of[0][0][0] = load(&s.y[0][0]);
        if constexpr (Barrier) sync_threads();
        output(finish, start, tile.n).put(sums, tile.m, s);
    }
};

template <bool Barrier>
void reuse_memory(unsigned seed) {
    const support::array<std::int32_t> start(32);
    const auto factors = multipliers(32);
    support::byte_rows codes(32, 32, 0);
    const codes_out finish{{codes.chunks.front().values, 32}, factors.data(), 0, 0, 255};
    support::launch(reuse_memory_kernel<Barrier>{start.data(), finish}, {1, 1},
                    {std::span(start), std::span(factors), std::span(codes.chunks)}, seed);
}

/// A number between -1 and 1 that a half has: a multiple of 2^-10.
struct random_half {
    std::uniform_int_distribution<int> code{-1024, 1024};
    double operator()(std::mt19937& g) { return code(g) * 0x1p-10; }
};

/// The bits of a multiple of 2^-10 between -1 and 1 as a half.
std::uint16_t half_of(double x) {
    if (x == 0) return 0;
    const int exponent = std::ilogb(x);
    const auto fraction = static_cast<int>(std::abs(x) * std::exp2(10 - exponent)) - 1024;
    return static_cast<std::uint16_t>((x < 0 ? 0x8000 : 0) | (exponent + 15) << 10 | fraction);
}

/// The largest error of a product of halves, as a multiple of what is allowed. In any order, the
/// sums in float32 of k + 1 numbers err by at most k + 1 roundings of the sum of magnitudes
/// (Higham, Accuracy and Stability of Numerical Algorithms, 4.2), and tensor cores may cut off
/// instead of rounding: twice that; then the result is rounded to a half once.
template <product_tile T>
double halves_error(std::mt19937& g, int m, int n, int k) {
    random_half any;
    support::byte_rows x(m, 2 * k, 0xa5), w(n, 2 * k, 0x5a), y(m, 2 * n, 0);
    std::vector<double> xs, ws;
    const auto fill = [&](support::byte_rows& rows, std::vector<double>& values, int count) {
        for (int i = 0; i < count * k; ++i) {
            values.push_back(any(g));
            const std::uint16_t half = half_of(values.back());
            rows.at(i / k, i % k * 2) = static_cast<std::uint8_t>(half & 0xff);
            rows.at(i / k, i % k * 2 + 1) = static_cast<std::uint8_t>(half >> 8);
        }
    };
    fill(x, xs, m);
    fill(w, ws, n);
    support::array<float> start(static_cast<std::size_t>(n));
    for (auto& s : start)
        s = static_cast<float>(any(g));
    auto* halves = reinterpret_cast<std::uint16_t*>(y.chunks.front().values);
    using kernel = product_kernel<T, halves_by_halves, matrix_rows, halves_out>;
    support::launch(kernel{{x.data(), x.pitch, m, 2 * k},
                           {w.data(), w.pitch, n, 2 * k},
                           2 * k,
                           m,
                           start.data(),
                           {{halves, y.pitch / 2}, -4.0f, 4.0f}},
                    kernel::grid(m, n),
                    {std::span(x.chunks), std::span(w.chunks), std::span(std::as_const(start)),
                     std::span(y.chunks)},
                    1);
    double most = 0;
    for (int i = 0; i < m * n; ++i) {
        double sum = double{start[static_cast<std::size_t>(i % n)]}, magnitudes = std::abs(sum);
        for (int at = 0; at < k; ++at) {
            const double p = xs[static_cast<std::size_t>(i / n * k + at)] *
                             ws[static_cast<std::size_t>(i % n * k + at)];
            sum += p;
            magnitudes += std::abs(p);
        }
        sum = std::clamp(sum, -4.0, 4.0);
        const double allowed =
            2 * (k + 1) * 0x1p-24 * magnitudes + 0x1p-11 * std::max(std::abs(sum), 0x1p-14);
        const int bits = y.at(i / n, i % n * 2) | y.at(i / n, i % n * 2 + 1) << 8;
        const int exponent = bits >> 10 & 31;
        const double value =
            (bits & 0x8000 ? -1 : 1) *
            std::ldexp((bits & 1023) + (exponent > 0 ? 1024 : 0), std::max(exponent, 1) - 25);
        most = std::max(most, std::abs(value - sum) / allowed);
    }
    return most;
}

/// One product of 16 x 32 by 32 x 8 bytes of a warp; Swapped takes two registers of a for each
/// other. Nibbles are twice as many, the even ones in the low halves of bytes.
template <bool Nibbles, bool Swapped>
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
        const x_fragment x{
            {word(mine), word(mine + upper), word(mine + right), word(mine + 8 * 32 + 16)}};
        const w_fragment w{{word(b + row * 32 + k), word(b + row * 32 + k + 16)}};
        if constexpr (Nibbles)
            mma_nibbles(sums, x, w);
        else
            mma(sums, x, w);
        for (int i = 0; i < 4; ++i)
            store(c + (row + i / 2 * 8) * 8 + thread_index() % 4 * 2 + i % 2, sums[i]);
    }
};

template <bool Nibbles, bool Swapped>
int differing_sums(std::mt19937& g) {
    support::byte_rows a(16, 32, 0), b(8, 32, 0);
    std::uniform_int_distribution<int> byte(0, 255);
    for (int i = 0; i < 16 * 32; ++i)
        a.at(0, i) = static_cast<std::uint8_t>(byte(g));
    for (int i = 0; i < 8 * 32; ++i)
        b.at(0, i) = static_cast<std::uint8_t>(byte(g));
    support::array<std::int32_t> c(16 * 8);
    support::launch(mma_kernel<Nibbles, Swapped>{a.data(), b.data(), c.data()}, {1, 1},
                    {std::span(a.chunks), std::span(b.chunks), std::span(c)}, 1);
    const auto signed_nibble = [](int code) { return code < 8 ? code : code - 16; };
    int differing = 0;
    for (int i = 0; i < 16 * 8; ++i) {
        std::int32_t sum = 0;
        for (int k = 0; k < 32; ++k) {
            const int x = a.at(i / 8, k), w = b.at(i % 8, k);
            sum += Nibbles ? x % 16 * signed_nibble(w % 16) + x / 16 * signed_nibble(w / 16)
                           : x * static_cast<std::int8_t>(w);
        }
        differing += c[static_cast<std::size_t>(i)] != sum;
    }
    return differing;
}

} // namespace

BOOST_AUTO_TEST_SUITE(cuda_product)

BOOST_AUTO_TEST_CASE(fragments_are_those_of_the_documentation) {
    auto g = support::generator();
    BOOST_TEST((differing_sums<false, false>(g) == 0));
    BOOST_TEST((differing_sums<true, false>(g) == 0));
    BOOST_TEST((differing_sums<false, true>(g) > 100)); // a wrong fragment is seen
    BOOST_TEST((differing_sums<true, true>(g) > 100));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(codes_equal_the_reference_at_any_size, P, products) {
    constexpr product_tile small = P::operands::tiles.small;
    auto g = support::generator();
    unsigned seed = 0;
    for (const int n : {1, 31, 32, 33, 67})
        for (const int k : {1, 15, 64, 65, 211})
            P::template compare<small>(g, 1 + (n + k) % 37, n, k, ++seed);
    for (const int m : {1, 31, 32, 33})
        P::template compare<small>(g, m, 35, 130, ++seed);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(codes_equal_the_reference_at_any_depth, P, products) {
    constexpr product_tile small = P::operands::tiles.small;
    auto g = support::generator();
    unsigned seed = 0;
    for (const int steps : {4, 5, 6, 7, 8, 9}) // of which three at a time are unrolled
        for (const int rest : {-1, 0, 16})
            P::template compare<small>(g, 33, 17, small.k * steps + rest, ++seed);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(codes_equal_the_reference_in_larger_tiles, P, products) {
    constexpr product_tile large = P::operands::tiles.large, narrow = P::operands::tiles.narrow;
    auto g = support::generator();
    P::template compare<large>(g, 131, 129, 67, 1);
    P::template compare<large>(g, 70, 80, large.k * 8 + 3, 2);
    P::template compare<narrow>(g, 131, 63, narrow.k * 5, 3);
}

#if !defined(__CUDACC__)
BOOST_AUTO_TEST_CASE(faults_are_named) {
    auto g = support::generator();
    const auto l = matrices(g, 33, 17, 64 * 9, 4, 4);
    const auto factors = multipliers(l.columns());
    const auto run = [&](int chunks, int missing) {
        support::byte_rows codes(l.rows(), 32, 0);
        const codes_out finish{
            {codes.chunks.front().values, 16 * chunks}, factors.data(), 9, 0, 15};
        codes.chunks.resize(static_cast<std::size_t>(l.rows() * chunks - missing));
        multiply<nibbles_by_nibbles::tiles.small, nibbles_by_nibbles>(l, finish, factors,
                                                                      std::span(codes.chunks), 1);
    };
    const auto says = [](const char* why) {
        return [why](const kernel_error& e) {
            BOOST_TEST_MESSAGE(e.what());
            return std::string(e.what()).find(why) != std::string::npos;
        };
    };
    run(2, 0);
    BOOST_CHECK_EXCEPTION(run(2, 1), kernel_error, says("of array 4, which has")); // the last chunk
    for (unsigned seed = 0; seed < 5; ++seed) {
        BOOST_CHECK_NO_THROW(reuse_memory<true>(seed));
        BOOST_CHECK_EXCEPTION(reuse_memory<false>(seed), kernel_error,
                              says("with no barrier in between"));
    }
}
#endif

BOOST_AUTO_TEST_CASE(halves_are_near_the_sums) {
    auto g = support::generator();
    using halves = halves_by_halves;
    for (const int k : {1, 16, 31, 32, 33, 130, 300}) {
        BOOST_TEST(halves_error<halves::tiles.small>(g, 33, 19, k) <= 1);
        BOOST_TEST(halves_error<halves::tiles.narrow>(g, 5, 65, k) <= 1);
    }
    BOOST_TEST(halves_error<halves::tiles.large>(g, 130, 129, 70) <= 1);
}

#if !defined(__CUDACC__)
BOOST_AUTO_TEST_CASE(halves_of_floats) {
    for (std::uint32_t bits = 0; bits < 0x7c00u; ++bits) { // all that are finite and positive
        const auto half = static_cast<std::uint16_t>(bits);
        const float x = half_to_float(half);
        const float next = half_to_float(static_cast<std::uint16_t>(bits + 1));
        BOOST_REQUIRE_EQUAL(float_to_half(x), half);
        BOOST_REQUIRE_EQUAL(float_to_half(-x), half | 0x8000u);
        if (bits + 1 == 0x7c00u) continue;
        const float middle = x + (next - x) / 2;
        BOOST_REQUIRE_EQUAL(float_to_half(middle), bits % 2 == 0 ? bits : bits + 1);
        BOOST_REQUIRE_EQUAL(float_to_half(std::nextafter(middle, 0.0f)), half);
        BOOST_REQUIRE_EQUAL(float_to_half(std::nextafter(middle, next)), bits + 1);
    }
    BOOST_TEST(half_to_float(0x3c00) == 1.0f);
    BOOST_TEST(half_to_float(0x0001) == 0x1p-24f);
    BOOST_TEST(half_to_float(0xfc00) == -std::numeric_limits<float>::infinity());
    BOOST_TEST(float_to_half(65519.0f) == 0x7bff);
    BOOST_TEST(float_to_half(65520.0f) == 0x7c00);
    BOOST_TEST((float_to_half(std::nanf("")) & 0x7fffu) > 0x7c00u);
}
#endif

BOOST_AUTO_TEST_CASE(tiles_fill_the_device) {
    constexpr int multiprocessors = 100;
    constexpr product_tiles tiles = bytes_by_bytes::tiles;
    const auto chosen = [&](int rows, int columns) {
        return tile_for(tiles, rows, columns, multiprocessors);
    };
    BOOST_TEST((chosen(128 * 50, 256) == tiles.large));
    BOOST_TEST((chosen(128 * 50 - 128, 256) == tiles.narrow)); // 98 blocks; 196
    BOOST_TEST((chosen(128 * 100, 64) == tiles.narrow));
    BOOST_TEST((chosen(128 * 100, 65) == tiles.large));
    BOOST_TEST((chosen(128 * 100, 32) == tiles.small));
    BOOST_TEST((chosen(49, 512) == tiles.small));
}

BOOST_AUTO_TEST_CASE(the_last_layer_gives_reals) {
    auto g = support::generator();
    const auto l = matrices(g, 5, 10, 70, 4);
    const auto factors = multipliers(l.columns());
    support::array<float> reals(l.expected.size());
    multiply<bytes_by_bytes::tiles.small, bytes_by_bytes>(
        l, reals_out{{reals.data(), l.out}, factors.data()}, factors, std::span(reals), 1);
    for (std::size_t i = 0; i < reals.size(); ++i)
        BOOST_TEST(reals[i] == static_cast<float>(l.expected[i]) * factors[i % factors.size()]);
}

BOOST_AUTO_TEST_SUITE_END()
