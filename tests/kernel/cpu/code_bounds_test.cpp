// SPDX-License-Identifier: Apache-2.0
#include <quantal/arith/requantize.hpp>
#include <quantal/kernel/cpu/code_bounds.hpp>

#include <boost/test/unit_test.hpp>

#include <array>
#include <cmath>
#include <limits>
#include <vector>

using namespace quantal;

namespace {

/// Ties, neighbours of ties and of the bounds, and what no int32 holds.
std::vector<float> reals() {
    std::vector<float> all;
    for (float x = -300.0f; x <= 300.0f; x += 0.5f)
        for (const float v : {x, std::nextafter(x, -400.0f), std::nextafter(x, 400.0f)})
            all.push_back(v);
    constexpr float infinity = std::numeric_limits<float>::infinity();
    for (const float v : {32767.0f, 32768.5f, 65536.0f, 0x1p22f, 0x1p24f, 0x1p31f, 0x1.fp31f,
                          0x1p33f, 1e38f, infinity})
        all.insert(all.end(), {v, -v});
    all.insert(all.end(), {-0.0f, std::numeric_limits<float>::denorm_min(),
                           std::numeric_limits<float>::quiet_NaN()});
    return all;
}

std::uint8_t expected(float v, const cpu::byte_codes& y) {
    const auto bounded = arith::clamp(v, static_cast<float>(y.lo - y.zero_point),
                                      static_cast<float>(y.hi - y.zero_point));
    return static_cast<std::uint8_t>(arith::round_half_even(bounded) + y.zero_point);
}

/// Four registers of reals, stored in all ways.
template <class A>
class four_registers {
    static constexpr int lanes = cpu::lane_count<A>, all = 4 * lanes;
    using registers = cpu::lanes<A, float>;

public:
    explicit four_registers(const cpu::byte_codes& y) : y_(y), bounds_(y) {}

    void check(const float* from) {
        registers v[4];
        std::array<std::uint8_t, all> wanted{};
        for (int i = 0; i < all; ++i)
            wanted[static_cast<std::size_t>(i)] = expected(from[i], y_);
        for (int i = 0; i < 4; ++i)
            v[i] = cpu::load<registers>(from + i * lanes);
        const auto same = [&] {
            const bool is_same = stored_ == wanted;
            stored_.fill(0xa5);
            return is_same;
        };
        bounds_.store(at(0), v[0], v[1], v[2], v[3]);
        BOOST_TEST(same());
        bounds_.store_halves(at(0), at(2), v[0], v[1], v[2], v[3]);
        BOOST_TEST(same());
        bounds_.store_quarters({at(0), at(1), at(2), at(3)}, v[0], v[1], v[2], v[3]);
        BOOST_TEST(same());
        bounds_.store(at(0), v[0], v[1]);
        bounds_.store(at(2), v[2]);
        bounds_.store(at(3), v[3]);
        BOOST_TEST(same());
        registers first[2], second[2];
        interleave(from, first);
        interleave(from + 2 * lanes, second);
        bounds_.store_interleaved(at(0), first);
        bounds_.store_interleaved(at(2), second);
        BOOST_TEST(same());
        bounds_.store_interleaved(at(0), first, at(2), second);
        BOOST_TEST(same());
    }

private:
    [[nodiscard]] void* at(std::size_t i) { return stored_.data() + i * lanes; }
    static void interleave(const float* from, registers (&pair)[2]) {
        std::array<float, 2 * lanes> mixed{};
        for (int i = 0; i < 2 * lanes; ++i)
            mixed[static_cast<std::size_t>(cpu::interleaved_place(i, lanes))] = from[i];
        std::memcpy(pair, mixed.data(), sizeof pair);
    }

    cpu::byte_codes y_;
    cpu::code_bounds<A> bounds_;
    std::array<std::uint8_t, all> stored_{};
};

} // namespace

BOOST_AUTO_TEST_SUITE(cpu_code_bounds)

BOOST_AUTO_TEST_CASE(bytes_are_those_of_the_formula) {
    std::vector<float> values = reals();
    values.resize((values.size() + 63) / 64 * 64);
    int archs = 0;
    cpu::all_archs::for_each([&]<class A>() {
        if constexpr (A::built) {
            ++archs;
            BOOST_TEST_CONTEXT(A::name())
            for (std::int32_t zero = 0; zero < 256; zero += 5)
                for (const auto& [lo, hi] :
                     {std::pair(0, 255), std::pair(zero, 255), std::pair(0, std::max(zero, 15)),
                      std::pair(zero, zero)}) {
                    four_registers<A> registers({zero, lo, hi});
                    constexpr std::size_t step = 4 * cpu::lane_count<A>;
                    for (std::size_t i = 0; i < values.size(); i += step)
                        registers.check(values.data() + i);
                }
        }
    });
    BOOST_TEST(archs > 0);
}

BOOST_AUTO_TEST_SUITE_END()
